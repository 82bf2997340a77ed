// An output file of numbered lines, for its tests.
#pragma once

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "base/output_file.h"
#include "output_directory.h"

enum { LINE_BYTES = 23 };

static struct output_counts counts;
static struct error error;

static inline struct output_file *open_lines(const char *path, struct output_options options)
{
    options.component = "test";
    options.unit = "records";
    options.mode = 0644;
    options.head = options.head != NULL ? options.head : "";
    options.tail = options.tail != NULL ? options.tail : "";
    return output_file_open(path, &options, &counts, &error);
}

static inline void add_lines(struct output_file *file, unsigned first, unsigned count, int64_t now_ns)
{
    char line[64];
    for (unsigned i = first; i < first + count; i++) {
        int length = snprintf(line, sizeof line, "record %06u of a run\n", i);
        output_file_add(file, line, (size_t)length, now_ns);
    }
}
