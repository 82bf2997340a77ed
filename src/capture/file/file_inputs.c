#include "capture/file/file_inputs.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/denial.h"
#include "base/log.h"
#include "capture/file/file_kind.h"
#include "capture/file/stream.h"

static bool list_add(struct string_list *list, const char *item, struct error *error)
{
    char **grown = realloc(list->items, (list->count + 1) * sizeof *grown);
    if (grown != NULL)
        list->items = grown;
    char *copy = grown != NULL ? strdup(item) : NULL;
    if (copy == NULL)
        return error_set(error, ERROR_EXHAUSTED, "the list of input files finds no memory");
    list->items[list->count++] = copy;
    return true;
}

void file_inputs_done(struct string_list *inputs)
{
    for (unsigned i = 0; i < inputs->count; i++)
        free(inputs->items[i]);
    free(inputs->items);
    *inputs = (struct string_list){0};
}

static bool is_kind(const char *path, mode_t kind)
{
    struct stat status;
    return stat(path, &status) == 0 && (status.st_mode & S_IFMT) == kind;
}

enum entry_kind { ENTRY_OTHER, ENTRY_CAPTURE, ENTRY_UNREADABLE };

// What cannot be looked into may be a capture.
static enum entry_kind kind_of_content(const char *path)
{
    struct error error;
    struct stream *stream = stream_open(path, &error);
    if (stream == NULL)
        return ENTRY_UNREADABLE;
    uint8_t first[FILE_KIND_BYTES];
    size_t length = 0;
    size_t held = 0;
    enum stream_result result = STREAM_BYTES;
    while (held < sizeof first && result == STREAM_BYTES) {
        result = stream_read(stream, first + held, sizeof first - held, &length, 0);
        held += length;
    }
    assert(held <= sizeof first);
    stream_close(stream);
    if (result == STREAM_FAILED || result == STREAM_TRUNCATED)
        return ENTRY_UNREADABLE;
    return file_kind_is_capture(first, held) ? ENTRY_CAPTURE : ENTRY_OTHER;
}

static enum entry_kind kind_of_entry(const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0) // a link to nowhere, or a file that was removed just now
        return lstat(path, &status) == 0 ? ENTRY_UNREADABLE : ENTRY_OTHER;
    return S_ISREG(status.st_mode) ? kind_of_content(path) : ENTRY_OTHER;
}

// An unreadable one is told of when its turn comes, as one that was named.
static bool add_entry(const char *directory, const char *name, struct string_list *out, unsigned *skipped,
                      struct error *error)
{
    char path[4096];
    int length = snprintf(path, sizeof path, "%s/%s", directory, name);
    if (length < 0 || (size_t)length >= sizeof path)
        return true;
    if (kind_of_entry(path) != ENTRY_OTHER)
        return list_add(out, path, error);
    *skipped += is_kind(path, S_IFREG);
    return true;
}

static bool add_directory(const char *directory, struct string_list *out, struct error *error)
{
    struct dirent **entries = NULL;
    int count = scandir(directory, &entries, NULL, alphasort);
    if (count < 0)
        return error_set(error, ERROR_UNAVAILABLE, "the directory %s cannot be read: %s%s", directory,
                         strerror(errno), denial_reading(errno));
    unsigned before = out->count;
    unsigned skipped = 0;
    bool added = true;
    for (int i = 0; i < count; i++) {
        added = added && add_entry(directory, entries[i]->d_name, out, &skipped, error);
        free(entries[i]);
    }
    free(entries);
    if (added && out->count == before)
        return error_set(error, ERROR_UNAVAILABLE,
                         "the directory %s holds no pcap or pcapng file (%u other files)", directory,
                         skipped);
    if (skipped > 0)
        log_info("capture", "%u files in %s are no captures and were passed over", skipped, directory);
    return added;
}

bool file_inputs_expand(const struct string_list *named, struct string_list *out, struct error *error)
{
    *out = (struct string_list){0};
    unsigned stdin_named = 0;
    for (unsigned i = 0; i < named->count; i++) {
        const char *path = named->items[i];
        stdin_named += strcmp(path, "-") == 0;
        bool added = is_kind(path, S_IFDIR) ? add_directory(path, out, error) : list_add(out, path, error);
        if (added && stdin_named <= 1)
            continue;
        if (added)
            error_set(error, ERROR_INVALID_ARGUMENT, "standard input (-) can be read only once");
        file_inputs_done(out);
        return false;
    }
    return true;
}
