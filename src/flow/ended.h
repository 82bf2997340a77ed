// The flows whose records are due at the end of a tick, as ids: what ended by its packets, then what each
// partition gave up by time. Every part is a run that is sorted by itself; records leave by merging the runs
// into the order of the outputs (end time, key), so that a million flows that end at once need no more
// memory than their ids. Internal to flow/. One owner, one thread.
#pragma once

#include "flow/store.h"

enum { ENDED_RUNS = 1 + FLOW_PARTITIONS };

struct ended_run {
    size_t next, end; // of ids[]
    int64_t end_ns;   // of ids[next]: what orders it
    uint64_t prefix;
};

struct ended_list {
    uint32_t
        *ids; // of flows; with FLOW_ID_INTERIM of flows that go on, with FLOW_ID_BEGUN of those that began
    size_t count, room;
    struct ended_run runs[ENDED_RUNS];
    unsigned run_count;
    unsigned heap[ENDED_RUNS]; // runs that are not empty, the one with the first record at [0]
    unsigned heap_count;
    struct timed_id *scratch; // for sorting one run: twice `scratch_room`
    size_t scratch_room;
};

void ended_list_done(struct ended_list *list);

// Makes room; false without memory.
bool ended_list_reserve(struct ended_list *list, size_t more);
bool ended_list_add(struct ended_list *list, uint32_t id);
// What is added from now on is a run of its own.
void ended_list_cut(struct ended_list *list);

// The end of a tick: after it ended_list_next() gives every id in order, then 0, which empties the list.
void ended_list_sort(struct ended_list *list, const struct flow_store *store);
uint32_t ended_list_next(struct ended_list *list, const struct flow_store *store);

static inline uint32_t ended_id(uint32_t id)
{
    return id & ~(uint32_t)(FLOW_ID_INTERIM | FLOW_ID_BEGUN);
}

static inline struct flow *ended_flow_at(const struct flow_store *store, uint32_t id)
{
    return flow_at(store, ended_id(id));
}

static inline struct flow_ends *ended_ends_at(const struct flow_store *store, uint32_t id)
{
    return flow_ends_at(store, ended_id(id));
}

static inline int64_t ended_time(const struct flow_store *store, uint32_t id)
{
    if ((id & FLOW_ID_INTERIM) != 0)
        return flow_extra(store, ended_flow_at(store, id))->interim_ns;
    return (id & FLOW_ID_BEGUN) != 0 ? ended_ends_at(store, id)->first_ns : flow_ends_at(store, id)->end_ns;
}
