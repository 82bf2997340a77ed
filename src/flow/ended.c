#include "flow/ended.h"

#include <assert.h>
#include <stdlib.h>

#include "base/prefetch.h"

// An id with the end of its flow, as a number that orders as times do.
struct timed_id {
    uint64_t time;
    uint32_t id;
};

// An id with the beginning of its flow's key, so that sorting reads most flows once.
struct keyed_id {
    uint64_t prefix;
    uint32_t id;
    uint32_t place; // of flows that are alike in everything, the one that ended first
};
_Static_assert(sizeof(struct keyed_id) == sizeof(struct timed_id), "they share their memory");

void ended_list_done(struct ended_list *list)
{
    free(list->ids);
    free(list->scratch);
    *list = (struct ended_list){0};
}

bool ended_list_reserve(struct ended_list *list, size_t more)
{
    if (list->room - list->count >= more)
        return true;
    uint32_t *ids = realloc(list->ids, (list->count + more) * sizeof *ids);
    if (ids == NULL)
        return false;
    list->ids = ids;
    list->room = list->count + more;
    return true;
}

bool ended_list_add(struct ended_list *list, uint32_t id)
{
    enum { FIRST_ROOM = 256 };
    if (list->count == list->room && !ended_list_reserve(list, list->room != 0 ? list->room : FIRST_ROOM))
        return false;
    if (list->run_count == 0)
        list->runs[list->run_count++] = (struct ended_run){0};
    list->ids[list->count++] = id;
    list->runs[list->run_count - 1].end = list->count;
    return true;
}

void ended_list_cut(struct ended_list *list)
{
    if (list->run_count > 0 && list->runs[list->run_count - 1].next == list->count)
        return;
    assert(list->run_count < ENDED_RUNS);
    list->runs[list->run_count++] = (struct ended_run){.next = list->count, .end = list->count};
}

// The beginning of a flow's key as a number: orders as flow_key_compare() does, as far as it goes.
static uint64_t key_prefix(const struct flow *flow)
{
    bool v6 = (flow->marks & FLOW_MARK_V6) != 0;
    uint64_t prefix = (uint64_t)flow->protocol << 8 | (v6 ? 6 : 4);
    for (unsigned i = 0; i < 4; i++)
        prefix = prefix << 8 | flow->addresses[i];
    uint16_t next = v6 ? (uint16_t)(flow->addresses[4] << 8 | flow->addresses[5]) : flow->ports[0];
    return prefix << 16 | next;
}

// Of one flow its beginning comes first, its end last.
static int rank_of(uint32_t id)
{
    return (id & FLOW_ID_BEGUN) != 0 ? 0 : (id & FLOW_ID_INTERIM) != 0 ? 1 : 2;
}

static int compare_ids(const struct flow_store *store, uint32_t left, uint32_t right)
{
    const struct flow *first = ended_flow_at(store, left), *second = ended_flow_at(store, right);
    struct flow_key first_key, second_key;
    flow_key_of(store, first, &first_key);
    flow_key_of(store, second, &second_key);
    int order = flow_key_compare(&first_key, &second_key);
    if (order != 0)
        return order;
    int64_t first_ns = ended_ends_at(store, left)->first_ns,
            second_ns = ended_ends_at(store, right)->first_ns;
    if (first_ns != second_ns)
        return first_ns < second_ns ? -1 : 1;
    return rank_of(left) - rank_of(right);
}

static int compare_keyed(const void *left_item, const void *right_item, void *store)
{
    const struct keyed_id *left = left_item, *right = right_item;
    if (left->prefix != right->prefix)
        return left->prefix < right->prefix ? -1 : 1;
    int order = compare_ids(store, left->id, right->id);
    return order != 0 ? order : left->place < right->place ? -1 : 1;
}

// Room for two arrays of `count`, one behind the other.
static struct timed_id *need_scratch(struct ended_list *list, size_t count)
{
    if (count > list->scratch_room) {
        struct timed_id *scratch = realloc(list->scratch, 2 * count * sizeof *scratch);
        assert(scratch != NULL); // a few bytes a flow that exists: without them nothing goes on
        list->scratch = scratch;
        list->scratch_room = count;
    }
    return list->scratch;
}

static void insert_by_time(struct timed_id *items, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct timed_id moving = items[i];
        size_t to = i;
        for (; to > 0 && items[to - 1].time > moving.time; to--)
            items[to] = items[to - 1];
        items[to] = moving;
    }
}

enum { DIGIT_BITS = 11, DIGIT_VALUES = 1 << DIGIT_BITS, DIGIT_MASK = DIGIT_VALUES - 1, TIME_BITS = 64 };

static void place_by_digit(const struct timed_id *from, struct timed_id *into, size_t count, unsigned shift)
{
    size_t places[DIGIT_VALUES] = {0}, next = 0;
    for (size_t i = 0; i < count; i++)
        places[from[i].time >> shift & DIGIT_MASK]++;
    for (unsigned value = 0; value < DIGIT_VALUES; value++) {
        size_t of_value = places[value];
        places[value] = next;
        next += of_value;
    }
    for (size_t i = 0; i < count; i++)
        into[places[from[i].time >> shift & DIGIT_MASK]++] = from[i];
}

