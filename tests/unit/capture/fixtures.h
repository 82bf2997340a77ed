// Files and sources that several tests of this folder need.
#pragma once

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "capture/chunk.h"
#include "capture/file/file_source.h"

// A temporary directory, removed by directory_done().
struct directory {
    char path[64];
};

static inline struct directory directory_make(void)
{
    struct directory directory = {.path = "/tmp/netscope-capture-XXXXXX"};
    cr_assert_not_null(mkdtemp(directory.path));
    return directory;
}

static inline void directory_done(const struct directory *directory)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf -- '%s'", directory->path);
    cr_assert_eq(system(command), 0);
}

// "directory/name"; valid until the eighth call after.
static inline char *path_in(const struct directory *directory, const char *name)
{
    static char paths[8][256];
    static unsigned turn;
    char *path = paths[turn++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", directory->path, name);
    return path;
}

static inline void write_file(const char *path, const void *bytes, size_t length)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    cr_assert(fd >= 0);
    cr_assert_eq(write(fd, bytes, length), (ssize_t)length);
    close(fd);
}

// Bytes of a file in the making.
struct bytes {
    uint8_t at[1 << 20];
    size_t length;
};

static inline void put(struct bytes *bytes, const void *from, size_t length)
{
    if (length > 0)
        memcpy(bytes->at + bytes->length, from, length);
    bytes->length += length;
}

static inline void put32(struct bytes *bytes, bool big_endian, uint32_t value)
{
    uint32_t swapped = big_endian ? __builtin_bswap32(value) : value;
    put(bytes, &swapped, sizeof swapped);
}

static inline void put16(struct bytes *bytes, bool big_endian, uint16_t value)
{
    uint16_t swapped = big_endian ? __builtin_bswap16(value) : value;
    put(bytes, &swapped, sizeof swapped);
}

static inline void put_pcap_header(struct bytes *bytes, bool big_endian, uint32_t magic, uint32_t link_type)
{
    put32(bytes, big_endian, magic);
    put16(bytes, big_endian, 2);
    put16(bytes, big_endian, 4);
    put32(bytes, big_endian, 0);
    put32(bytes, big_endian, 0);
    put32(bytes, big_endian, 65535);
    put32(bytes, big_endian, link_type);
}

// A record whose bytes all equal `fill`.
static inline void put_pcap_record(struct bytes *bytes, bool big_endian, uint32_t seconds, uint32_t fraction,
                                   uint32_t captured, uint8_t fill)
{
    put32(bytes, big_endian, seconds);
    put32(bytes, big_endian, fraction);
    put32(bytes, big_endian, captured);
    put32(bytes, big_endian, captured);
    memset(bytes->at + bytes->length, fill, captured);
    bytes->length += captured;
}

// What came out of a source: the sum over its frames, and the first ones.
struct taken {
    uint64_t frames, bytes;
    int64_t time_ns[4096];
    uint32_t captured[4096], length[4096];
    uint8_t first_byte[4096];
    uint16_t link_type[4096], interface[4096];
    unsigned steps_back; // stamps lower than the one before
    enum error_kind verdict;
    struct error error;
};

static inline void take_frame_of(struct taken *taken, const struct frame *frame, int64_t *last_ns)
{
    if (taken->frames < 4096) {
        taken->time_ns[taken->frames] = frame->time_ns;
        taken->captured[taken->frames] = frame->captured;
        taken->length[taken->frames] = frame->length;
        taken->first_byte[taken->frames] = frame->captured > 0 ? frame->bytes[0] : 0;
        taken->link_type[taken->frames] = frame->link_type;
        taken->interface[taken->frames] = frame->interface;
    }
    taken->steps_back += frame->time_ns < *last_ns;
    *last_ns = frame->time_ns;
    taken->frames++;
    taken->bytes += frame->length;
}

static inline void take_all(struct source *source, struct taken *taken)
{
    struct frame frames[64];
    unsigned count;
    int64_t last_ns = INT64_MIN;
    enum source_result result;
    memset(taken, 0, sizeof *taken);
    while ((result = source_poll(source, 1000, frames, 64, &count)) != SOURCE_END)
        for (unsigned i = 0; result == SOURCE_FRAMES && i < count; i++)
            take_frame_of(taken, &frames[i], &last_ns);
    taken->verdict = source_verdict(source, &taken->error);
}

// Reads the paths to their end; false when the source could not be made, with the error in `taken`.
static inline bool read_paths(char **paths, unsigned count, const char *filter, struct taken *taken)
{
    struct chunk_pool *pool = chunk_pool_create(16, CHUNK_BYTES);
    struct string_list list = {.items = paths, .count = count};
    struct source *source = file_source_create(&list, filter, pool, &taken->error);
    if (source != NULL)
        take_all(source, taken);
    else
        taken->verdict = taken->error.kind;
    source_destroy(source);
    cr_assert_eq(chunk_pool_out(pool), 0, "every chunk comes back");
    chunk_pool_destroy(pool);
    return source != NULL;
}

static inline bool read_path(char *path, const char *filter, struct taken *taken)
{
    return read_paths(&path, 1, filter, taken);
}
