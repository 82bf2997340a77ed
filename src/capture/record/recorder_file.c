#include "capture/record/recorder_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { FILE_MODE = 0640 };

void recorder_file_init(struct recorder_file *file)
{
    *file = (struct recorder_file){.fd = -1};
}

bool recorder_file_close(struct recorder_file *file)
{
    bool good = file->fd < 0 || file->fd == STDOUT_FILENO || close(file->fd) == 0;
    file->fd = -1;
    return good;
}

void recorder_file_done(struct recorder_file *file)
{
    recorder_file_close(file);
    file_series_done(&file->series);
}

bool recorder_file_open(struct recorder_file *file)
{
    int fd = open(file->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, FILE_MODE);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) != 0)
        return false;
    file->fd = fd;
    file->is_regular = S_ISREG(status.st_mode);
    file->bytes = 0;
    return true;
}

bool recorder_file_name_next(struct recorder_file *file)
{
    char *path = file_series_path(&file->series, file->number + 1, "");
    bool fits = path != NULL && strlen(path) < sizeof file->path;
    if (fits) {
        memcpy(file->path, path, strlen(path) + 1);
        file->number++;
    }
    free(path);
    return fits;
}

void recorder_file_delete_old(const struct recorder_file *file, uint32_t keep)
{
    if (file->number > keep)
        file_series_delete_up_to(&file->series, file->number - keep);
}

bool recorder_file_is_in_place(const struct recorder_file *file)
{
    struct stat open_file_status, path_status;
    return fstat(file->fd, &open_file_status) == 0 && stat(file->path, &path_status) == 0 &&
           open_file_status.st_dev == path_status.st_dev && open_file_status.st_ino == path_status.st_ino;
}

bool recorder_file_cut_back(const struct recorder_file *file)
{
    return file->is_regular && ftruncate(file->fd, (off_t)file->bytes) == 0 &&
           lseek(file->fd, (off_t)file->bytes, SEEK_SET) >= 0;
}

bool recorder_file_has_room(const struct recorder_file *file, uint64_t bytes)
{
    struct statvfs system;
    if (bytes == 0 || !file->is_regular || file->fd < 0 || fstatvfs(file->fd, &system) != 0)
        return true;
    uint64_t free_bytes = (uint64_t)system.f_bavail * system.f_frsize;
    return free_bytes >= bytes;
}

bool recorder_file_open_stdout(struct recorder_file *file, bool rotating, struct error *error)
{
    if (rotating)
        return error_set(error, ERROR_UNAVAILABLE,
                         "standard output cannot be rotated: give --write-pcap a file name");
    if (isatty(STDOUT_FILENO))
        return error_set(error, ERROR_UNAVAILABLE,
                         "packets are not written to a terminal: redirect standard output");
    file->fd = STDOUT_FILENO;
    memcpy(file->path, "standard output", sizeof "standard output");
    return true;
}

static bool begin_series(struct recorder_file *file, const char *path)
{
    if (!file_series_init(&file->series, path))
        return false;
    file->number = file_series_last(&file->series);
    return recorder_file_name_next(file);
}

static bool name_first(struct recorder_file *file, const char *path, bool rotating)
{
    size_t length = strlen(path);
    if (length >= sizeof file->path)
        return false;
    memcpy(file->path, path, length + 1);
    return !rotating || begin_series(file, path);
}

bool recorder_file_open_first(struct recorder_file *file, const char *path, bool rotating,
                              struct error *error)
{
    if (!name_first(file, path, rotating))
        return error_set(error, ERROR_UNAVAILABLE, "the name of the capture file to write is too long");
    return recorder_file_open(file) || error_set(error, error_kind_of_errno(errno),
                                                 "%s cannot be written: %s", file->path, strerror(errno));
}
