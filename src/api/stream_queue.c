#include "api/stream_queue.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void stream_queue_init(struct stream_queue *queue, size_t most_bytes)
{
    *queue = (struct stream_queue){.most_bytes = most_bytes};
}

void stream_queue_done(struct stream_queue *queue)
{
    for (struct stream_entry *entry; (entry = stream_queue_take(queue)) != NULL;)
        free(entry);
    assert(queue->bytes == 0 && queue->events == 0);
}

static size_t bytes_of(const struct stream_entry *entry)
{
    return sizeof *entry + entry->length;
}

static void append(struct stream_queue *queue, struct stream_entry *entry)
{
    entry->next = NULL;
    *(queue->tail != NULL ? &queue->tail->next : &queue->head) = entry;
    queue->tail = entry;
    queue->bytes += bytes_of(entry);
    queue->events += !entry->is_gap;
}

struct stream_entry *stream_queue_take(struct stream_queue *queue)
{
    struct stream_entry *entry = queue->head;
    if (entry == NULL)
        return NULL;
    queue->head = entry->next;
    if (queue->head == NULL)
        queue->tail = NULL;
    queue->bytes -= bytes_of(entry);
    queue->events -= !entry->is_gap;
    return entry;
}

// What is told of other logs stays by itself: it says where all that is missing before begins.
static bool can_grow(const struct stream_entry *entry)
{
    return entry->is_gap && entry->gap.reason < GAP_RESTARTED;
}

static bool has_times(const struct gap *gap)
{
    return gap->from_ns <= gap->to_ns;
}

// One gap of two that touch. Where one count is not known, neither is the sum.
static void absorb(struct stream_entry *entry, const struct gap *gap, uint64_t sequence)
{
    entry->gap.count += gap->count;
    entry->gap.count_known &= gap->count_known;
    entry->gap.at_most += gap->at_most;
    if (!has_times(&entry->gap))
        entry->gap.from_ns = gap->from_ns;
    if (!has_times(&entry->gap) || has_times(gap))
        entry->gap.to_ns = gap->to_ns;
    entry->sequence = sequence;
}

bool stream_queue_put_gap(struct stream_queue *queue, const struct gap *gap, uint64_t sequence,
                          int64_t time_ns)
{
    if (queue->tail != NULL && can_grow(queue->tail) && gap->reason < GAP_RESTARTED) {
        absorb(queue->tail, gap, sequence);
        return true;
    }
    struct stream_entry *entry = calloc(1, sizeof *entry);
    if (entry == NULL)
        return false;
    entry->is_gap = true;
    entry->gap = *gap;
    entry->sequence = sequence;
    entry->time_ns = time_ns > 0 ? time_ns : 0;
    append(queue, entry);
    return true;
}

static struct gap gap_of(const struct stream_entry *event)
{
    return (struct gap){.reason = GAP_SLOW_READER,
                        .count = 1,
                        .count_known = true,
                        .at_most = 1,
                        .from_ns = event->time_ns,
                        .to_ns = event->time_ns};
}

static void remove_behind(struct stream_queue *queue, struct stream_entry *before)
{
    struct stream_entry *entry = before->next;
    before->next = entry->next;
    if (queue->tail == entry)
        queue->tail = before;
    queue->bytes -= bytes_of(entry);
    queue->events -= !entry->is_gap;
    free(entry);
}

// Makes the oldest event a gap, one with its neighbours where they are gaps.
static void shed(struct stream_queue *queue)
{
    struct stream_entry *before = NULL, *oldest = queue->head;
    while (oldest->is_gap) {
        before = oldest;
        oldest = oldest->next;
    }
    queue->dropped++;
    if (before != NULL && can_grow(before)) {
        struct gap gap = gap_of(oldest);
        absorb(before, &gap, oldest->sequence);
        remove_behind(queue, before);
        oldest = before;
    } else {
        oldest->gap = gap_of(oldest);
        oldest->is_gap = true;
        queue->bytes -= oldest->length;
        oldest->length = 0;
        queue->events--;
    }
    while (oldest->next != NULL && can_grow(oldest->next)) {
        absorb(oldest, &oldest->next->gap, oldest->next->sequence);
        remove_behind(queue, oldest);
    }
}

enum stream_put stream_queue_put(struct stream_queue *queue, enum stream_policy policy,
                                 const struct stream_entry *event, const void *bytes)
{
    size_t wanted = sizeof *event + event->length;
    if (policy == STREAM_DISCONNECT && queue->bytes + wanted > queue->most_bytes)
        return STREAM_FULL;
    while (policy == STREAM_DROP_OLDEST && queue->events > 0 && queue->bytes + wanted > queue->most_bytes)
        shed(queue);
    if (queue->bytes + wanted > queue->most_bytes) {
        struct gap gap = gap_of(event);
        queue->dropped++;
        return stream_queue_put_gap(queue, &gap, event->sequence, event->time_ns) ? STREAM_PUT
                                                                                  : STREAM_NO_MEMORY;
    }
    struct stream_entry *entry = malloc(wanted);
    if (entry == NULL)
        return STREAM_NO_MEMORY;
    *entry = *event;
    memcpy(entry->bytes, bytes, event->length);
    append(queue, entry);
    return STREAM_PUT;
}
