// A page: the answers of all shards to a question, merged and in order. Frozen once it is given out; whoever holds it
// may read it in any thread.
#pragma once

#include <stdatomic.h>
#include <stddef.h>

#include "flow/listing_token.h"
#include "flow/query.h"

struct flow_page {
    atomic_uint holders;
    uint64_t matched;                 // flows that the query fits; of a listing, those not shown before
    uint64_t looked_at;               // flows alive
    char next[FLOW_TOKEN_TEXT_BYTES]; // token of the page behind this one; "" = none
    size_t bytes;                     // what the page takes, names included
    void *above;                      // what a floor above made of the rows, one block; freed with the page
    unsigned count;
    struct flow_row rows[]; // in the query's order
};

// Takes the best rows out of the answers of `shards` shards, whose other rows stay theirs. Held once; NULL without
// memory. Cost: some 0.5 us a row.
struct flow_page *flow_page_merge(const struct flow_query *query, struct flow_asked asked[], unsigned shards);

struct flow_page *flow_page_hold(struct flow_page *page);
void flow_page_release(struct flow_page *page); // takes NULL
