#include "export/spool_merge.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct spooled_line *line_of(const struct spool_run *run)
{
    return (const struct spooled_line *)(const void *)(run->buffer + run->at);
}

static bool has_line(const struct spool_run *run)
{
    size_t left = run->filled - run->at;
    return left >= sizeof(struct spooled_line) && left >= line_of(run)->bytes;
}

// Returns what was read; 0 with errno when nothing could be.
static ssize_t read_some(const struct spool_merge *merge, struct spool_run *run)
{
    size_t room = merge->share - run->filled;
    size_t wanted = run->end - run->next < room ? (size_t)(run->end - run->next) : room;
    ssize_t got;
    assert(wanted > 0);
    do
        got = pread(merge->fd, run->buffer + run->filled, wanted, (off_t)run->next);
    while (got < 0 && errno == EINTR);
    if (got == 0)
        errno = EIO; // somebody has cut the file
    return got > 0 ? got : 0;
}

// Has the run's next line in memory; false at its end, or when it cannot be read.
static bool fill(struct spool_merge *merge, struct spool_run *run)
{
    if (run->lines == 0 || has_line(run))
        return run->lines > 0;
    assert(run->at <= run->filled && run->filled <= merge->share);
    memmove(run->buffer, run->buffer + run->at, run->filled - run->at);
    run->filled -= run->at;
    run->at = 0;
    while (!has_line(run)) {
        ssize_t got = read_some(merge, run);
        if (got == 0) {
            merge->failure = merge->failure != 0 ? merge->failure : errno;
            merge->lost += run->lines;
            run->lines = 0;
            return false;
        }
        run->filled += (size_t)got;
        run->next += (uint64_t)got;
    }
    return true;
}

// Whether the first line of run `a` comes before that of run `b`.
static bool comes_before(const struct spool_merge *merge, uint32_t a, uint32_t b)
{
    int order = memcmp(line_of(&merge->runs[a])->key, line_of(&merge->runs[b])->key, FLOW_SORT_KEY_BYTES);
    return order != 0 ? order < 0 : a < b;
}

static void sink_down(struct spool_merge *merge, size_t place)
{
    uint32_t *heap = merge->heap, moved = heap[place];
    for (;;) {
        size_t child = 2 * place + 1;
        if (child >= merge->heap_count)
            break;
        if (child + 1 < merge->heap_count && comes_before(merge, heap[child + 1], heap[child]))
            child++;
        if (comes_before(merge, moved, heap[child]))
            break;
        heap[place] = heap[child];
        place = child;
    }
    heap[place] = moved;
}

bool spool_merge_init(struct spool_merge *merge, int fd, struct spool_run *runs, size_t count,
                      uint8_t *memory, size_t share)
{
    *merge = (struct spool_merge){.fd = fd, .runs = runs, .share = share};
    assert(count > 0 && share % _Alignof(struct spooled_line) == 0);
    merge->heap = calloc(count, sizeof merge->heap[0]);
    if (merge->heap == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        runs[i].buffer = memory + i * share;
        if (fill(merge, &runs[i]))
            merge->heap[merge->heap_count++] = (uint32_t)i;
    }
    for (size_t place = merge->heap_count / 2; place > 0; place--)
        sink_down(merge, place - 1);
    return true;
}

void spool_merge_done(struct spool_merge *merge)
{
    free(merge->heap);
}

// The line at the top is done with.
static void pass_top(struct spool_merge *merge)
{
    struct spool_run *run = &merge->runs[merge->heap[0]];
    assert(merge->heap_count > 0 && run->lines > 0 && has_line(run));
    run->at += line_of(run)->bytes;
    run->lines--;
    if (!fill(merge, run))
        merge->heap[0] = merge->heap[--merge->heap_count];
    if (merge->heap_count > 0)
        sink_down(merge, 0);
}

const struct spooled_line *spool_merge_next(struct spool_merge *merge)
{
    if (merge->taken)
        pass_top(merge);
    merge->taken = merge->heap_count > 0;
    return merge->taken ? line_of(&merge->runs[merge->heap[0]]) : NULL;
}
