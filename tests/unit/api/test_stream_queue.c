#include "api/stream_queue.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t bytes[100];

static enum stream_put put(struct stream_queue *queue, enum stream_policy policy, uint64_t sequence)
{
    struct stream_entry event = {
        .sequence = sequence, .time_ns = (int64_t)sequence * 10, .length = sizeof bytes};
    return stream_queue_put(queue, policy, &event, bytes);
}

static void expect_event(struct stream_queue *queue, uint64_t sequence)
{
    struct stream_entry *entry = stream_queue_take(queue);
    cr_assert_not_null(entry);
    cr_expect_not(entry->is_gap);
    cr_expect_eq(entry->sequence, sequence);
    free(entry);
}

static void expect_gap(struct stream_queue *queue, enum gap_reason reason, uint64_t count, uint64_t from,
                       uint64_t to)
{
    struct stream_entry *entry = stream_queue_take(queue);
    cr_assert_not_null(entry);
    cr_assert(entry->is_gap);
    cr_expect_eq(entry->gap.reason, reason);
    cr_expect_eq(entry->gap.count, count);
    cr_expect_eq(entry->sequence, to);
    if (entry->gap.count_known) {
        cr_expect_eq(entry->gap.from_ns, (int64_t)from * 10);
        cr_expect_eq(entry->gap.to_ns, (int64_t)to * 10);
    }
    free(entry);
}

enum { ROOM = 3 * (sizeof(struct stream_entry) + sizeof bytes) };

Test(stream_queue, drops_the_oldest_and_tells_where)
{
    struct stream_queue queue;
    stream_queue_init(&queue, ROOM);
    for (uint64_t sequence = 1; sequence <= 10; sequence++) {
        cr_expect_eq(put(&queue, STREAM_DROP_OLDEST, sequence), STREAM_PUT);
        cr_expect_leq(queue.bytes, ROOM);
    }
    uint64_t kept = queue.events;
    cr_expect_eq(kept + queue.dropped, 10);
    expect_gap(&queue, GAP_SLOW_READER, 10 - kept, 1, 10 - kept);
    for (uint64_t sequence = 10 - kept + 1; sequence <= 10; sequence++)
        expect_event(&queue, sequence);
    cr_expect_null(stream_queue_take(&queue));
    stream_queue_done(&queue);
}

Test(stream_queue, drops_the_newest_and_goes_on_when_there_is_room)
{
    struct stream_queue queue;
    stream_queue_init(&queue, ROOM);
    for (uint64_t sequence = 1; sequence <= 6; sequence++)
        put(&queue, STREAM_DROP_NEWEST, sequence);
    expect_event(&queue, 1);
    expect_event(&queue, 2);
    put(&queue, STREAM_DROP_NEWEST, 7);
    expect_event(&queue, 3);
    expect_gap(&queue, GAP_SLOW_READER, 3, 4, 6);
    expect_event(&queue, 7);
    cr_expect_eq(queue.dropped, 3);
    stream_queue_done(&queue);
}

Test(stream_queue, refuses_where_the_client_wants_to_be_told)
{
    struct stream_queue queue;
    stream_queue_init(&queue, ROOM);
    for (uint64_t sequence = 1; sequence <= 3; sequence++)
        cr_expect_eq(put(&queue, STREAM_DISCONNECT, sequence), STREAM_PUT);
    cr_expect_eq(put(&queue, STREAM_DISCONNECT, 4), STREAM_FULL);
    stream_queue_done(&queue);
}

Test(stream_queue, gaps_that_touch_are_one)
{
    struct stream_queue queue;
    struct gap lapped = {.reason = GAP_LAPPED, .at_most = 7, .from_ns = 0, .to_ns = -1};
    struct gap restarted = {.reason = GAP_RESTARTED, .from_ns = 0, .to_ns = -1};
    stream_queue_init(&queue, ROOM);
    cr_assert(stream_queue_put_gap(&queue, &restarted, 0, 0));
    cr_assert(stream_queue_put_gap(&queue, &lapped, 7, 0));
    cr_assert(stream_queue_put_gap(&queue, &lapped, 14, 0));
    for (uint64_t sequence = 15; sequence <= 40; sequence++)
        put(&queue, STREAM_DROP_OLDEST, sequence);
    expect_gap(&queue, GAP_RESTARTED, 0, 0, 0);
    struct stream_entry *entry = stream_queue_take(&queue);
    cr_assert(entry->is_gap);
    cr_expect_eq(entry->gap.reason, GAP_LAPPED);
    cr_expect_not(entry->gap.count_known);
    cr_expect_eq(entry->gap.at_most, 14 + queue.dropped);
    cr_expect_eq(entry->gap.from_ns, 150);
    free(entry);
    cr_expect_not(queue.head->is_gap);
    stream_queue_done(&queue);
}

Test(stream_queue, any_order_of_puts_and_takes_loses_nothing_unsaid)
{
    struct stream_queue queue;
    unsigned state = 1;
    uint64_t next = 1, behind = 0, told = 0;
    stream_queue_init(&queue, ROOM);
    for (unsigned i = 0; i < 20000; i++) {
        state = state * 1103515245u + 12345u;
        unsigned turn = state >> 16 & 7;
        struct gap lapped = {.reason = GAP_LAPPED, .at_most = 2, .from_ns = 0, .to_ns = -1};
        if (turn < 5) {
            put(&queue, turn < 3 ? STREAM_DROP_OLDEST : STREAM_DROP_NEWEST, next++);
        } else if (turn == 5) {
            next += 2;
            cr_assert(stream_queue_put_gap(&queue, &lapped, next - 1, 0));
        } else {
            struct stream_entry *entry = stream_queue_take(&queue);
            if (entry == NULL)
                continue;
            cr_assert_gt(entry->sequence, behind);
            told += entry->is_gap ? entry->gap.at_most : 1;
            cr_assert_eq(told, entry->sequence);
            behind = entry->sequence;
            free(entry);
        }
        cr_assert_leq(queue.bytes, 3 * ROOM);
    }
    stream_queue_done(&queue);
}
