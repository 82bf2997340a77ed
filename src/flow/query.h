// Questions about the flows that are alive, answered in slices: a shard looks at a bounded number of nodes
// between two batches, so that a question about millions of flows never holds up a packet. What is answered
// are copies, each of the moment at which its node was looked at.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "flow/record.h"
#include "net/address.h"

struct flow_table;

enum flow_order {
    FLOWS_BY_BYTES,   // the most bytes first
    FLOWS_BY_PACKETS, // the most packets first
    FLOWS_BY_RECENCY, // the last seen first
};

enum { FLOW_QUERY_LIMIT = 1000 };

// What is zero matches everything.
struct flow_query {
    enum flow_order order;
    unsigned limit; // flows that are wanted: 1 to FLOW_QUERY_LIMIT
    uint8_t protocol;
    uint16_t port;         // of either end
    struct prefix address; // of either end; version 0 = any
};

struct flow_answer {
    uint64_t matched;         // flows that the query fits
    uint64_t looked_at;       // flows alive
    unsigned count;           // rows, at most the query's limit, in its order
    struct flow_record *rows; // owned, with their names
};

bool flow_answer_init(struct flow_answer *answer, const struct flow_query *query); // false without memory
void flow_answer_done(struct flow_answer *answer);

// Order of the rows; equal ones by their keys.
int flow_query_compare(const struct flow_query *query, const struct flow_record *left,
                       const struct flow_record *right);
// Takes a record with its names, or frees them, when so many better ones are there.
void flow_answer_offer(struct flow_answer *answer, const struct flow_query *query,
                       const struct flow_record *record);
// Puts the rows into order: the last step.
void flow_answer_sort(struct flow_answer *answer, const struct flow_query *query);

// Where a walk over a table stands. Start with {0}.
struct flow_walk {
    bool v6;
    uint32_t seen; // nodes
};

// Looks at the next `nodes` of the table. Whether it has been through. The owner's thread.
bool flow_table_answer(const struct flow_table *table, const struct flow_query *query, unsigned nodes,
                       struct flow_walk *walk, struct flow_answer *answer);
