#include "aggregate/name_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/capabilities.h"

enum { NAME_FILE_ROWS = 1 << 20, NAME_FILE_COLUMNS = 4, ADDRESS_BITS = 128 };

struct name_file {
    struct name_row *rows; // by version, bits (longest first), address
    size_t count, room;
    // Where the rows of each prefix length begin: [0] IPv4, [1] IPv6.
    size_t first[2][ADDRESS_BITS + 1], end[2][ADDRESS_BITS + 1];
};

static int compare_rows(const void *left_item, const void *right_item)
{
    const struct prefix *left = &((const struct name_row *)left_item)->prefix;
    const struct prefix *right = &((const struct name_row *)right_item)->prefix;
    if (left->address.version != right->address.version)
        return left->address.version < right->address.version ? -1 : 1;
    if (left->bits != right->bits)
        return left->bits > right->bits ? -1 : 1;
    return address_compare(&left->address, &right->address);
}

static char *trim(char *text)
{
    text += strspn(text, " \t\"");
    size_t length = strlen(text);
    while (length > 0 && strchr(" \t\"\r\n", text[length - 1]) != NULL)
        text[--length] = '\0';
    return text;
}

static bool add_row(struct name_file *file, const struct prefix *prefix, char *columns[NAME_FILE_COLUMNS])
{
    if (file->count == file->room) {
        size_t room = file->room != 0 ? file->room * 2 : 64;
        struct name_row *rows = realloc(file->rows, room * sizeof *rows);
        if (rows == NULL)
            return false;
        file->rows = rows;
        file->room = room;
    }
    struct name_row *row = &file->rows[file->count];
    *row = (struct name_row){
        .prefix = *prefix,
        .name = strdup(columns[1]),
        .name_space = strdup(columns[2]),
        .kind = strdup(columns[3]),
    };
    file->count++;
    return row->name != NULL && row->name_space != NULL && row->kind != NULL;
}

static bool read_line(struct name_file *file, char *line, const char *path, unsigned number,
                      struct error *error)
{
    char empty[] = "";
    char *columns[NAME_FILE_COLUMNS] = {empty, empty, empty, empty};
    char *rest = line;
    for (unsigned i = 0; i < NAME_FILE_COLUMNS && rest != NULL; i++)
        columns[i] = trim(strsep(&rest, ","));
    if (columns[0][0] == '\0' || columns[0][0] == '#' || (number == 1 && strcasecmp(columns[0], "cidr") == 0))
        return true;
    struct prefix prefix;
    if (!prefix_parse(columns[0], &prefix))
        return error_set(error, ERROR_INVALID_ARGUMENT,
                         "%s:%u: '%s' is no address or CIDR (as 10.0.0.0/8 or 2001:db8::1, host bits zero)",
                         path, number, columns[0]);
    if (columns[1][0] == '\0')
        return error_set(error, ERROR_INVALID_ARGUMENT,
                         "%s:%u: the name is missing: write CIDR,name,namespace,kind", path, number);
    if (file->count == NAME_FILE_ROWS)
        return error_set(error, ERROR_INVALID_ARGUMENT, "%s:%u: more than %d names", path, number,
                         NAME_FILE_ROWS);
    return add_row(file, &prefix, columns) ||
           error_set(error, ERROR_EXHAUSTED, "%s: no memory for its names", path);
}

static void index_rows(struct name_file *file)
{
    if (file->count > 1)
        qsort(file->rows, file->count, sizeof *file->rows, compare_rows);
    for (size_t i = 0; i < file->count; i++) {
        const struct prefix *prefix = &file->rows[i].prefix;
        int family = prefix->address.version == 6;
        if (file->end[family][prefix->bits] == 0)
            file->first[family][prefix->bits] = i;
        file->end[family][prefix->bits] = i + 1;
    }
}

struct name_file *name_file_load(const char *path, struct error *error)
{
    FILE *stream = fopen(path, "re");
    if (stream == NULL) {
        error_set(error, ERROR_INVALID_ARGUMENT, "cannot read names.file %s: %s%s", path, strerror(errno),
                  capabilities_denial(errno));
        return NULL;
    }
    struct name_file *file = calloc(1, sizeof *file);
    bool good = file != NULL || error_set(error, ERROR_EXHAUSTED, "%s: no memory for its names", path);
    char *line = NULL;
    size_t room = 0;
    for (unsigned number = 1; good && getline(&line, &room, stream) >= 0; number++)
        good = read_line(file, line, path, number, error);
    if (good && ferror(stream))
        good =
            error_set(error, ERROR_INVALID_ARGUMENT, "cannot read names.file %s: %s", path, strerror(errno));
    free(line);
    fclose(stream);
    if (!good) {
        name_file_destroy(file);
        return NULL;
    }
    index_rows(file);
    return file;
}

void name_file_destroy(struct name_file *file)
{
    if (file == NULL)
        return;
    for (size_t i = 0; i < file->count; i++) {
        free(file->rows[i].name);
        free(file->rows[i].name_space);
        free(file->rows[i].kind);
    }
    free(file->rows);
    free(file);
}

static void mask(struct address *address, unsigned bits)
{
    for (unsigned i = 0; i < sizeof address->bytes; i++) {
        unsigned kept = bits >= 8 * (i + 1) ? 8 : bits > 8 * i ? bits - 8 * i : 0;
        address->bytes[i] = (uint8_t)(address->bytes[i] & ~(0xffu >> kept));
    }
}

// The most specific row of at most so many bits.
static const struct name_row *find(const struct name_file *file, const struct address *address, int bits)
{
    int family = address->version == 6;
    for (; bits >= 0; bits--) {
        if (file->end[family][bits] == 0)
            continue;
        struct name_row wanted = {.prefix = {.address = *address, .bits = (uint8_t)bits}};
        mask(&wanted.prefix.address, (unsigned)bits);
        size_t first = file->first[family][bits];
        const struct name_row *row = bsearch(&wanted, file->rows + first, file->end[family][bits] - first,
                                             sizeof *file->rows, compare_rows);
        if (row != NULL)
            return row;
    }
    return NULL;
}

const struct name_row *name_file_get(const struct name_file *file, const struct address *address)
{
    return find(file, address, address->version == 6 ? ADDRESS_BITS : 32);
}

const struct name_row *name_file_outer(const struct name_file *file, const struct name_row *row)
{
    return find(file, &row->prefix.address, row->prefix.bits - 1);
}

bool name_file_heeds(const struct name_file *file, const struct name_row *row)
{
    return find(file, &row->prefix.address, row->prefix.bits) == row;
}

const struct name_row *name_file_rows(const struct name_file *file, size_t *count)
{
    *count = file->count;
    return file->rows;
}
