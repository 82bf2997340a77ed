#include "base/output_descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// A pipe is opened anew: that it does not block is then nobody else's matter.
static int open_stdout(void)
{
    struct stat status;
    bool pipe = fstat(STDOUT_FILENO, &status) == 0 && S_ISFIFO(status.st_mode);
    int fd = pipe ? open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_CLOEXEC) : -1;
    return fd >= 0 ? fd : fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
}

int output_descriptor_open(const char *path, int flags, mode_t mode)
{
    enum { FLAGS = O_WRONLY | O_CREAT | O_APPEND | O_NOCTTY | O_NONBLOCK | O_CLOEXEC };
    return strcmp(path, "-") == 0 ? open_stdout() : open(path, FLAGS | flags, mode);
}

bool output_descriptor_take(struct output_descriptor *out, int fd, bool to_stdout, uint64_t *size)
{
    struct stat status;
    out->fd = fd;
    if (fd < 0 || fstat(fd, &status) != 0)
        return false;
    out->regular = S_ISREG(status.st_mode) && !to_stdout;
    out->blocks = !S_ISREG(status.st_mode) && (fcntl(fd, F_GETFL) & O_NONBLOCK) == 0;
    *size = out->regular ? (uint64_t)status.st_size : 0;
    return true;
}

void output_descriptor_close(struct output_descriptor *out)
{
    if (out->fd >= 0)
        close(out->fd);
    out->fd = -1;
}

bool output_descriptor_is_given_up(const struct output_descriptor *out)
{
    return out->gives_up != NULL && out->gives_up();
}

bool output_descriptor_has_no_reader(const struct output_descriptor *out)
{
    struct pollfd state = {.fd = out->fd, .events = POLLOUT};
    return !out->regular && poll(&state, 1, 0) > 0 && (state.revents & POLLERR) != 0;
}

// Whether the other side can be written to; false with errno when that took too long.
static bool await_reader(const struct output_descriptor *out)
{
    struct pollfd ready = {.fd = out->fd, .events = POLLOUT};
    while (poll(&ready, 1, OUTPUT_LOOK_AGAIN_MS) == 0) {
        if (output_descriptor_is_given_up(out)) {
            errno = ETIMEDOUT;
            return false;
        }
    }
    return true;
}

// A full disk refuses large pages whole: less at a time fills it to its end.
static bool can_take_less(size_t *portion)
{
    enum { LEAST_BYTES = 512 };
    bool full = errno == ENOSPC || errno == EDQUOT;
    *portion /= full ? 2 : 1;
    return full && *portion >= LEAST_BYTES;
}

// A write that may block takes no more than a pipe which is ready has room for.
size_t output_descriptor_write(const struct output_descriptor *out, const void *bytes, size_t length)
{
    size_t done = 0, portion = out->blocks && length > PIPE_BUF ? PIPE_BUF : length;
    while (done < length && (!out->blocks || await_reader(out))) {
        portion = length - done < portion ? length - done : portion;
        ssize_t written = write(out->fd, (const char *)bytes + done, portion);
        if (written >= 0)
            done += (size_t)written;
        else if (errno != EINTR && (errno != EAGAIN || !await_reader(out)) && !can_take_less(&portion))
            break;
    }
    return done;
}

bool output_descriptor_shorten(const struct output_descriptor *out, size_t by)
{
    struct stat status;
    return fstat(out->fd, &status) == 0 && ftruncate(out->fd, status.st_size - (off_t)by) == 0;
}
