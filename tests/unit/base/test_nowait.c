#include "base/nowait.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

// Writes until it would wait; the flag is not on the descriptor that others have.
static void fill(int descriptor)
{
    char block[4096] = {0};
    int own = nowait_open(descriptor);
    cr_assert(own >= 0);
    for (int i = 0; i < 10000 && nowait_write(own, block, sizeof block) > 0; i++)
        continue;
    cr_expect_eq(nowait_write(own, block, sizeof block), -1);
    cr_expect_eq(errno, EAGAIN);
    cr_expect_eq(fcntl(descriptor, F_GETFL) & O_NONBLOCK, 0);
    close(own);
}

Test(nowait, a_full_pipe_or_socket_is_said_at_once, .timeout = 10)
{
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    fill(ends[1]);
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    fill(ends[1]);
}

Test(nowait, a_file_is_written_on_where_it_was)
{
    FILE *file = tmpfile();
    char text[16] = "";
    cr_assert_eq(write(fileno(file), "one ", 4), 4);
    int own = nowait_open(fileno(file));
    cr_expect_eq(nowait_write(own, "two", 3), 3);
    cr_expect_eq(pread(fileno(file), text, sizeof text - 1, 0), 7);
    cr_expect_str_eq(text, "one two");
    close(own);
    fclose(file);
}
