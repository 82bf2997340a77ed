#include "base/file_series.h"

#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DIGITS = 6 };

const char file_series_partial[] = ".gz.partial";

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

bool file_series_init(struct file_series *series, const char *path)
{
    assert(path[0] != '\0');
    const char *name = base_name(path);
    const char *dot = strrchr(name, '.');
    size_t stem_length = dot != NULL && dot != name ? (size_t)(dot - path) : strlen(path);
    series->stem = strndup(path, stem_length);
    series->extension = strdup(path + stem_length);
    return series->stem != NULL && series->extension != NULL;
}

void file_series_done(struct file_series *series)
{
    free(series->stem);
    free(series->extension);
}

char *file_series_path(const struct file_series *series, uint64_t number, const char *suffix)
{
    assert(number > 0);
    char *path = NULL;
    int length =
        asprintf(&path, "%s.%0*" PRIu64 "%s%s", series->stem, DIGITS, number, series->extension, suffix);
    return length >= 0 ? path : NULL;
}

// What stands behind "flows." as a number; NULL when it is none of ours.
static const char *parse_number(const char *text, uint64_t *number)
{
    size_t digits = strspn(text, "0123456789");
    if (digits != DIGITS && !(digits == DIGITS + 1 && text[0] == '1'))
        return NULL;
    *number = strtoull(text, NULL, 10);
    assert(*number < UINT64_C(1000000000000000000)); // MOST_DIGITS
    return text + digits;
}

enum member { MEMBER_NONE, MEMBER_FILE, MEMBER_PARTIAL };

// Whether a name of the directory belongs to the series.
static enum member member_of(const struct file_series *series, const char *name, uint64_t *number)
{
    const char *stem = base_name(series->stem);
    size_t stem_length = strlen(stem), extension_length = strlen(series->extension);
    if (strncmp(name, stem, stem_length) != 0 || name[stem_length] != '.')
        return MEMBER_NONE;
    const char *rest = parse_number(name + stem_length + 1, number);
    if (rest == NULL || strncmp(rest, series->extension, extension_length) != 0)
        return MEMBER_NONE;
    rest += extension_length;
    if (strcmp(rest, file_series_partial) == 0)
        return MEMBER_PARTIAL;
    return *rest == '\0' || strcmp(rest, ".gz") == 0 ? MEMBER_FILE : MEMBER_NONE;
}

static DIR *open_directory(const struct file_series *series)
{
    size_t length = (size_t)(base_name(series->stem) - series->stem);
    char *directory = length > 0 ? strndup(series->stem, length) : strdup(".");
    DIR *opened = directory != NULL ? opendir(directory) : NULL;
    free(directory);
    return opened;
}

uint64_t file_series_last(const struct file_series *series)
{
    DIR *directory = open_directory(series);
    if (directory == NULL)
        return 0;
    uint64_t last = 0, number;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        enum member member = member_of(series, entry->d_name, &number);
        if (member == MEMBER_PARTIAL)
            unlinkat(dirfd(directory), entry->d_name, 0);
        else if (member == MEMBER_FILE && number > last)
            last = number;
    }
    closedir(directory);
    return last;
}

void file_series_delete(const struct file_series *series, uint64_t number)
{
    static const char *const suffixes[] = {"", ".gz"};
    for (unsigned i = 0; i < 2; i++) {
        char *path = file_series_path(series, number, suffixes[i]);
        if (path != NULL)
            unlink(path);
        free(path);
    }
}

void file_series_delete_up_to(const struct file_series *series, uint64_t up_to)
{
    DIR *directory = open_directory(series);
    if (directory == NULL)
        return;
    uint64_t number;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;)
        if (member_of(series, entry->d_name, &number) == MEMBER_FILE && number <= up_to)
            unlinkat(dirfd(directory), entry->d_name, 0);
    closedir(directory);
}
