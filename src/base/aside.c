#include "base/aside.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { COPY_BYTES = 64 * 1024 };

static void forget(struct aside *aside)
{
    free(aside->target);
    free(aside->partial);
    *aside = (struct aside){.target_fd = -1};
}

static char *partial_name(const char *target)
{
    const char *slash = strrchr(target, '/');
    int directory = slash != NULL ? (int)(slash - target) + 1 : 0;
    char *name = NULL;
    return asprintf(&name, "%.*s.%s.partial", directory, target, target + directory) >= 0 ? name : NULL;
}

// One that an earlier run left is none of anybody's.
static int open_partial(const char *partial, const struct stat *like)
{
    enum { KEPT_MODE = 0777 };
    unlink(partial);
    int fd = open(partial, O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return -1;
    bool owned = fchown(fd, like->st_uid, like->st_gid) == 0; // else it is the sensor's
    fchmod(fd, like->st_mode & (owned ? KEPT_MODE : 0666));
    return fd;
}

int aside_open(struct aside *aside, const char *path, int target_fd)
{
    struct stat like;
    *aside = (struct aside){.target = realpath(path, NULL), .target_fd = target_fd};
    aside->partial = aside->target != NULL ? partial_name(aside->target) : NULL;
    bool known = aside->partial != NULL && fstat(target_fd, &like) == 0;
    int fd = known ? open_partial(aside->partial, &like) : -1;
    int reason = errno;
    if (fd < 0)
        forget(aside);
    errno = reason;
    return fd;
}

static bool copy_all(int from, int into)
{
    char bytes[COPY_BYTES];
    off_t at = 0;
    ssize_t length;
    if (ftruncate(into, 0) != 0)
        return false;
    while ((length = pread(from, bytes, sizeof bytes, at)) > 0) {
        at += length;
        for (ssize_t done = 0, written; done < length; done += written)
            if ((written = write(into, bytes + done, (size_t)(length - done))) < 0)
                return false;
    }
    return length == 0;
}

bool aside_place(struct aside *aside, int fd)
{
    assert(aside->target != NULL && fd >= 0);
    bool placed = rename(aside->partial, aside->target) == 0;
    if (!placed) {
        placed = copy_all(fd, aside->target_fd);
        if (placed)
            unlink(aside->partial);
    }
    int reason = errno;
    placed &= close(fd) == 0;
    close(aside->target_fd);
    forget(aside);
    errno = reason;
    return placed;
}
