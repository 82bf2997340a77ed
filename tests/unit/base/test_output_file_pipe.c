#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>

#include "base/time.h"
#include "output_lines.h"

TestSuite(output_file_pipe, .init = make_output_directory, .fini = drop_output_directory);

static unsigned beginnings;

static void count_beginning(void *owner)
{
    (void)owner;
    beginnings++;
}

// A FIFO whose reader went is opened for the next one, without waiting for it, and begins by its head again.
Test(output_file_pipe, a_second_reader_of_a_pipe_gets_a_head)
{
    signal(SIGPIPE, SIG_IGN);
    cr_assert(mkfifo(output_path("pipe"), 0600) == 0);
    int reader = open(output_path("pipe"), O_RDONLY | O_NONBLOCK);
    beginnings = 0;
    struct output_file *file =
        open_lines(output_path("pipe"),
                   (struct output_options){.head = "head\n", .keep_trying = true, .begun = count_beginning});
    add_lines(file, 0, 1, 0);
    output_file_flush(file, 0);
    close(reader);
    add_lines(file, 1, 1, 0);
    output_file_flush(file, 0);
    output_file_flush(file, NS_PER_S); // nobody is there
    cr_expect(eq(u64, counts.records, 1));
    reader = open(output_path("pipe"), O_RDONLY | O_NONBLOCK);
    add_lines(file, 2, 1, 2 * NS_PER_S);
    cr_assert(not(output_file_close(file, &error)));
    char text[200] = "";
    cr_expect(read(reader, text, sizeof text - 1) > 0);
    cr_expect(eq(str, text, "head\nrecord 000002 of a run\n"));
    cr_expect(eq(uint, beginnings, 2));
    cr_expect(eq(u64, counts.lost, 1));
    close(reader);
}

static atomic_int looks; // of gives_up(), before it says yes

static bool gives_up(void)
{
    return atomic_fetch_sub(&looks, 1) <= 0;
}

// Opening waits for nobody; what is written for the first reader waits for it.
Test(output_file_pipe, the_first_reader_of_a_pipe_gets_all)
{
    char text[256];
    cr_assert(eq(int, mkfifo(output_path("pipe"), 0600), 0));
    struct output_file *file =
        open_lines(output_path("pipe"),
                   (struct output_options){.head = "head\n", .tail = "tail\n", .gives_up = gives_up});
    cr_assert(file != NULL, "%s", error.text);
    add_lines(file, 1, 1, 0);
    output_file_flush(file, 0);
    int reader = open(output_path("pipe"), O_RDONLY | O_NONBLOCK);
    cr_assert(output_file_close(file, &error), "%s", error.text);
    ssize_t length = read(reader, text, sizeof text - 1);
    cr_assert(length > 0);
    text[length] = '\0';
    cr_assert(eq(str, text, (char *)"head\nrecord 000001 of a run\ntail\n"));
    close(reader);
}

Test(output_file_pipe, a_pipe_without_a_reader_is_given_up)
{
    atomic_store(&looks, 2);
    cr_assert(eq(int, mkfifo(output_path("pipe"), 0600), 0));
    struct output_file *file = open_lines(output_path("pipe"), (struct output_options){.gives_up = gives_up});
    add_lines(file, 1, 3, 0);
    cr_assert(not(output_file_close(file, &error)));
    cr_assert(strstr(error.text, "pipe is incomplete: nobody read it in time; 3 records were not written") !=
                  NULL,
              "%s", error.text);
}

Test(output_file_pipe, a_pipe_that_is_not_read_is_given_up)
{
    enum { COUNT = 100000 };
    atomic_store(&looks, 2);
    cr_assert(eq(int, mkfifo(output_path("pipe"), 0600), 0));
    int reader = open(output_path("pipe"), O_RDONLY | O_NONBLOCK);
    struct output_file *file = open_lines(output_path("pipe"), (struct output_options){.gives_up = gives_up});
    add_lines(file, 1, COUNT, 0);
    cr_assert(not(output_file_close(file, &error)));
    cr_assert(eq(u64, counts.records + counts.lost, COUNT));
    cr_assert(gt(u64, counts.records, 1000)); // what the pipe holds
    close(reader);
}
