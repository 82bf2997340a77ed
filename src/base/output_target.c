#include "base/output_target.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool take(struct output_target *target, int fd)
{
    return output_descriptor_take(&target->out, fd, target->to_stdout, &target->size);
}

static int open_path(const struct output_target *target, int flags)
{
    return output_descriptor_open(target->path, flags, target->mode);
}

bool output_target_init(struct output_target *target, const char *path, mode_t mode, bool (*gives_up)(void))
{
    *target = (struct output_target){
        .given = strdup(path),
        .path = strdup(path),
        .mode = mode,
        .to_stdout = strcmp(path, "-") == 0,
        .out = {.fd = -1, .gives_up = gives_up},
        .aside = {.target_fd = -1},
    };
    return target->given != NULL && target->path != NULL;
}

void output_target_done(struct output_target *target)
{
    if (target->aside.target != NULL)
        output_target_close(target);
    output_descriptor_close(&target->out);
    file_series_done(&target->series);
    free(target->path);
    free(target->given);
}

const char *output_target_name(const struct output_target *target, const char *path)
{
    return target->to_stdout ? "standard output" : path;
}

// Names the file that follows; false without memory.
static bool next_path(struct output_target *target)
{
    char *path = file_series_path(&target->series, target->number + 1, "");
    if (path == NULL)
        return false;
    free(target->path);
    target->path = path;
    target->number++;
    return true;
}

// The next number that nobody has taken: a series may change hands while the one before writes its last units.
bool output_target_open_next(struct output_target *target)
{
    assert(target->out.fd < 0);
    int fd;
    do {
        if (!next_path(target))
            return false;
        fd = open_path(target, O_EXCL);
    } while (fd < 0 && errno == EEXIST);
    return take(target, fd);
}

static bool begin_series(struct output_target *target)
{
    if (!file_series_init(&target->series, target->path))
        return false;
    target->number = file_series_last(&target->series);
    return output_target_open_next(target);
}

// They are there already.
static bool is_pipe_or_device(const struct output_target *target)
{
    struct stat status;
    return target->to_stdout || (stat(target->path, &status) == 0 && !S_ISREG(status.st_mode));
}

bool output_target_open(struct output_target *target, bool rotated, bool emptied)
{
    struct stat status;
    if (rotated && !is_pipe_or_device(target))
        return begin_series(target);
    if (take(target, open_path(target, emptied ? O_TRUNC : 0)))
        return true;
    target->awaits_first = errno == ENXIO && stat(target->path, &status) == 0 && S_ISFIFO(status.st_mode);
    return target->awaits_first;
}

bool output_target_open_again(struct output_target *target, bool emptied)
{
    int fd = open_path(target, emptied ? O_TRUNC : 0);
    if (fd < 0)
        return false;
    output_descriptor_close(&target->out);
    return take(target, fd);
}

bool output_target_meet_first_reader(struct output_target *target)
{
    int fd = open_path(target, 0);
    if (fd < 0)
        return false;
    target->awaits_first = false;
    return take(target, fd);
}

bool output_target_await_first_reader(struct output_target *target)
{
    while (target->awaits_first && !output_target_meet_first_reader(target)) {
        if (errno != ENXIO)
            return false;
        if (output_descriptor_is_given_up(&target->out)) {
            errno = ETIMEDOUT;
            return false;
        }
        poll(NULL, 0, OUTPUT_LOOK_AGAIN_MS);
    }
    return true;
}

bool output_target_is_moved(const struct output_target *target)
{
    struct stat own, other;
    if (target->out.fd < 0 || !target->out.regular || fstat(target->out.fd, &own) != 0)
        return false;
    return stat(target->path, &other) != 0 || own.st_dev != other.st_dev || own.st_ino != other.st_ino;
}

void output_target_delete_old(const struct output_target *target, unsigned max_files)
{
    if (max_files > 0 && target->number > max_files)
        file_series_delete_up_to(&target->series, target->number - max_files);
}

void output_target_delete_oldest(const struct output_target *target, unsigned max_files,
                                 uint64_t number_before)
{
    for (uint64_t number = number_before + 1; max_files > 0 && number <= target->number; number++)
        if (number > max_files)
            file_series_delete(&target->series, number - max_files);
}

bool output_target_set_aside(struct output_target *target)
{
    int fd = aside_open(&target->aside, target->path, target->out.fd);
    bool ready = fd >= 0 ? take(target, fd) : ftruncate(target->out.fd, 0) == 0;
    target->size = 0;
    return ready;
}

bool output_target_close(struct output_target *target)
{
    int fd = target->out.fd;
    target->out.fd = -1;
    return target->aside.target != NULL ? aside_place(&target->aside, fd) : close(fd) == 0;
}
