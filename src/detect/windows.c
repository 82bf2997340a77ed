#include "detect/windows.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/prefetch.h"
#include "base/time.h"
#include "detect/target_index.h"
#include "detect/tick_evidence.h"

enum { PLACES = 2 * WINDOWS_MAXIMUM, EVICTION_CHOICES = 8 };

// What a row weighs against others, apart: of a flood, many are compared. In force while its pane is the latest.
struct window_weight {
    int64_t pane;
    uint64_t sum;
};

struct target_windows {
    uint32_t window_secs;
    int64_t young_ns;
    int64_t now_ns; // of the latest merge, and the numbers of what it is in
    int64_t pane, generation, young_slot;
    uint64_t random; // state of the sequence that picks rows
    struct target_windows_counts counts;
    uint64_t touched[WINDOW_TOUCHED_WORDS]; // by row, as bits
    uint16_t places[PLACES];                // target_index.h
    uint64_t hashes[WINDOWS_MAXIMUM];
    struct window_weight weights[WINDOWS_MAXIMUM];
    struct target_window rows[WINDOWS_MAXIMUM];
    struct target_visitors visitors[WINDOWS_MAXIMUM][2];
};

struct target_windows *target_windows_create(uint32_t window_secs, int64_t young_ns, uint64_t seed)
{
    assert(window_secs > 0 && young_ns >= 0);
    _Static_assert(sizeof(struct target_windows) % CACHE_LINE == 0, "as aligned_alloc() asks");
    struct target_windows *windows = aligned_alloc(CACHE_LINE, sizeof *windows);
    if (windows == NULL)
        return NULL;
    memset(windows, 0, offsetof(struct target_windows, rows)); // rows are emptied where they are made
    windows->window_secs = window_secs;
    windows->young_ns = young_ns;
    windows->now_ns = INT64_MIN;
    windows->random = seed;
    return windows;
}

void target_windows_destroy(struct target_windows *windows)
{
    free(windows);
}

struct target_windows_counts target_windows_counts(const struct target_windows *windows)
{
    return windows->counts;
}

static struct target_index index_of(struct target_windows *windows)
{
    return (struct target_index){windows->places, windows->hashes, PLACES - 1};
}

// The number of the span of so many nanoseconds that a tick which ends then belongs to: what ends with a span is of it.
static int64_t number_of(int64_t end_ns, int64_t span_ns)
{
    int64_t last_ns = end_ns > INT64_MIN ? end_ns - 1 : end_ns;
    return last_ns / span_ns - (last_ns % span_ns < 0);
}

static int64_t window_ns(const struct target_windows *windows)
{
    return windows->window_secs * NS_PER_S;
}

static int64_t pane_ns(const struct target_windows *windows)
{
    return window_ns(windows) / WINDOW_PANES;
}

static uint64_t *pane_of(struct target_window *row, int64_t number)
{
    return row->panes[((number % WINDOW_PANES) + WINDOW_PANES) % WINDOW_PANES];
}

static void empty_panes(struct target_window *row, int64_t until)
{
    int64_t gone = until - row->pane;
    for (int64_t i = 0; i < gone && i < WINDOW_PANES; i++) {
        uint64_t *pane = pane_of(row, until - i);
        for (unsigned which = 0; which < 2; which++) {
            assert(row->sums[which] >= pane[which]);
            row->sums[which] -= pane[which];
            pane[which] = 0;
        }
    }
    row->pane = until;
}

static struct target_visitors *visitors_of(const struct target_window *row, int64_t generation)
{
    return &row->visitors[generation & 1];
}

static void turn_generation(struct target_window *row, int64_t generation)
{
    if (generation != row->generation + 1)
        visitors_empty(visitors_of(row, generation - 1));
    visitors_empty(visitors_of(row, generation));
    row->generation = generation;
}

// Forgets what is older than the window now.
static void advance(const struct target_windows *windows, struct target_window *row)
{
    if (windows->pane > row->pane)
        empty_panes(row, windows->pane);
    if (windows->generation > row->generation)
        turn_generation(row, windows->generation);
}

static void move_to(struct target_windows *windows, int64_t now_ns)
{
    assert(now_ns >= windows->now_ns);
    windows->now_ns = now_ns;
    windows->pane = number_of(now_ns, pane_ns(windows));
    windows->generation = number_of(now_ns, window_ns(windows));
    windows->young_slot = windows->young_ns != 0 ? number_of(now_ns, windows->young_ns) : 0;
}

