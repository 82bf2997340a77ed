#include "flow/ended.h"

#include <assert.h>
#include <stdlib.h>

#include "base/prefetch.h"

// An id with what decides most comparisons, so that sorting reads each flow once.
struct ended_entry {
    int64_t end_ns;
    uint64_t prefix;
    uint32_t id;
    uint32_t place; // in the run: of flows that are alike in everything, the one that ended first
};

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

static int compare_ids(const struct flow_store *store, uint32_t left, uint32_t right)
{
    const struct flow *first = ended_flow_at(store, left), *second = ended_flow_at(store, right);
    struct flow_key first_key, second_key;
    flow_key_of(store, first, &first_key);
    flow_key_of(store, second, &second_key);
    int order = flow_key_compare(&first_key, &second_key);
    if (order != 0)
        return order;
    int64_t first_ns = ended_ends_at(store, left)->first_ns, second_ns = ended_ends_at(store, right)->first_ns;
    if (first_ns != second_ns)
        return first_ns < second_ns ? -1 : 1;
    return ((left & FLOW_ID_INTERIM) == 0) - ((right & FLOW_ID_INTERIM) == 0); // interim records come first
}

static int compare_entries(const void *left_item, const void *right_item, void *store)
{
    const struct ended_entry *left = left_item, *right = right_item;
    if (left->end_ns != right->end_ns)
        return left->end_ns < right->end_ns ? -1 : 1;
    if (left->prefix != right->prefix)
        return left->prefix < right->prefix ? -1 : 1;
    int order = compare_ids(store, left->id, right->id);
    return order != 0 ? order : left->place < right->place ? -1 : 1;
}

static struct ended_entry *need_scratch(struct ended_list *list, size_t count)
{
    if (count > list->scratch_room) {
        struct ended_entry *scratch = realloc(list->scratch, count * sizeof *scratch);
        if (scratch == NULL)
            return NULL;
        list->scratch = scratch;
        list->scratch_room = count;
    }
    return list->scratch;
}

static void sort_run(struct ended_list *list, const struct ended_run *run, const struct flow_store *store)
{
    size_t count = run->end - run->next;
    uint32_t *ids = list->ids + run->next;
    if (count < 2)
        return;
    struct ended_entry *entries = need_scratch(list, count);
    assert(entries != NULL); // a few bytes a flow that exists: without them nothing goes on
    for (size_t i = 0; i < count; i++)
        entries[i] = (struct ended_entry){
            .end_ns = ended_time(store, ids[i]),
            .prefix = key_prefix(ended_flow_at(store, ids[i])),
            .id = ids[i],
            .place = (uint32_t)i,
        };
    qsort_r(entries, count, sizeof *entries, compare_entries, (void *)(uintptr_t)store);
    for (size_t i = 0; i < count; i++)
        ids[i] = entries[i].id;
}

static void read_head(const struct ended_list *list, struct ended_run *run, const struct flow_store *store)
{
    enum { AHEAD = 4 };
    uint32_t id = list->ids[run->next];
    run->end_ns = ended_time(store, id);
    run->prefix = key_prefix(ended_flow_at(store, id));
    if (run->next + AHEAD < run->end)
        prefetch_read(ended_flow_at(store, list->ids[run->next + AHEAD]));
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
