#include "api/secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/capabilities.h"
#include "base/log.h"

static void warn_of_readers(int file, const char *path)
{
    struct stat status;
    if (fstat(file, &status) == 0 && (status.st_mode & S_IROTH) != 0)
        log_warning("api",
                    "%s can be read by everybody on this host: chmod o-r, for whoever reads it may try "
                    "what it holds at leisure",
                    path);
}

static bool read_whole(int file, size_t most, char *bytes, size_t *length)
{
    ssize_t got = 1;
    *length = 0;
    while (got > 0 && *length <= most) {
        got = read(file, bytes + *length, most + 1 - *length);
        *length += got > 0 ? (size_t)got : 0;
    }
    return got >= 0;
}

bool secret_file_read(const char *path, const char *key, size_t most, char **bytes, size_t *length,
                      struct error *error)
{
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0)
        return error_set(error, error_kind_of_errno(errno), "cannot open %s %s: %s%s", key, path,
                         strerror(errno), capabilities_denial(errno));
    *bytes = malloc(most + 1);
    bool room = *bytes != NULL, good = room && read_whole(file, most, *bytes, length);
    int failure = errno;
    if (good)
        warn_of_readers(file, path);
    close(file);
    if (good)
        return true;
    free(*bytes);
    return room
               ? error_set(error, error_kind_of_errno(failure), "cannot read %s: %s", path, strerror(failure))
               : error_set(error, ERROR_EXHAUSTED, "no memory to read %s", path);
}

void secret_file_done(char *take_bytes, size_t length)
{
    explicit_bzero(take_bytes, length);
    free(take_bytes);
}
