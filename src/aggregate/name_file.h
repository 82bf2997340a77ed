// names.file: a CSV of `CIDR or address, name, namespace, kind` that says what addresses are called; the
// longest prefix wins. Lines that start with # and a header line ("cidr,...") are skipped. Loaded as a
// whole; one thread.
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "net/address.h"

struct name_file;

struct name_row {
    struct prefix prefix;
    char *name, *name_space, *kind; // "" = none
};

// NULL with file, line and what is wrong.
struct name_file *name_file_load(const char *path, struct error *error);
void name_file_destroy(struct name_file *file);

// The most specific row; NULL when none holds the address. Borrowed.
const struct name_row *name_file_get(const struct name_file *file, const struct address *address);
// The row that decides of the network right around the row's own; NULL when there is none. Costs as much as a look.
const struct name_row *name_file_outer(const struct name_file *file, const struct name_row *row);
// Whether a row means something: of those of the same network only the one that name_file_get() finds does.
bool name_file_heeds(const struct name_file *file, const struct name_row *row);
// All rows.
const struct name_row *name_file_rows(const struct name_file *file, size_t *count);
