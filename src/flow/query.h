// Questions about the flows that are alive, answered in slices: a shard looks at a bounded number of nodes
// between two batches, so that a question about millions of flows never holds up a packet. One walk goes round the table
// as long as anybody asks, for all who do: a question joins it where it is, and has seen every node when the walk comes
// by there again. What is answered are copies, made then, of flows that are alive and fit the question still.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "flow/candidates.h"
#include "flow/filter.h"
#include "flow/order.h"
#include "flow/shown.h"

struct flow_table;

enum { FLOW_QUERY_LIMIT = 1000, FLOW_ROUND = 16 };

// What is zero matches everything.
struct flow_query {
    struct flow_ordering order;
    unsigned limit;                   // flows that are wanted: 1 to FLOW_QUERY_LIMIT
    struct flow_selection *selection; // NULL = all; borrowed
};

bool flow_query_check(const struct flow_query *query, struct error *error);

// A flow of an answer, and where it is.
struct flow_row {
    struct flow_record record; // owned, with its names
    uint32_t node;
    uint8_t shard;
};

struct flow_answer {
    uint64_t matched;      // flows that the query fits and the listing has not shown
    uint64_t looked_at;    // flows alive
    unsigned count;        // rows, at most the query's limit, in no order
    struct flow_row *rows; // owned
};

// Where a walk is: it goes down from the newest node, `left`, as most questions are about the latest flows; first over
// those of IPv4, then over those of IPv6.
struct flow_place {
    bool v6;
    uint32_t left;
};

// A question to one shard, the asker's until it is asked, then the shard's until it is answered.
struct flow_asked {
    struct flow_query query;
    const struct flow_shown *shown; // by a listing: are left out; NULL = no listing. Borrowed
    int64_t began_ns;               // of the listing in this shard, set when its first page is answered
    struct flow_candidates best;
    struct flow_answer answer;
    bool answered; // all of it is there
    // Where it joined the walk, and whether the walk has begun anew since.
    struct flow_place joined;
    bool came_round;
};

bool flow_asked_init(struct flow_asked *asked, const struct flow_query *query); // false without memory
void flow_asked_done(struct flow_asked *asked);

// A walk and who goes with it. Of zeros: nobody.
struct flow_round {
    struct flow_asked *asked[FLOW_ROUND]; // in the order in which they joined, which is that of their answers
    unsigned count;
    struct flow_place at;
    unsigned parts;   // that faces need: enum flow_face_part
    bool needs_parts; // somebody looks at the parts of many flows
};

// Joins a walk that fewer than FLOW_ROUND go with.
void flow_round_add(struct flow_round *round, const struct flow_table *table, struct flow_asked *asked);
// Nobody wants this answer any more.
void flow_round_give_up(struct flow_round *round, unsigned place);

// Goes on for about so many looks (a look: one question at one node; a flow whose parts have to be read costs more). Who
// is answered leaves the round, the first of it first. Whether nobody is left. The owner's thread.
bool flow_table_answer(const struct flow_table *table, struct flow_round *round, unsigned looks);