uint64_t target_window_young(const struct target_windows *windows, const struct target_window *window)
{
    if (windows->young_ns == 0)
        return 0;
    int64_t age = windows->young_slot - window->young_slot;
    return age <= 0 ? window->young[0] + window->young[1] : age == 1 ? window->young[0] : 0;
}

static void add_young(const struct target_windows *windows, struct target_window *row, uint64_t packets)
{
    if (windows->young_ns == 0)
        return;
    int64_t slot = windows->young_slot;
    if (slot > row->young_slot) {
        row->young[1] = slot == row->young_slot + 1 ? row->young[0] : 0;
        row->young[0] = 0;
        row->young_slot = slot;
    }
    row->young[0] += packets;
}

// Rows.

static uint64_t next_random(struct target_windows *windows) // splitmix64
{
    uint64_t mixed = windows->random += 0x9e3779b97f4a7c15;
    mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111eb;
    return mixed ^ mixed >> 31;
}

static void note_weight(struct target_windows *windows, unsigned number)
{
    const struct target_window *row = &windows->rows[number];
    windows->weights[number] = (struct window_weight){row->pane, row->sums[0] + row->sums[1]};
}

static unsigned choose_victim(struct target_windows *windows)
{
    unsigned victim = 0;
    uint64_t least = UINT64_MAX;
    for (unsigned i = 0; i < EVICTION_CHOICES; i++) {
        unsigned row = (unsigned)(next_random(windows) % WINDOWS_MAXIMUM);
        if (windows->weights[row].pane != windows->pane) {
            advance(windows, &windows->rows[row]);
            note_weight(windows, row);
        }
        if (windows->weights[row].sum < least) {
            least = windows->weights[row].sum;
            victim = row;
        }
    }
    return victim;
}

static void empty_row(struct target_windows *windows, struct target_window *row)
{
    memset(row, 0, sizeof *row);
    row->visitors = windows->visitors[row - windows->rows];
    row->pane = windows->pane;
    row->generation = windows->generation;
    row->young_slot = windows->young_slot;
    for (unsigned i = 0; i < 2; i++)
        visitors_empty(&row->visitors[i]);
}

static unsigned make_row(struct target_windows *windows, const struct endpoint *target, uint64_t hash)
{
    struct target_index index = index_of(windows);
    unsigned row = windows->counts.targets;
    if (row < WINDOWS_MAXIMUM) {
        windows->counts.targets++;
    } else {
        row = choose_victim(windows);
        target_index_remove(&index, row);
        windows->counts.evicted++;
    }
    windows->hashes[row] = hash;
    target_index_insert(&index, row);
    empty_row(windows, &windows->rows[row]);
    windows->rows[row].target = *target;
    return row;
}

void target_window_visitors(const struct target_window *window, struct target_visitors *out)
{
    *out = *visitors_of(window, window->generation);
    visitors_merge(out, visitors_of(window, window->generation - 1));
}

// Merging.

static void merge_row(struct target_windows *windows, const struct target_table *table,
                      const struct target_row *from)
{
    struct target_index index = index_of(windows);
    unsigned number = target_index_find(&index, from->hash);
    bool has_visitors = from->first_packets != 0;
    if (number == TARGET_INDEX_NONE && !has_visitors)
        return;
    if (number == TARGET_INDEX_NONE)
        number = make_row(windows, &from->target, from->hash);
    struct target_window *row = &windows->rows[number];
    advance(windows, row);
    uint64_t *pane = pane_of(row, row->pane);
    for (unsigned which = 0; which < 2; which++) {
        pane[which] += from->counts[which];
        row->sums[which] += from->counts[which];
    }
    note_weight(windows, number);
    if (!has_visitors)
        return;
    visitors_add(visitors_of(row, row->generation), table, from);
    add_young(windows, row, from->counts[0]);
    windows->touched[number / 64] |= UINT64_C(1) << number % 64;
}

// Rows of the shards that are merged together, so that what they touch is on its way before its turn.
enum { AT_ONCE = 16 };

struct some_rows {
    unsigned count;
    const struct target_table *tables[AT_ONCE];
    const struct target_row *rows[AT_ONCE];
};

PREFETCHING void prefetch_window(struct target_windows *windows, const struct target_row *from)
{
    struct target_index index = index_of(windows);
    unsigned number = target_index_find(&index, from->hash);
    if (number == TARGET_INDEX_NONE)
        return;
    prefetch_write(&windows->rows[number]);
    for (unsigned i = 0; i < 2; i++) {
        prefetch_write(&windows->visitors[number][i].sources);
        prefetch_write(&windows->visitors[number][i].heaviest);
    }
}

