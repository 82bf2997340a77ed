// A directory of its own for a test, and what lies in it.
#pragma once

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char output_directory[64];

static inline void make_output_directory(void)
{
    snprintf(output_directory, sizeof output_directory, "/tmp/netscope-export-XXXXXX");
    cr_assert(mkdtemp(output_directory) != NULL);
}

static inline const char *output_path(const char *name)
{
    static char paths[4][PATH_MAX];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, PATH_MAX, "%s/%s", output_directory, name);
    return path;
}

static inline void drop_output_directory(void)
{
    DIR *directory = opendir(output_directory);
    for (struct dirent *entry; directory != NULL && (entry = readdir(directory)) != NULL;)
        if (entry->d_name[0] != '.')
            unlinkat(dirfd(directory), entry->d_name, 0);
    if (directory != NULL)
        closedir(directory);
    rmdir(output_directory);
}

static inline unsigned files_in_directory(void)
{
    unsigned count = 0;
    DIR *directory = opendir(output_directory);
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(directory);
    return count;
}

// The whole file, terminated; the caller frees it. Empty when it is not there.
static inline char *file_text(const char *path)
{
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return calloc(1, 1);
    struct stat status;
    fstat(fileno(file), &status);
    char *text = calloc(1, (size_t)status.st_size + 1);
    size_t length = fread(text, 1, (size_t)status.st_size, file);
    text[length] = '\0';
    fclose(file);
    return text;
}

static inline unsigned lines_in(const char *text)
{
    unsigned lines = 0;
    for (; *text != '\0'; text++)
        lines += *text == '\n';
    return lines;
}
