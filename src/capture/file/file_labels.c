#include "capture/file/file_labels.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct labelled {
    const char *path;
    const char *base;
    const char *tail; // of the path, which tells it from others
    unsigned order;
};

void file_label_number(char name[FILE_LABEL_BYTES], unsigned number)
{
    char suffix[16];
    size_t length = (size_t)snprintf(suffix, sizeof suffix, " (%u)", number);
    assert(length < sizeof suffix);
    size_t kept = strnlen(name, FILE_LABEL_BYTES - 1 - length);
    memcpy(name + kept, suffix, length + 1);
}

// The last `parts` parts of the path.
static const char *tail_of(const char *path, unsigned parts)
{
    assert(parts > 0);
    const char *at = path + strlen(path);
    for (; at > path; at--)
        if (at[-1] == '/' && at[0] != '\0' && --parts == 0)
            break;
    return at;
}

static int by_base_and_order(const void *left, const void *right)
{
    const struct labelled *l = left, *r = right;
    int order = strcmp(l->base, r->base);
    return order != 0 ? order : (l->order > r->order) - (l->order < r->order);
}

static bool is_shared(const struct labelled *group, unsigned count, const struct labelled *file)
{
    unsigned parts = 1;
    for (const char *at = file->tail; *at != '\0'; at++)
        parts += *at == '/';
    for (unsigned i = 0; i < count; i++)
        if (strcmp(group[i].path, file->path) != 0 && strcmp(tail_of(group[i].path, parts), file->tail) == 0)
            return true;
    return false;
}

// A tail that is too long for a label is none: then numbers tell the files apart.
static void choose_tails(struct labelled *group, unsigned count)
{
    enum { TAIL_MAXIMUM = FILE_LABEL_BYTES - 8 };
    for (unsigned i = 0; i < count; i++) {
        struct labelled *file = &group[i];
        for (unsigned parts = 2; file->tail > file->path && is_shared(group, count, file); parts++)
            file->tail = tail_of(file->path, parts);
        if (strlen(file->tail) > TAIL_MAXIMUM)
            file->tail = file->base;
    }
}

static void label_group(struct labelled *group, unsigned count, struct file_label *labels)
{
    choose_tails(group, count);
    for (unsigned i = 0; i < count; i++) {
        struct file_label *label = &labels[group[i].order];
        unsigned number = 1;
        label->reading = 1;
        for (unsigned before = 0; before < i; before++) {
            number += strcmp(group[before].tail, group[i].tail) == 0;
            label->reading += strcmp(group[before].path, group[i].path) == 0;
        }
        snprintf(label->name, sizeof label->name, "%s",
                 strcmp(group[i].path, "-") == 0 ? "stdin" : group[i].tail);
        if (number > 1)
            file_label_number(label->name, number);
    }
}

static void label_all(struct labelled *files, unsigned count, struct file_label *labels)
{
    qsort(files, count, sizeof *files, by_base_and_order);
    for (unsigned begin = 0, end; begin < count; begin = end) {
        for (end = begin + 1; end < count && strcmp(files[end].base, files[begin].base) == 0;)
            end++;
        assert(end <= count);
        label_group(files + begin, end - begin, labels);
    }
}

struct file_label *file_labels_make(const struct string_list *paths)
{
    struct file_label *labels = calloc(paths->count + 1, sizeof *labels);
    struct labelled *files = calloc(paths->count + 1, sizeof *files);
    for (unsigned i = 0; files != NULL && i < paths->count; i++) {
        const char *path = paths->items[i], *base = tail_of(path, 1);
        files[i] = (struct labelled){.path = path, .base = base, .tail = base, .order = i};
    }
    if (labels != NULL && files != NULL) {
        label_all(files, paths->count, labels);
    } else {
        free(labels);
        labels = NULL;
    }
    free(files);
    return labels;
}