static void merge_some(struct target_windows *windows, struct some_rows *some)
{
    for (unsigned i = 0; i < some->count; i++)
        prefetch_window(windows, some->rows[i]);
    for (unsigned i = 0; i < some->count; i++)
        merge_row(windows, some->tables[i], some->rows[i]);
    some->count = 0;
}

static void merge_partition(struct target_windows *windows, const struct target_table *table,
                            unsigned partition, struct some_rows *some)
{
    const struct target_row *row;
    for (unsigned place = 0; (row = target_table_next(table, partition, &place)) != NULL;) {
        for (unsigned line = 0; line < sizeof *row / CACHE_LINE; line++)
            prefetch_read((const char *)row + line * CACHE_LINE);
        some->tables[some->count] = table;
        some->rows[some->count++] = row;
        if (some->count == AT_ONCE)
            merge_some(windows, some);
    }
}

void target_windows_merge(struct target_windows *windows, const struct tick_evidence *evidence,
                          enum target_kind kind, int64_t now_ns)
{
    struct some_rows some = {.count = 0};
    move_to(windows, now_ns);
    for (unsigned p = 0; p < FLOW_PARTITIONS; p++) {
        const struct target_table *table = evidence->shards[p % evidence->shard_count]->targets[kind];
        if (table != NULL)
            merge_partition(windows, table, p, &some);
    }
    merge_some(windows, &some);
    for (unsigned i = 0; i < evidence->shard_count; i++)
        if (evidence->shards[i]->targets[kind] != NULL)
            windows->counts.lost += evidence->shards[i]->targets[kind]->lost;
}

struct target_window *target_windows_next(struct target_windows *windows, unsigned *place)
{
    for (; *place < WINDOWS_MAXIMUM; *place = (*place / 64 + 1) * 64) {
        uint64_t left = windows->touched[*place / 64] >> *place % 64;
        if (left == 0)
            continue;
        uint64_t behind = left & (left - 1);
        unsigned row = *place + (unsigned)__builtin_ctzll(left);
        if (behind != 0)
            prefetch_write(&windows->rows[*place + (unsigned)__builtin_ctzll(behind)]);
        *place = row + 1;
        advance(windows, &windows->rows[row]);
        return &windows->rows[row];
    }
    return NULL;
}

void target_windows_rest(struct target_windows *windows, const struct target_window *window)
{
    unsigned number = (unsigned)(window - windows->rows);
    assert(number < windows->counts.targets);
    windows->touched[number / 64] &= ~(UINT64_C(1) << number % 64);
}

// Changes of the window.

// The visitors stay those of this window and of the one before.
static void renumber(struct target_window *row, int64_t generation)
{
    if ((generation & 1) != (row->generation & 1)) {
        struct target_visitors even = row->visitors[0];
        row->visitors[0] = row->visitors[1];
        row->visitors[1] = even;
    }
    row->generation = generation;
}

// The panes of a row, anew: of each what its end belongs to.
static void refile(struct target_windows *windows, struct target_window *row, int64_t former_pane_ns,
                   int64_t now_ns)
{
    struct target_window former = *row;
    memset(row->panes, 0, sizeof row->panes);
    row->sums[0] = row->sums[1] = 0;
    row->pane = number_of(now_ns, pane_ns(windows));
    for (int64_t age = 0; age < WINDOW_PANES; age++) {
        int64_t end_ns = age == 0 ? now_ns : (former.pane - age + 1) * former_pane_ns;
        int64_t number = number_of(end_ns, pane_ns(windows));
        if (number <= row->pane - WINDOW_PANES)
            break;
        const uint64_t *from = pane_of(&former, former.pane - age);
        uint64_t *into = pane_of(row, number);
        for (unsigned which = 0; which < 2; which++) {
            into[which] += from[which];
            row->sums[which] += from[which];
        }
    }
    renumber(row, number_of(now_ns, window_ns(windows)));
}

void target_windows_change(struct target_windows *windows, uint32_t window_secs)
{
    assert(window_secs > 0);
    int64_t former_pane_ns = pane_ns(windows);
    if (window_secs == windows->window_secs)
        return;
    for (unsigned i = 0; i < windows->counts.targets; i++)
        advance(windows, &windows->rows[i]);
    windows->window_secs = window_secs;
    move_to(windows, windows->now_ns);
    for (unsigned i = 0; i < windows->counts.targets; i++)
        refile(windows, &windows->rows[i], former_pane_ns, windows->now_ns);
    for (unsigned i = 0; i < windows->counts.targets; i++)
        note_weight(windows, i);
}
