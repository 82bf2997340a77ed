// Which flows of a shard a listing has shown, as a bit for each node. A flow keeps its node while it is alive, so its bit
// is right as long as that matters; a node that is used again belongs to a flow that began after the listing, which
// does not show it anyway. One owner, who marks while no shard reads. Memory: a bit a node, up to the highest marked.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flow/store.h"

struct flow_shown {
    struct {
        uint64_t *words; // owned
        uint32_t count;
    } bits[2];        // of IPv4 and IPv6 nodes
    int64_t began_ns; // flow time; flows that began later are left out. Until the first page: FLOWS_NOT_BEGUN
};

#define FLOWS_NOT_BEGUN INT64_MAX

void flow_shown_done(struct flow_shown *shown);
bool flow_shown_mark(struct flow_shown *shown, uint32_t id); // false without memory
size_t flow_shown_bytes(const struct flow_shown *shown);

static inline bool flow_shown_has(const struct flow_shown *shown, uint32_t id)
{
    bool v6 = (id & FLOW_ID_V6) != 0;
    uint32_t node = id & ~(uint32_t)FLOW_ID_V6, word = node / 64;
    return word < shown->bits[v6].count && (shown->bits[v6].words[word] >> node % 64 & 1) != 0;
}

// Whether any node between these two of an IP version may have been: most of a table never is.
static inline bool flow_shown_has_any(const struct flow_shown *shown, uint32_t lowest, uint32_t highest)
{
    bool v6 = (lowest & FLOW_ID_V6) != 0;
    uint32_t word = (lowest & ~(uint32_t)FLOW_ID_V6) / 64, last = (highest & ~(uint32_t)FLOW_ID_V6) / 64;
    uint64_t any = 0;
    for (; word <= last && word < shown->bits[v6].count; word++)
        any |= shown->bits[v6].words[word];
    return any != 0;
}
