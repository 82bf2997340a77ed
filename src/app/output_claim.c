#include "app/output_claim.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/denial.h"
#include "base/output_descriptor.h"

static bool refuse(const char *path, int reason, struct error *error)
{
    return error_set(error, error_kind_of_errno(reason), "%s cannot be written: %s%s", path, strerror(reason),
                     denial_writing(reason));
}

bool output_claim_check(const char *path, struct error *error)
{
    char directory[PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t length = slash != NULL ? (size_t)(slash - path) + 1 : 0;
    if (path[0] == '\0' || access(path, W_OK) == 0)
        return true;
    if (errno != ENOENT || length + 1 >= sizeof directory)
        return refuse(path, errno, error);
    memcpy(directory, path, length);
    memcpy(directory + length, ".", 2);
    return access(directory, W_OK | X_OK) == 0 || refuse(path, errno, error);
}

static bool is_for_files(const struct stat *status)
{
    return S_ISREG(status->st_mode) || S_ISDIR(status->st_mode);
}

bool output_claim_take(struct output_claim *claim, const char *path, unsigned mode, struct error *error)
{
    struct stat status;
    bool there = stat(path, &status) == 0;
    *claim = (struct output_claim){0};
    if (there && !is_for_files(&status))
        return true;
    int fd = output_descriptor_open(path, 0, mode);
    if (fd < 0)
        return refuse(path, errno, error);
    *claim = (struct output_claim){.path = path, .fd = fd, .made = !there};
    return true;
}

void output_claim_drop(struct output_claim *claim, bool used)
{
    if (claim->path == NULL)
        return;
    if (claim->made && !used)
        unlink(claim->path);
    close(claim->fd);
    *claim = (struct output_claim){0};
}
