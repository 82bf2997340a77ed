#include "base/output_trouble.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/time.h"

// A moment, and how long after a failure it is tried again.
static const int64_t now_ns = 100 * NS_PER_S, second_ns = NS_PER_S;

static struct output_options options;
static struct output_counts counts;
static struct output_trouble trouble;
static struct error error;

static void begin(bool keep_trying)
{
    log_configure(LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
    options = (struct output_options){.component = "test", .unit = "records", .keep_trying = keep_trying};
    output_trouble_init(&trouble, &options, &counts);
}

static void expect_report(const char *sentence)
{
    if (sentence == NULL) {
        cr_expect(output_trouble_report(&trouble, "out.txt", &error), "%s", error.text);
        return;
    }
    cr_expect_not(output_trouble_report(&trouble, "out.txt", &error));
    cr_expect_eq(error.kind, ERROR_DATA_LOSS);
    cr_expect_str_eq(error.text, sentence);
}

Test(output_trouble, without_any_there_is_nothing_to_report)
{
    begin(true);
    cr_expect_eq(trouble.kind, OUTPUT_NO_TROUBLE);
    cr_expect_not(output_trouble_begin_try(&trouble, now_ns));
    cr_expect_eq(counts.errors, 0);
    expect_report(NULL);
}

Test(output_trouble, is_tried_again_every_second_and_counted_once)
{
    begin(true);
    output_trouble_fail(&trouble, ENOSPC, false, "out.txt", now_ns);
    cr_expect_not(output_trouble_begin_try(&trouble, now_ns + second_ns - 1));
    cr_expect(output_trouble_begin_try(&trouble, now_ns + second_ns));
    cr_expect_not(output_trouble_begin_try(&trouble, now_ns + second_ns + 1), "one try a second");
    output_trouble_fail(&trouble, EIO, false, "out.txt", now_ns + second_ns);
    cr_expect_eq(counts.errors, 1, "it is the same failure");
    cr_expect(counts.failing);
    expect_report("out.txt is incomplete: No space left on device");
    output_trouble_end(&trouble, "out.txt");
    cr_expect_not(counts.failing);
    expect_report(NULL);
    output_trouble_fail(&trouble, EIO, false, "out.txt", now_ns + 5 * second_ns);
    cr_expect_eq(counts.errors, 2);
}

Test(output_trouble, is_not_tried_again_where_that_is_not_wanted_or_of_no_use)
{
    for (int keep_trying = 0; keep_trying < 2; keep_trying++) {
        begin(keep_trying);
        output_trouble_fail(&trouble, EIO, keep_trying, "out.txt", now_ns);
        cr_expect_not(output_trouble_begin_try(&trouble, now_ns + 3600 * second_ns));
    }
}

Test(output_trouble, tells_what_was_lost_by_its_first_reason)
{
    begin(true);
    output_trouble_fail(&trouble, ENOSPC, false, "out.txt", now_ns);
    output_trouble_lose(&trouble, 3, NULL);
    output_trouble_end(&trouble, "out.txt");
    output_trouble_lose(&trouble, 2, "no memory");
    cr_expect_eq(counts.lost, 5);
    expect_report("out.txt is incomplete: No space left on device; 5 records were not written");
}

Test(output_trouble, of_a_reader_that_left_is_no_loss_by_itself)
{
    begin(false);
    output_trouble_fail(&trouble, EPIPE, false, "out.txt", now_ns);
    expect_report(NULL);
    output_trouble_lose(&trouble, 1, NULL);
    expect_report("out.txt is incomplete: Broken pipe; 1 records were not written");
}

Test(output_trouble, of_a_pipe_that_was_not_read_says_so)
{
    begin(false);
    output_trouble_fail(&trouble, ETIMEDOUT, true, "out.txt", now_ns);
    expect_report("out.txt is incomplete: nobody read it in time");
}

static int open_here(void)
{
    int fd = open("/tmp", O_RDONLY | O_DIRECTORY);
    cr_assert_geq(fd, 0);
    return fd;
}

Test(output_trouble, looks_at_the_disk_once_a_second)
{
    begin(true);
    int fd = open_here();
    output_trouble_check_space(&trouble, fd, "out.txt", now_ns);
    cr_expect_eq(trouble.kind, OUTPUT_NO_TROUBLE, "nothing is to stay free");
    counts.min_free_bytes = UINT64_MAX; // as another thread changes it
    output_trouble_check_space(&trouble, fd, "out.txt", now_ns);
    cr_expect_eq(trouble.kind, OUTPUT_SHORT_OF_SPACE);
    cr_expect_eq(counts.errors, 1);
    cr_expect_not(output_trouble_begin_try(&trouble, now_ns + second_ns), "only a failure is tried again");
    counts.min_free_bytes = 1;
    output_trouble_check_space(&trouble, fd, "out.txt", now_ns + second_ns - 1);
    cr_expect_eq(trouble.kind, OUTPUT_SHORT_OF_SPACE, "too early to look");
    output_trouble_check_space(&trouble, fd, "out.txt", now_ns + second_ns);
    cr_expect_eq(trouble.kind, OUTPUT_NO_TROUBLE);
    expect_report(NULL);
    close(fd);
}

Test(output_trouble, a_shortage_ends_when_nothing_is_to_stay_free_any_more)
{
    begin(true);
    int fd = open_here();
    counts.min_free_bytes = UINT64_MAX;
    output_trouble_check_space(&trouble, fd, "out.txt", now_ns);
    output_trouble_lose(&trouble, 7, NULL);
    counts.min_free_bytes = 0;
    output_trouble_check_space(&trouble, fd, "out.txt", now_ns + second_ns);
    cr_expect_eq(trouble.kind, OUTPUT_NO_TROUBLE);
    expect_report(
        "out.txt is incomplete: less free space than output.min_free_mb; 7 records were not written");
    close(fd);
}

Test(output_trouble, a_failure_outlasts_what_the_disk_has)
{
    begin(true);
    int fd = open_here();
    counts.min_free_bytes = UINT64_MAX;
    output_trouble_fail(&trouble, EIO, false, "out.txt", now_ns);
    output_trouble_check_space(&trouble, fd, "out.txt", now_ns);
    cr_expect_eq(trouble.kind, OUTPUT_FAILED);
    counts.min_free_bytes = 1;
    output_trouble_check_space(&trouble, fd, "out.txt", now_ns + second_ns);
    cr_expect_eq(trouble.kind, OUTPUT_FAILED);
    cr_expect_eq(counts.errors, 1);
    close(fd);
}

Test(output_trouble, a_path_that_is_not_followed_is_reported_until_it_is)
{
    begin(true);
    output_trouble_write_on(&trouble, EACCES, "out.txt");
    cr_expect_eq(trouble.kind, OUTPUT_NO_TROUBLE, "the file that was there is written on");
    expect_report("out.txt could not be opened anew: Permission denied; the last records are in the file "
                  "that was there");
    output_trouble_followed(&trouble);
    expect_report(NULL);
}
