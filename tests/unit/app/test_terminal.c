#include "app/terminal.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static atomic_bool patience_over;

static bool gives_up(void)
{
    return atomic_load(&patience_over);
}

static struct terminal *open_terminal(int descriptor)
{
    struct error error;
    struct terminal_setup setup = {descriptor, "standard output", gives_up};
    struct terminal *terminal = terminal_create(&setup, &error);
    cr_assert_not_null(terminal, "%s", error.text);
    return terminal;
}

Test(terminal, writes_texts_in_the_order_of_their_tellers, .timeout = 20)
{
    FILE *file = tmpfile();
    struct terminal *terminal = open_terminal(fileno(file));
    struct error error;
    for (unsigned i = 0; i < 20000; i++) {
        char text[32];
        int length = snprintf(text, sizeof text, "%u\n", i);
        cr_assert(terminal_add(terminal, text, (size_t)length));
    }
    cr_assert(terminal_offer(terminal, "last\n", 5));
    cr_assert(terminal_flush(terminal, &error));
    terminal_destroy(terminal);
    rewind(file);
    char line[32];
    for (unsigned i = 0; i < 20000; i++) {
        cr_assert_not_null(fgets(line, sizeof line, file));
        cr_assert_eq((unsigned)atoi(line), i);
    }
    cr_expect_str_eq(fgets(line, sizeof line, file), "last\n");
    fclose(file);
}

Test(terminal, a_reader_that_does_not_read_holds_nobody_up, .timeout = 20)
{
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    struct terminal *terminal = open_terminal(ends[1]);
    char text[1000];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\n';
    unsigned taken = 0;
    for (unsigned i = 0; i < 10000; i++)
        taken += terminal_offer(terminal, text, sizeof text);
    cr_expect_eq(taken + terminal_dropped(terminal), 10000);
    cr_expect(taken < 1000, "%u texts were taken", taken);
    // What was taken arrives whole.
    size_t arrived = 0;
    char block[4096];
    while (arrived < taken * sizeof text) {
        ssize_t length = read(ends[0], block, sizeof block);
        cr_assert(length > 0);
        for (ssize_t i = 0; i < length; i++, arrived++)
            cr_assert_eq(block[i], arrived % sizeof text == sizeof text - 1 ? '\n' : 'x');
    }
    terminal_destroy(terminal);
}

Test(terminal, a_stuck_reader_is_given_up, .timeout = 20)
{
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    struct terminal *terminal = open_terminal(ends[1]);
    struct error error;
    char *text = calloc(1, 3u << 20);
    memset(text, 'x', 3u << 20);
    atomic_store(&patience_over, true);
    cr_expect_not(terminal_add(terminal, text, 3u << 20), "larger than pipe and queue");
    cr_expect_not(terminal_flush(terminal, &error));
    cr_expect_eq(error.kind, ERROR_DEADLINE_EXCEEDED);
    cr_expect_not_null(strstr(error.text, "standard output was not read in time"), "%s", error.text);
    terminal_destroy(terminal);
    free(text);
}

// A long end comes later than the patience with readers is over; who reads gets all of it.
Test(terminal, what_comes_late_is_written, .timeout = 20)
{
    enum { BYTES = 3 << 20 };
    FILE *file = tmpfile();
    struct terminal *terminal = open_terminal(fileno(file));
    struct error error;
    char *text = calloc(1, BYTES);
    atomic_store(&patience_over, true);
    cr_expect(terminal_add(terminal, text, BYTES));
    cr_expect(terminal_flush(terminal, &error), "%s", error.text);
    for (int i = 0; i < 100; i++) {
        cr_expect(terminal_add(terminal, "line\n", 5));
        cr_expect(terminal_flush(terminal, &error), "%s", error.text);
    }
    terminal_destroy(terminal);
    fseek(file, 0, SEEK_END);
    cr_expect_eq(ftell(file), BYTES + 100 * 5);
    fclose(file);
    free(text);
}

Test(terminal, a_reader_that_has_gone_is_no_failure, .timeout = 20)
{
    int ends[2];
    signal(SIGPIPE, SIG_IGN);
    cr_assert_eq(pipe(ends), 0);
    close(ends[0]);
    struct terminal *terminal = open_terminal(ends[1]);
    struct error error;
    cr_expect(terminal_add(terminal, "text\n", 5));
    cr_expect(terminal_flush(terminal, &error));
    cr_expect_eq(terminal_failure(terminal), EPIPE);
    cr_expect_not(terminal_add(terminal, "more\n", 5));
    cr_expect_not(terminal_offer(terminal, "more\n", 5));
    cr_expect_eq(terminal_dropped(terminal), 0, "nobody misses it");
    terminal_destroy(terminal);
}

Test(terminal, a_full_disk_is_one, .timeout = 20)
{
    struct terminal *terminal = open_terminal(open("/dev/full", O_WRONLY));
    struct error error;
    cr_expect(terminal_add(terminal, "text\n", 5));
    cr_expect_not(terminal_flush(terminal, &error));
    cr_expect_not_null(strstr(error.text, "cannot write standard output: No space left"), "%s", error.text);
    terminal_destroy(terminal);
}

static void *read_slowly(void *argument)
{
    char block[65536];
    size_t *total = argument;
    usleep(200000);
    for (ssize_t length; (length = read((int)total[1], block, sizeof block)) > 0;)
        total[0] += (size_t)length;
    return NULL;
}

Test(terminal, who_may_wait_loses_nothing, .timeout = 20)
{
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    size_t total[2] = {0, (size_t)ends[0]};
    pthread_t reader;
    pthread_create(&reader, NULL, read_slowly, total);
    struct terminal *terminal = open_terminal(ends[1]);
    struct error error;
    char *text = calloc(1, 3u << 20);
    for (int i = 0; i < 3; i++)
        cr_expect(terminal_add(terminal, text, 3u << 20));
    cr_expect(terminal_flush(terminal, &error));
    terminal_destroy(terminal);
    close(ends[1]);
    pthread_join(reader, NULL);
    cr_expect_eq(total[0], 9u << 20);
    free(text);
}
