#include "base/nowait.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

int nowait_open(int descriptor)
{
    struct stat status;
    char path[32];
    int again = -1;
    snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
    if (fstat(descriptor, &status) == 0 && (S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode)))
        again = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    return again >= 0 ? again : fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
}

ssize_t nowait_write(int descriptor, const void *bytes, size_t length)
{
    ssize_t written = send(descriptor, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
    return written < 0 && errno == ENOTSOCK ? write(descriptor, bytes, length) : written;
}
