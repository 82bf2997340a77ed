#include "config/paths.h"

#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { MOST_LINKS = 40, MEMORY_DEVICES = 1 }; // the major number of /dev/null and its like

static size_t directory_length(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? (size_t)(slash - path) + 1 : 0;
}

// Replaces a path that is a link by its target; false when it is none.
static bool follow_link(char path[PATH_MAX])
{
    char target[PATH_MAX], joined[PATH_MAX];
    ssize_t length = readlink(path, target, sizeof target - 1);
    if (length <= 0)
        return false;
    target[length] = '\0';
    int directory = target[0] == '/' ? 0 : (int)directory_length(path);
    if (snprintf(joined, sizeof joined, "%.*s%s", directory, path, target) >= (int)sizeof joined)
        return false;
    memcpy(path, joined, sizeof joined);
    return true;
}

static void find_directory(struct place *place, const char *path)
{
    char directory[PATH_MAX + 2];
    size_t length = directory_length(path);
    snprintf(directory, sizeof directory, "%.*s.", (int)length, path);
    snprintf(place->name, sizeof place->name, "%s", path + length);
    place->has_directory = stat(directory, &place->directory) == 0;
}

struct place place_of(const char *path, int standard)
{
    struct place place = {0};
    char followed[PATH_MAX];
    if (strcmp(path, "-") == 0) {
        place.exists = fstat(standard, &place.file) == 0;
        return place;
    }
    place.exists = stat(path, &place.file) == 0;
    if (snprintf(followed, sizeof followed, "%s", path) >= (int)sizeof followed)
        return place;
    for (int links = 0; links < MOST_LINKS && follow_link(followed); links++)
        continue;
    find_directory(&place, followed);
    return place;
}

struct place place_as_spelled(const char *path)
{
    struct place place = {0};
    if (strcmp(path, "-") != 0 && strlen(path) < PATH_MAX)
        find_directory(&place, path);
    return place;
}

static bool is_same_inode(const struct stat *left, const struct stat *right)
{
    return left->st_dev == right->st_dev && left->st_ino == right->st_ino;
}

static bool keeps_nothing(const struct stat *file)
{
    return S_ISCHR(file->st_mode) && major(file->st_rdev) == MEMORY_DEVICES;
}

bool place_is_same(const struct place *left, const struct place *right)
{
    if (left->exists && right->exists)
        return is_same_inode(&left->file, &right->file) && !keeps_nothing(&left->file);
    return !left->exists && !right->exists && place_is_beside(left, right) &&
           strcmp(left->name, right->name) == 0;
}

bool place_is_read_back(const struct place *input, const struct place *output)
{
    return input->exists && output->exists && is_same_inode(&input->file, &output->file) &&
           (S_ISREG(input->file.st_mode) || S_ISFIFO(input->file.st_mode));
}

bool place_is_directory_of(const struct place *directory, const struct place *place)
{
    return directory->exists && place->has_directory && is_same_inode(&directory->file, &place->directory);
}

bool place_is_beside(const struct place *left, const struct place *right)
{
    return left->has_directory && right->has_directory && is_same_inode(&left->directory, &right->directory);
}

bool path_is_standard_output(const char *path)
{
    struct place place = place_of(path, STDOUT_FILENO), output = place_of("-", STDOUT_FILENO);
    return strcmp(path, "-") == 0 || (place.exists && output.exists && place_is_same(&place, &output));
}