// Sorts stably: digit by digit where there are many, of a time those digits that differ. Returns where they are.
static struct timed_id *sort_by_time(struct timed_id *items, struct timed_id *spare, size_t count)
{
    enum { FEW = 64 };
    if (count <= FEW) {
        insert_by_time(items, count);
        return items;
    }
    uint64_t differing = 0;
    for (size_t i = 1; i < count; i++)
        differing |= items[i].time ^ items[0].time;
    for (unsigned shift = 0; shift < TIME_BITS; shift += DIGIT_BITS) {
        if ((differing >> shift & DIGIT_MASK) == 0)
            continue;
        place_by_digit(items, spare, count, shift);
        struct timed_id *sorted = spare;
        spare = items;
        items = sorted;
    }
    return items;
}

// Orders flows that ended at the same moment by their keys.
static void sort_alike(struct timed_id *items, size_t count, const struct flow_store *store,
                       struct keyed_id *keyed)
{
    for (size_t i = 0; i < count; i++)
        keyed[i] = (struct keyed_id){
            .prefix = key_prefix(ended_flow_at(store, items[i].id)), .id = items[i].id, .place = (uint32_t)i};
    qsort_r(keyed, count, sizeof *keyed, compare_keyed, (void *)(uintptr_t)store);
    for (size_t i = 0; i < count; i++)
        items[i].id = keyed[i].id;
}

static void sort_run(struct ended_list *list, const struct ended_run *run, const struct flow_store *store)
{
    size_t count = run->end - run->next;
    uint32_t *ids = list->ids + run->next;
    struct timed_id *scratch = need_scratch(list, count);
    for (size_t i = 0; i < count; i++)
        scratch[i] = (struct timed_id){
            .time = (uint64_t)ended_time(store, ids[i]) ^ UINT64_C(1) << (TIME_BITS - 1), .id = ids[i]};
    struct timed_id *items = sort_by_time(scratch, scratch + count, count);
    struct timed_id *spare = items == scratch ? scratch + count : scratch;
    for (size_t begin = 0, end; begin < count; begin = end) {
        for (end = begin + 1; end < count && items[end].time == items[begin].time; end++)
            ;
        if (end - begin > 1)
            sort_alike(items + begin, end - begin, store, (struct keyed_id *)(void *)spare);
    }
    for (size_t i = 0; i < count; i++)
        ids[i] = items[i].id;
}

static void read_head(const struct ended_list *list, struct ended_run *run, const struct flow_store *store)
{
    enum { AHEAD_NODES = 8, AHEAD_PARTS = 4 };
    const uint32_t *ids = &list->ids[run->next];
    size_t left = run->end - run->next;
    uint32_t id = ids[0];
    run->end_ns = ended_time(store, id);
    run->prefix = key_prefix(ended_flow_at(store, id));
    if (AHEAD_NODES < left)
        flow_prefetch(store, ended_id(ids[AHEAD_NODES]));
    if (AHEAD_PARTS < left)
        flow_prefetch_parts(store, ended_flow_at(store, ids[AHEAD_PARTS]));
}

static bool comes_before(const struct ended_list *list, const struct flow_store *store, unsigned left,
                         unsigned right)
{
    const struct ended_run *first = &list->runs[left], *second = &list->runs[right];
    if (first->end_ns != second->end_ns)
        return first->end_ns < second->end_ns;
    if (first->prefix != second->prefix)
        return first->prefix < second->prefix;
    int order = compare_ids(store, list->ids[first->next], list->ids[second->next]);
    return order != 0 ? order < 0 : left < right; // what packets ended was there first
}

// Lets the run at `place` sink to where it belongs.
static void sift_down(struct ended_list *list, const struct flow_store *store, unsigned place)
{
    unsigned *heap = list->heap;
    for (;;) {
        unsigned child = 2 * place + 1;
        if (child >= list->heap_count)
            return;
        if (child + 1 < list->heap_count && comes_before(list, store, heap[child + 1], heap[child]))
            child++;
        if (!comes_before(list, store, heap[child], heap[place]))
            return;
        unsigned swap = heap[place];
        heap[place] = heap[child];
        heap[child] = swap;
        place = child;
    }
}

void ended_list_sort(struct ended_list *list, const struct flow_store *store)
{
    list->heap_count = 0;
    for (unsigned i = 0; i < list->run_count; i++) {
        struct ended_run *run = &list->runs[i];
        if (run->next == run->end)
            continue;
        sort_run(list, run, store);
        read_head(list, run, store);
        list->heap[list->heap_count++] = i;
    }
    for (unsigned place = list->heap_count / 2; place-- > 0;)
        sift_down(list, store, place);
}

uint32_t ended_list_next(struct ended_list *list, const struct flow_store *store)
{
    if (list->heap_count == 0) {
        list->count = list->run_count = 0;
        return 0;
    }
    struct ended_run *run = &list->runs[list->heap[0]];
    uint32_t id = list->ids[run->next++];
    if (run->next < run->end)
        read_head(list, run, store);
    else
        list->heap[0] = list->heap[--list->heap_count];
    sift_down(list, store, 0);
    return id;
}
