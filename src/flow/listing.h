// Listings: flows in pages, for readers that come back for the next one with its token. A page is the best of the flows
// that fit and were not shown; each flow that a page shows is marked. So no flow comes twice, and a flow that was there
// and fitted from the first page to the last is shown, in every order and however flows come, go and change meanwhile.
// Flows that began after the listing are left out, so that it ends.
//
// The asking side owns listings; shards read what was shown while a page is on its way, of which a listing has one at a
// time. Bounded: FLOW_LISTINGS listings and FLOW_LISTINGS_BYTES, a bit a node and the last page of each; the least
// recently used goes first, and its token then says so. Any thread; a short lock.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "flow/page.h"

enum { FLOW_LISTINGS = 64, FLOW_LISTINGS_BYTES = 64 << 20 };

struct flow_listings;
struct flow_listing;

// Tokens are of this instance of the process only; `seed` makes them hard to guess. NULL without memory.
struct flow_listings *flow_listings_create(uint64_t instance, uint64_t seed, unsigned shards);
void flow_listings_destroy(struct flow_listings *listings); // takes NULL; no page is on its way

// Begins a listing, which holds the query's selection: its first page is the caller's to ask for, and to end with one of
// the two below. NULL with a sentence.
struct flow_listing *flow_listings_begin(struct flow_listings *listings, const struct flow_query *query,
                                         struct error *error);

// Whoever hands back a token gets either the listing, whose next page is his to ask for likewise, or the page that was
// turned last, held, when he asks for it again. False with a sentence: no token (invalid argument), of a listing that
// is gone or a page long past (failed precondition), a page of it is on its way (unavailable).
bool flow_listings_resume(struct flow_listings *listings, const char *token, struct flow_listing **listing,
                          struct flow_page **again, struct error *error);

// While the page is on its way: what is asked, and what a shard has to leave out.
const struct flow_query *flow_listing_query(const struct flow_listing *listing);
const struct flow_shown *flow_listing_shown(const struct flow_listing *listing, unsigned shard);

// The page is there, merged from what every shard answered and not given out yet: marks its flows and writes the token
// of the next one. False without memory: the listing is gone, and the page must not be shown.
bool flow_listings_turn(struct flow_listings *listings, struct flow_listing *listing,
                        const struct flow_asked asked[], struct flow_page *page, struct error *error);
// The page did not come: it may be asked for again, but a listing without a first page is gone.
void flow_listings_give_up(struct flow_listings *listings, struct flow_listing *listing);

size_t flow_listings_bytes(struct flow_listings *listings); // what they take now
