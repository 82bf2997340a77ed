#include "app/written_files.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/stat.h>

bool written_files_reserve(struct file_outputs *files, struct error *error)
{
    if (files->written_count + FILE_OUTPUTS <= files->written_room)
        return true;
    unsigned room = 2 * files->written_room + FILE_OUTPUTS;
    struct written_file *more = realloc(files->written, room * sizeof *more);
    if (more == NULL)
        return error_set(error, ERROR_EXHAUSTED, "no memory to remember the files that were written");
    files->written = more;
    files->written_room = room;
    return true;
}

const struct written_file *written_files_have(const struct file_outputs *files, const char *path)
{
    struct stat status;
    if (files->written_count == 0 || stat(path, &status) != 0 || !S_ISREG(status.st_mode))
        return NULL;
    for (unsigned i = files->written_count; i-- > 0;)
        if (files->written[i].device == status.st_dev && files->written[i].inode == status.st_ino)
            return &files->written[i];
    return NULL;
}

void written_files_add(struct file_outputs *files, unsigned row, const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0 || !S_ISREG(status.st_mode) || files->written_count == files->written_room ||
        written_files_have(files, path) != NULL)
        return;
    assert(files->written_count < files->written_room);
    files->written[files->written_count++] = (struct written_file){row, status.st_dev, status.st_ino};
}
