#include "export/flow_spool.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/output_descriptor.h"
#include "base/output_file.h"

enum { FIRST_ROOM = 4096, FIRST_RUNS = 16, ALIGNMENT = _Alignof(struct spooled_line) };

static bool is_regular(const char *path)
{
    struct stat status;
    return strcmp(path, "-") != 0 && stat(path, &status) == 0 && S_ISREG(status.st_mode);
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

static int open_beside(const char *output_path)
{
    const char *slash = strrchr(output_path, '/');
    char *directory = slash != NULL ? strndup(output_path, (size_t)(slash - output_path) + 1) : strdup(".");
    int fd = directory != NULL ? open_spool(directory) : -1;
    free(directory);
    return fd;
}

static const char *temporary_directory(void)
{
    const char *temporary = getenv("TMPDIR");
    return temporary != NULL && temporary[0] != '\0' ? temporary : "/tmp";
}

bool flow_spool_init(struct flow_spool *spool, const char *output_path, size_t run_bytes,
                     uint64_t min_free_bytes, struct error *error)
{
    *spool = (struct flow_spool){
        .output_path = output_path,
        .run_bytes = run_bytes,
        .min_free_bytes = min_free_bytes,
        .fd = -1,
        .room = FIRST_ROOM,
    };
    assert(run_bytes >= SPOOL_BUFFER_BYTES / 2 && run_bytes <= UINT32_MAX);
    spool->lines = malloc(run_bytes);
    spool->offsets = calloc(FIRST_ROOM, sizeof spool->offsets[0]);
    return (spool->lines != NULL && spool->offsets != NULL) ||
           error_set(error, ERROR_EXHAUSTED, "no memory for the flows of %s: %zu MB are needed", output_path,
                     run_bytes >> 20);
}

void flow_spool_done(struct flow_spool *spool)
{
    spool_merge_done(&spool->merge);
    if (spool->fd >= 0)
        close(spool->fd);
    free(spool->lines);
    free(spool->offsets);
    free(spool->buffer);
    free(spool->runs);
}

static void lose(struct flow_spool *spool, uint64_t flows, const char *reason)
{
    if (spool->lost == 0)
        snprintf(spool->reason, sizeof spool->reason, "%s", reason);
    spool->lost += flows;
}

// Sorting.

static const struct spooled_line *line_at(const uint8_t *lines, uint32_t offset)
{
    return (const struct spooled_line *)(const void *)(lines + offset);
}

static int compare_offsets(const void *left_offset, const void *right_offset, void *lines)
{
    uint32_t left = *(const uint32_t *)left_offset, right = *(const uint32_t *)right_offset;
    int order = memcmp(line_at(lines, left)->key, line_at(lines, right)->key, FLOW_SORT_KEY_BYTES);
    return order != 0 ? order : (left > right) - (left < right);
}

static void sort_lines(struct flow_spool *spool)
{
    qsort_r(spool->offsets, spool->count, sizeof spool->offsets[0], compare_offsets, spool->lines);
}

// Spilling.

// What is there for it: the file, the buffer, and room for the run. False with errno.
static bool prepare_spill(struct flow_spool *spool)
{
    if (spool->fd < 0 && is_regular(spool->output_path))
        spool->fd = open_beside(spool->output_path);
    if (spool->fd < 0)
        spool->fd = open_spool(temporary_directory());
    if (spool->buffer == NULL)
        spool->buffer = malloc(SPOOL_BUFFER_BYTES);
    if (spool->run_count == spool->run_room) {
        size_t room = spool->run_room > 0 ? spool->run_room * 2 : FIRST_RUNS;
        struct spool_run *runs = reallocarray(spool->runs, room, sizeof runs[0]);
        if (runs == NULL)
            return false;
        spool->runs = runs;
        spool->run_room = room;
    }
    return spool->fd >= 0 && spool->buffer != NULL;
}

static bool has_space(const struct flow_spool *spool)
{
    struct statvfs disk;
    return spool->min_free_bytes == 0 || fstatvfs(spool->fd, &disk) != 0 ||
           disk.f_bavail * disk.f_frsize >= spool->min_free_bytes;
}

static void gather(struct flow_spool *spool, size_t first, size_t end)
{
    size_t filled = 0;
    for (size_t i = first; i < end; i++) {
        const struct spooled_line *line = line_at(spool->lines, spool->offsets[i]);
        assert(line->bytes >= sizeof *line && filled + line->bytes <= SPOOL_BUFFER_BYTES);
        memcpy(spool->buffer + filled, line, line->bytes);
        filled += line->bytes;
    }
}

// The bytes of the lines from place `first` on that lie whole within `most` bytes; counts them on.
static size_t whole_lines(const struct flow_spool *spool, size_t *first, size_t most)
{
    size_t bytes = 0;
    for (; *first < spool->count; ++*first) {
        size_t next = line_at(spool->lines, spool->offsets[*first])->bytes;
        if (bytes + next > most)
            break;
        bytes += next;
    }
    return bytes;
}

// In their order; returns how many are in the file, and errno says why it is not all.
static size_t write_lines(struct flow_spool *spool)
{
    struct output_descriptor out = {.fd = spool->fd, .regular = true};
    size_t safe = 0, filled = 0, done = 0;
    while (safe < spool->count && done == filled) {
        size_t end = safe;
        filled = whole_lines(spool, &end, SPOOL_BUFFER_BYTES);
        gather(spool, safe, end);
        done = output_descriptor_write(&out, spool->buffer, filled);
        spool->size += whole_lines(spool, &safe, done);
        assert(safe <= end); // what was cut is no line
    }
    int reason = errno;
    if (done < filled)
        lseek(spool->fd, (off_t)spool->size, SEEK_SET); // over what was cut
    errno = reason;
    return safe;
}

// What is in memory becomes a run of the file. What the disk does not take is lost.
static void spill(struct flow_spool *spool)
{
    uint64_t begin = spool->size;
    bool ready = prepare_spill(spool), space = ready && has_space(spool);
    if (space)
        sort_lines(spool);
    size_t safe = space ? write_lines(spool) : 0;
    const char *reason = ready && !space ? output_short_of_space : strerror(errno);
    if (safe < spool->count)
        lose(spool, spool->count - safe, reason);
    assert(safe == 0 || (spool->run_count < spool->run_room && spool->size > begin));
    if (safe > 0)
        spool->runs[spool->run_count++] =
            (struct spool_run){.next = begin, .end = spool->size, .lines = safe};
    spool->count = spool->used = 0;
}

// Adding.

static bool make_room(struct flow_spool *spool)
{
    if (spool->count < spool->room)
        return true;
    uint32_t *offsets = reallocarray(spool->offsets, spool->room * 2, sizeof offsets[0]);
    if (offsets == NULL)
        return false;
    spool->offsets = offsets;
    spool->room *= 2;
    return true;
}

static size_t spooled_bytes(size_t length)
{
    return (sizeof(struct spooled_line) + length + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

void flow_spool_add(struct flow_spool *spool, const struct flow_record *record, const char *line,
                    size_t length)
{
    size_t bytes = spooled_bytes(length);
    assert(bytes <= SPOOL_BUFFER_BYTES / 2);
    if (spool->used + bytes > spool->run_bytes || !make_room(spool))
        spill(spool);
    assert(spool->count < spool->room && spool->used + bytes <= spool->run_bytes);
    struct spooled_line *into = (struct spooled_line *)(void *)(spool->lines + spool->used);
    into->bytes = (uint32_t)bytes;
    into->length = (uint32_t)length;
    flow_record_sort_key(record, into->key);
    memcpy(into->line, line, length);
    memset(into->line + length, 0, bytes - sizeof *into - length);
    spool->offsets[spool->count++] = (uint32_t)spool->used;
    spool->used += bytes;
    if (bytes > spool->longest)
        spool->longest = bytes;
}

// Reading.

// The memory of the run that was filled is shared by those that are read; long lines may ask for more.
static bool begin_merge(struct flow_spool *spool)
{
    assert(spool->run_count > 0);
    size_t share = spool->run_bytes / spool->run_count / ALIGNMENT * ALIGNMENT;
    if (share < spool->longest) {
        share = spool->longest;
        free(spool->lines);
        spool->lines = calloc(spool->run_count, share);
    }
    return spool->lines != NULL &&
           spool_merge_init(&spool->merge, spool->fd, spool->runs, spool->run_count, spool->lines, share);
}

void flow_spool_sort(struct flow_spool *spool)
{
    if (spool->run_count == 0) {
        sort_lines(spool);
        return;
    }
    if (spool->count > 0)
        spill(spool);
    if (begin_merge(spool))
        return;
    for (size_t i = 0; i < spool->run_count; i++)
        lose(spool, spool->runs[i].lines, strerror(ENOMEM));
    spool->run_count = 0;
}

static const struct spooled_line *next_line(struct flow_spool *spool)
{
    if (spool->run_count == 0)
        return spool->next < spool->count ? line_at(spool->lines, spool->offsets[spool->next++]) : NULL;
    const struct spooled_line *line = spool_merge_next(&spool->merge);
    if (line == NULL && spool->merge.lost > 0) {
        lose(spool, spool->merge.lost, strerror(spool->merge.failure));
        spool->merge.lost = 0;
    }
    return line;
}

const char *flow_spool_next(struct flow_spool *spool, size_t *length)
{
    const struct spooled_line *line = next_line(spool);
    if (line == NULL)
        return NULL;
    *length = line->length;
    return line->line;
}
