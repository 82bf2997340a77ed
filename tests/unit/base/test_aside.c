#include "base/aside.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>

#include "output_directory.h"

TestSuite(aside, .init = make_output_directory, .fini = drop_output_directory);

static int open_target(mode_t mode)
{
    int fd = open(output_path("a.txt"), O_WRONLY | O_CREAT | O_APPEND, mode);
    cr_assert(fd >= 0);
    cr_assert(eq(int, (int)write(fd, "before\n", 7), 7));
    return fd;
}

static void judge(const char *wanted)
{
    char *text = file_text(output_path("a.txt"));
    cr_assert(eq(str, text, (char *)wanted));
    free(text);
    cr_assert(eq(int, access(output_path(".a.txt.partial"), F_OK), -1));
}

Test(aside, takes_the_place_in_one_step)
{
    struct aside aside;
    struct stat status;
    int fd = aside_open(&aside, output_path("a.txt"), open_target(0640));
    cr_assert(fd >= 0);
    cr_assert(eq(int, (int)write(fd, "after\n", 6), 6));
    char *text = file_text(output_path("a.txt"));
    cr_assert(eq(str, text, (char *)"before\n"));
    free(text);
    cr_assert(aside_place(&aside, fd));
    judge("after\n");
    stat(output_path("a.txt"), &status);
    cr_assert(eq(uint, status.st_mode & 0777, 0640));
}

// As on a file that is a mount point of its own.
Test(aside, what_cannot_be_replaced_is_written_over)
{
    struct aside aside;
    int fd = aside_open(&aside, output_path("a.txt"), open_target(0600));
    static char bytes[200000];
    memset(bytes, 'x', sizeof bytes - 1);
    cr_assert(eq(sz, (size_t)write(fd, bytes, sizeof bytes - 1), sizeof bytes - 1));
    unlink(output_path(".a.txt.partial")); // so that it cannot be renamed
    cr_assert(aside_place(&aside, fd));
    judge(bytes);
}

Test(aside, what_an_earlier_run_left_is_replaced)
{
    struct aside aside;
    cr_assert(eq(int, symlink("a.txt", output_path(".a.txt.partial")), 0)); // not followed
    int fd = aside_open(&aside, output_path("a.txt"), open_target(0600));
    cr_assert(fd >= 0);
    cr_assert(aside_place(&aside, fd));
    judge("");
}

Test(aside, where_nothing_can_be_made_the_target_stays_open)
{
    struct aside aside;
    int target = open_target(0600);
    mkdir(output_path(".a.txt.partial"), 0700);
    cr_assert(eq(int, aside_open(&aside, output_path("a.txt"), target), -1));
    rmdir(output_path(".a.txt.partial"));
    cr_assert(eq(int, (int)write(target, "on\n", 3), 3));
    close(target);
    judge("before\non\n");
}
