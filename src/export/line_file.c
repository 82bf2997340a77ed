#include "export/line_file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LONGEST_LINE = 256 * 1024 };

// Whether to try again: a signal came, or the reader of a non-blocking pipe has caught up.
static bool may_retry(int fd)
{
    if (errno == EINTR)
        return true;
    if (errno != EAGAIN)
        return false;
    return poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, -1) > 0 || errno == EINTR;
}

bool line_file_write(int fd, const char *bytes, size_t length, size_t *done)
{
    *done = 0;
    while (*done < length) {
        ssize_t written = write(fd, bytes + *done, length - *done);
        if (written >= 0)
            *done += (size_t)written;
        else if (!may_retry(fd))
            return false;
    }
    return true;
}

static bool shorten(int fd, size_t by)
{
    struct stat status;
    return fstat(fd, &status) == 0 && ftruncate(fd, status.st_size - (off_t)by) == 0;
}

size_t line_file_cut_half_line(int fd, const char *bytes, size_t done)
{
    const char *newline = done > 0 ? memrchr(bytes, '\n', done) : NULL;
    size_t whole = newline != NULL ? (size_t)(newline + 1 - bytes) : 0;
    return whole == done || shorten(fd, done - whole) ? whole : done;
}

// Where the last line of the file's `size` bytes begins, in an open file that can be read.
static size_t last_line_at(int fd, size_t size)
{
    char *end = malloc(LONGEST_LINE);
    if (end == NULL)
        return size;
    size_t length = size < LONGEST_LINE ? size : LONGEST_LINE, begin = size;
    if (pread(fd, end, length, (off_t)(size - length)) == (ssize_t)length) {
        const char *newline = memrchr(end, '\n', length - 1);
        begin = newline != NULL ? size - length + (size_t)(newline + 1 - end) : size;
    }
    free(end);
    return begin;
}

bool line_file_cut_last_line(int fd, const char *path, size_t keep)
{
    struct stat status;
    int reader = open(path, O_RDONLY | O_CLOEXEC);
    if (reader < 0)
        return false;
    bool cut = false;
    if (fstat(fd, &status) == 0 && (size_t)status.st_size > keep) {
        size_t begin = last_line_at(reader, (size_t)status.st_size);
        cut = begin >= keep && begin < (size_t)status.st_size && ftruncate(fd, (off_t)begin) == 0;
    }
    close(reader);
    return cut;
}
