#include "aggregate/snapshot.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <string.h>

static const struct top_flow none[1];
static const struct detect_status detect_none;

// A tick whose totals tell its number.
static void publish(struct snapshot_board *board, uint64_t number)
{
    static struct totals totals;
    totals.received = totals.analysed = number;
    totals.interfaces = 1;
    totals.interface[0].received = number;
    struct top_flow top[3] = {{.bytes = number}, {.bytes = number + 1}, {.bytes = number + 2}};
    struct pipeline_tick tick = {.number = number, .now_ns = (int64_t)number * 50, .totals = &totals};
    snapshot_publish(board, &tick, top, number % 4, &detect_none);
}

static void expect_whole(const struct snapshot *snapshot, uint64_t number)
{
    cr_assert_eq(snapshot->tick, number);
    cr_assert_eq(snapshot->now_ns, (int64_t)number * 50);
    cr_assert_eq(snapshot->totals.received, number);
    cr_assert_eq(snapshot->totals.analysed, number);
    cr_assert_eq(snapshot->totals.interface[0].received, number);
    cr_assert_eq(snapshot->top_count, number % 4);
    for (unsigned i = 0; i < snapshot->top_count; i++)
        cr_assert_eq(snapshot->top[i].bytes, number + i);
}

Test(snapshot, is_none_before_the_first)
{
    struct snapshot_board board;
    snapshot_board_init(&board);
    cr_expect_null(snapshot_hold(&board));
    snapshot_release(NULL);
    snapshot_board_done(&board);
}

Test(snapshot, lives_as_long_as_somebody_holds_it)
{
    struct snapshot_board board;
    snapshot_board_init(&board);
    publish(&board, 5);
    const struct snapshot *one = snapshot_hold(&board), *other = snapshot_hold(&board);
    cr_assert_eq(one, other);
    publish(&board, 6);
    publish(&board, 7);
    expect_whole(one, 5);
    snapshot_release(one);
    expect_whole(other, 5);
    const struct snapshot *latest = snapshot_hold(&board);
    expect_whole(latest, 7);
    snapshot_board_done(&board);
    expect_whole(latest, 7);
    expect_whole(other, 5);
    snapshot_release(other);
    snapshot_release(latest);
}

Test(snapshot, carries_as_many_top_flows_as_there_can_be)
{
    static struct totals totals;
    static struct top_flow top[TICK_TOP_FLOWS];
    for (unsigned i = 0; i < TICK_TOP_FLOWS; i++)
        top[i].bytes = TICK_TOP_FLOWS - i;
    struct snapshot_board board;
    snapshot_board_init(&board);
    struct pipeline_tick tick = {.totals = &totals};
    snapshot_publish(&board, &tick, top, TICK_TOP_FLOWS, &detect_none);
    const struct snapshot *snapshot = snapshot_hold(&board);
    cr_assert_eq(snapshot->top_count, TICK_TOP_FLOWS);
    cr_expect_eq(memcmp(snapshot->top, top, sizeof top), 0);
    snapshot_release(snapshot);
    snapshot_publish(&board, &tick, none, 0, &detect_none);
    snapshot = snapshot_hold(&board);
    cr_expect_eq(snapshot->top_count, 0);
    snapshot_release(snapshot);
    snapshot_board_done(&board);
}

enum { HOLDERS = 4, PUBLISHED = 5000 };

static struct snapshot_board shared;

// Reads until the last one is there; now and then keeps one across many newer ones.
static void *hold_and_release(void *argument)
{
    uint64_t *seen = argument, number = 0;
    const struct snapshot *kept = NULL;
    while (number != PUBLISHED) {
        const struct snapshot *snapshot = snapshot_hold(&shared);
        if (snapshot == NULL)
            continue;
        cr_assert_geq(snapshot->tick, number, "time goes on");
        number = snapshot->tick;
        expect_whole(snapshot, number);
        ++*seen;
        if (*seen % 16 != 0) {
            snapshot_release(snapshot);
            continue;
        }
        snapshot_release(kept);
        kept = snapshot;
    }
    if (kept != NULL)
        expect_whole(kept, kept->tick);
    snapshot_release(kept);
    return NULL;
}

Test(snapshot, is_whole_for_threads_while_others_are_published, .timeout = 60)
{
    snapshot_board_init(&shared);
    pthread_t threads[HOLDERS];
    uint64_t seen[HOLDERS] = {0};
    for (unsigned i = 0; i < HOLDERS; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, hold_and_release, &seen[i]), 0);
    for (uint64_t number = 1; number <= PUBLISHED; number++)
        publish(&shared, number);
    for (unsigned i = 0; i < HOLDERS; i++) {
        pthread_join(threads[i], NULL);
        cr_expect_gt(seen[i], 0);
    }
    const struct snapshot *last = snapshot_hold(&shared);
    cr_expect_eq(atomic_load(&((struct snapshot *)(uintptr_t)last)->holders), 2, "the board and the test");
    snapshot_release(last);
    snapshot_board_done(&shared);
}
