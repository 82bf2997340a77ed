#include "base/log.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { SHOWN_BYTES = 20000 };

static char shown[SHOWN_BYTES];

// Runs `speak` and keeps in `shown` what it wrote to stderr.
static void listen_to(void (*speak)(void))
{
    FILE *file = tmpfile();
    int kept = dup(STDERR_FILENO);
    dup2(fileno(file), STDERR_FILENO);
    speak();
    dup2(kept, STDERR_FILENO);
    close(kept);
    rewind(file);
    shown[fread(shown, 1, sizeof shown - 1, file)] = '\0';
    fclose(file);
}

static void speak_all(void)
{
    log_error("app", "one %d", 1);
    log_warning("app", "two");
    log_info("app", "three");
    log_debug("app", "four");
}

Test(log, level_decides)
{
    log_configure(LOG_LEVEL_WARNING, LOG_FORMAT_TEXT);
    listen_to(speak_all);
    cr_expect_str_eq(shown, "netscope: error: one 1\nnetscope: warning: two\n");
    log_configure(LOG_LEVEL_DEBUG, LOG_FORMAT_TEXT);
    listen_to(speak_all);
    cr_expect_str_eq(shown, "netscope: error: one 1\nnetscope: warning: two\nnetscope: info: three\n"
                            "netscope: debug: four\n");
}

static void speak_hostile(void)
{
    log_error("app", "a\nb \x1b[2J \"q\" C:\\d \xff");
}

Test(log, a_line_stays_a_line)
{
    log_configure(LOG_LEVEL_WARNING, LOG_FORMAT_TEXT);
    listen_to(speak_hostile);
    cr_expect_str_eq(shown, "netscope: error: a\\x0ab \\x1b[2J \"q\" C:\\d \\xff\n");
}

Test(log, json_is_quoted)
{
    log_configure(LOG_LEVEL_WARNING, LOG_FORMAT_JSON);
    listen_to(speak_hostile);
    cr_expect_eq(strncmp(shown, "{\"time\":\"20", 11), 0, "%s", shown);
    const char *rest = strstr(shown, "\",\"level\"");
    cr_assert_not_null(rest);
    cr_expect_str_eq(rest, "\",\"level\":\"error\",\"area\":\"app\",\"message\":"
                           "\"a\\\\x0ab \\\\x1b[2J \\\"q\\\" C:\\\\d \\\\xff\"}\n");
}

static void speak_long(void)
{
    char much[5000];
    memset(much, 1, sizeof much - 1);
    much[sizeof much - 1] = '\0';
    log_error("app", "%s", much);
}

Test(log, a_long_sentence_is_cut_and_ends_its_line)
{
    log_configure(LOG_LEVEL_WARNING, LOG_FORMAT_JSON);
    listen_to(speak_long);
    size_t length = strlen(shown);
    cr_expect_gt(length, 1000);
    cr_expect_str_eq(shown + length - 3, "\"}\n");
}

static void fill_pipe(int pipe)
{
    char block[4096] = {0};
    fcntl(pipe, F_SETFL, O_NONBLOCK);
    while (write(pipe, block, sizeof block) > 0)
        continue;
    fcntl(pipe, F_SETFL, 0);
}

static void drain_pipe(int pipe)
{
    char block[4096];
    fcntl(pipe, F_SETFL, O_NONBLOCK);
    while (read(pipe, block, sizeof block) > 0)
        continue;
}

Test(log, a_stuck_reader_costs_lines_and_no_time, .timeout = 10)
{
    int ends[2], kept = dup(STDERR_FILENO);
    cr_assert_eq(pipe(ends), 0);
    log_configure(LOG_LEVEL_WARNING, LOG_FORMAT_TEXT);
    fill_pipe(ends[1]);
    dup2(ends[1], STDERR_FILENO);
    for (int i = 0; i < 1000; i++)
        log_warning("app", "lost");
    drain_pipe(ends[0]);
    log_warning("app", "read");
    dup2(kept, STDERR_FILENO);
    ssize_t length = read(ends[0], shown, sizeof shown - 1);
    shown[length > 0 ? length : 0] = '\0';
    cr_expect_str_eq(shown, "netscope: warning: 1000 lines of the log are lost: standard error was not read\n"
                            "netscope: warning: read\n");
}

static void speak_quotes(void)
{
    char text[3000];
    memset(text, '"', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    log_error("app", "%s", text);
    memset(text, 1, sizeof text - 1);
    log_error("app", "%s", text);
}

Test(log, a_line_fits_into_what_a_pipe_takes_at_once)
{
    log_configure(LOG_LEVEL_WARNING, LOG_FORMAT_JSON);
    listen_to(speak_quotes);
    const char *second = strchr(shown, '\n') + 1;
    cr_expect(second - shown <= 4096);
    cr_expect(strlen(second) <= 4096);
    cr_expect_eq(memcmp(second - 3, "\"}\n", 3), 0);
    cr_expect_str_eq(shown + strlen(shown) - 3, "\"}\n");
}
