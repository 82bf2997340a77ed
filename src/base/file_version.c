#include "base/file_version.h"

struct file_version file_version_of(const char *path)
{
    struct stat status;
    if (path[0] == '\0' || stat(path, &status) != 0)
        return (struct file_version){0};
    return (struct file_version){true, status.st_dev, status.st_ino, status.st_size, status.st_mtim};
}

bool file_version_is_same(const struct file_version *left, const struct file_version *right)
{
    return left->exists == right->exists && left->device == right->device && left->inode == right->inode &&
           left->bytes == right->bytes && left->modified.tv_sec == right->modified.tv_sec &&
           left->modified.tv_nsec == right->modified.tv_nsec;
}
