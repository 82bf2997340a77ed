#include "export/flow_spool.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/output_file.h"

enum { FIRST_ROOM = 4096 };

struct spooled_line {
    uint32_t length;
    uint8_t key[FLOW_SORT_KEY_BYTES];
    char line[];
};
_Static_assert(sizeof(struct spooled_line) == sizeof(uint32_t) + FLOW_SORT_KEY_BYTES, "no padding");

// The directory to put the spool in; NULL without memory. The caller frees it.
static char *spool_directory(const char *output_path)
{
    struct stat status;
    bool special =
        strcmp(output_path, "-") == 0 || (stat(output_path, &status) == 0 && !S_ISREG(status.st_mode));
    if (special) {
        const char *temporary = getenv("TMPDIR");
        return strdup(temporary != NULL && temporary[0] != '\0' ? temporary : "/tmp");
    }
    const char *slash = strrchr(output_path, '/');
    return slash != NULL ? strndup(output_path, (size_t)(slash - output_path) + 1) : strdup(".");
}

// For file systems without O_TMPFILE.
static int open_unlinked(const char *directory)
{
    char *name = NULL;
    if (asprintf(&name, "%s/.netscope-spool-XXXXXX", directory) < 0)
        return -1;
    int fd = mkostemp(name, O_CLOEXEC);
    if (fd >= 0)
        unlink(name);
    free(name);
    return fd;
}

static int open_spool(const char *directory)
{
    int fd = open(directory, O_TMPFILE | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
    return fd >= 0 ? fd : open_unlinked(directory);
}

bool flow_spool_init(struct flow_spool *spool, const char *output_path, uint64_t min_free_bytes,
                     struct error *error)
{
    *spool = (struct flow_spool){.fd = -1, .min_free_bytes = min_free_bytes};
    char *directory = spool_directory(output_path);
    spool->buffer = malloc(SPOOL_BUFFER_BYTES);
    spool->fd = directory != NULL && spool->buffer != NULL ? open_spool(directory) : -1;
    bool open = spool->fd >= 0;
    if (!open)
        error_set(error, ERROR_UNAVAILABLE, "cannot write a temporary file for %s in %s: %s", output_path,
                  directory != NULL ? directory : "memory", strerror(errno));
    free(directory);
    return open;
}

void flow_spool_done(struct flow_spool *spool)
{
    if (spool->mapped != NULL)
        munmap((void *)(uintptr_t)spool->mapped, spool->size);
    if (spool->fd >= 0)
        close(spool->fd);
    free(spool->buffer);
    free(spool->offsets);
}

static bool has_space(const struct flow_spool *spool)
{
    struct statvfs disk;
    return spool->min_free_bytes == 0 || fstatvfs(spool->fd, &disk) != 0 ||
           disk.f_bavail * disk.f_frsize >= spool->min_free_bytes;
}

// Returns the bytes that the disk took; all of them, or errno says why not.
static size_t write_buffer(const struct flow_spool *spool)
{
    size_t done = 0;
    while (done < spool->used) {
        ssize_t written =
            pwrite(spool->fd, spool->buffer + done, spool->used - done, (off_t)(spool->size + done));
        if (written < 0 && errno != EINTR)
            break;
        done += written > 0 ? (size_t)written : 0;
    }
    return done;
}

static void lose(struct flow_spool *spool, uint64_t flows, const char *reason)
{
    if (spool->reason == NULL)
        spool->reason = reason;
    spool->lost += flows;
}

// The lines of the buffer that lie within the first `done` bytes of it are kept.
static void keep_whole_lines(struct flow_spool *spool, size_t done)
{
    size_t end = spool->safe;
    uint64_t size = spool->size;
    for (; end < spool->count; end++) {
        uint64_t next = end + 1 < spool->count ? spool->offsets[end + 1] : spool->size + spool->used;
        if (next > spool->size + done)
            break;
        size = next;
    }
    spool->size = size;
    spool->safe = end;
}

// What the disk does not take is lost; the next buffer goes in its place.
static void flush(struct flow_spool *spool)
{
    bool space = has_space(spool);
    size_t done = space ? write_buffer(spool) : 0;
    const char *reason = space ? strerror(errno) : output_short_of_space;
    keep_whole_lines(spool, done);
    if (spool->safe < spool->count)
        lose(spool, spool->count - spool->safe, reason);
    spool->count = spool->safe;
    spool->used = 0;
}

static bool make_room(struct flow_spool *spool)
{
    if (spool->count < spool->room)
        return true;
    size_t room = spool->room > 0 ? spool->room * 2 : FIRST_ROOM;
    uint64_t *offsets = reallocarray(spool->offsets, room, sizeof offsets[0]);
    if (offsets == NULL)
        return false;
    spool->offsets = offsets;
    spool->room = room;
    return true;
}

static size_t spooled_bytes(size_t length)
{
    enum { ALIGNMENT = _Alignof(struct spooled_line) };
    return (sizeof(struct spooled_line) + length + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

void flow_spool_add(struct flow_spool *spool, const struct flow_record *record, const char *line,
                    size_t length)
{
    size_t bytes = spooled_bytes(length);
    assert(bytes <= SPOOL_BUFFER_BYTES);
    if (spool->used + bytes > SPOOL_BUFFER_BYTES)
        flush(spool);
    if (!make_room(spool)) {
        lose(spool, 1, strerror(ENOMEM));
        return;
    }
    struct spooled_line *into = (struct spooled_line *)(void *)(spool->buffer + spool->used);
    into->length = (uint32_t)length;
    flow_record_sort_key(record, into->key);
    memcpy(into->line, line, length);
    spool->offsets[spool->count++] = spool->size + spool->used;
    spool->used += bytes;
}

static int compare_offsets(const void *left_offset, const void *right_offset, void *mapped)
{
    uint64_t left = *(const uint64_t *)left_offset, right = *(const uint64_t *)right_offset;
    const struct spooled_line *left_line = (const void *)((const uint8_t *)mapped + left);
    const struct spooled_line *right_line = (const void *)((const uint8_t *)mapped + right);
    int order = memcmp(left_line->key, right_line->key, FLOW_SORT_KEY_BYTES);
    return order != 0 ? order : (left > right) - (left < right);
}

bool flow_spool_sort(struct flow_spool *spool)
{
    flush(spool);
    if (spool->count == 0)
        return true;
    void *mapped = mmap(NULL, spool->size, PROT_READ, MAP_SHARED, spool->fd, 0);
    if (mapped == MAP_FAILED) {
        lose(spool, spool->count, strerror(errno));
        spool->count = 0;
        return false;
    }
    spool->mapped = mapped;
    qsort_r(spool->offsets, spool->count, sizeof spool->offsets[0], compare_offsets, mapped);
    return true;
}

const char *flow_spool_line(const struct flow_spool *spool, size_t index, size_t *length)
{
    assert(index < spool->count);
    const struct spooled_line *spooled = (const void *)(spool->mapped + spool->offsets[index]);
    *length = spooled->length;
    return spooled->line;
}
