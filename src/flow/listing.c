#include "flow/listing.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/hash.h"

struct flow_listing {
    uint64_t id;
    uint64_t used; // when it was used last, as a count of uses
    struct flow_query query;
    uint32_t pages; // turned so far
    bool busy;      // a page is on its way
    bool ended;
    size_t bytes;
    struct flow_page *last;    // held; NULL before the first
    struct flow_shown shown[]; // by shard; without the lock, while it is busy, its asker's
};

struct flow_listings {
    pthread_mutex_t lock;
    uint64_t instance, seed, uses;
    unsigned shards;
    size_t bytes;
    struct flow_listing *items[FLOW_LISTINGS]; // NULL = free
};

struct flow_listings *flow_listings_create(uint64_t instance, uint64_t seed, unsigned shards)
{
    struct flow_listings *listings = calloc(1, sizeof *listings);
    if (listings == NULL)
        return NULL;
    pthread_mutex_init(&listings->lock, NULL);
    listings->instance = instance;
    listings->seed = seed;
    listings->shards = shards;
    return listings;
}

static void forget_shown(const struct flow_listings *listings, struct flow_listing *listing)
{
    for (unsigned shard = 0; shard < listings->shards; shard++)
        flow_shown_done(&listing->shown[shard]);
}

static void destroy(struct flow_listings *listings, unsigned place)
{
    struct flow_listing *listing = listings->items[place];
    listings->items[place] = NULL;
    listings->bytes -= listing->bytes;
    forget_shown(listings, listing);
    flow_page_release(listing->last);
    flow_selection_release(listing->query.selection);
    free(listing);
}

void flow_listings_destroy(struct flow_listings *listings)
{
    if (listings == NULL)
        return;
    for (unsigned i = 0; i < FLOW_LISTINGS; i++)
        if (listings->items[i] != NULL)
            destroy(listings, i);
    assert(listings->bytes == 0);
    pthread_mutex_destroy(&listings->lock);
    free(listings);
}

// Under the lock, as what follows.

static unsigned place_of(const struct flow_listings *listings, const struct flow_listing *listing)
{
    unsigned place = 0;
    while (place < FLOW_LISTINGS && listings->items[place] != listing)
        place++;
    return place;
}

// The least recently used one of which no page is on its way; FLOW_LISTINGS = none.
static unsigned oldest(const struct flow_listings *listings)
{
    unsigned found = FLOW_LISTINGS;
    for (unsigned i = 0; i < FLOW_LISTINGS; i++) {
        const struct flow_listing *listing = listings->items[i];
        if (listing != NULL && !listing->busy &&
            (found == FLOW_LISTINGS || listing->used < listings->items[found]->used))
            found = i;
    }
    return found;
}

static unsigned free_place(struct flow_listings *listings)
{
    unsigned place = place_of(listings, NULL);
    if (place < FLOW_LISTINGS)
        return place;
    place = oldest(listings);
    if (place < FLOW_LISTINGS)
        destroy(listings, place);
    return place;
}

static void use(struct flow_listings *listings, struct flow_listing *listing)
{
    listing->used = ++listings->uses;
}

static struct flow_listing *find(struct flow_listings *listings, uint64_t id)
{
    for (unsigned i = 0; i < FLOW_LISTINGS; i++)
        if (listings->items[i] != NULL && listings->items[i]->id == id)
            return listings->items[i];
    return NULL;
}

// Sizes are told anew where they change; what is above the bound goes, the least recently used first.
static void weigh(struct flow_listings *listings, struct flow_listing *listing)
{
    size_t bytes = sizeof *listing + listings->shards * sizeof listing->shown[0];
    for (unsigned shard = 0; shard < listings->shards; shard++)
        bytes += flow_shown_bytes(&listing->shown[shard]);
    if (listing->last != NULL)
        bytes += listing->last->bytes;
    listings->bytes += bytes - listing->bytes;
    listing->bytes = bytes;
    unsigned place;
    while (listings->bytes > FLOW_LISTINGS_BYTES && (place = oldest(listings)) < FLOW_LISTINGS)
        destroy(listings, place);
}

static struct flow_listing *create(struct flow_listings *listings, const struct flow_query *query)
{
    struct flow_listing *listing = calloc(1, sizeof *listing + listings->shards * sizeof listing->shown[0]);
    if (listing == NULL)
        return NULL;
    listing->query = *query;
    flow_selection_hold(query->selection);
    for (unsigned shard = 0; shard < listings->shards; shard++)
        listing->shown[shard].began_ns = FLOWS_NOT_BEGUN;
    return listing;
}

struct flow_listing *flow_listings_begin(struct flow_listings *listings, const struct flow_query *query,
                                         struct error *error)
{
    struct flow_listing *listing = create(listings, query);
    if (listing == NULL) {
        error_set(error, ERROR_EXHAUSTED, "no memory to list flows: ask for fewer at once");
        return NULL;
    }
    pthread_mutex_lock(&listings->lock);
    unsigned place = free_place(listings);
    if (place < FLOW_LISTINGS) {
        use(listings, listing);
        listing->busy = true;
        uint64_t words[2] = {listing->used, listings->instance};
        listing->id = hash_16_bytes(words, listings->seed);
        listings->items[place] = listing;
        weigh(listings, listing);
    }
    pthread_mutex_unlock(&listings->lock);
    if (place < FLOW_LISTINGS)
        return listing;
    flow_selection_release(listing->query.selection);
    free(listing);
    error_set(error, ERROR_EXHAUSTED, "%d listings of flows are read at this moment: try again",
              FLOW_LISTINGS);
    return NULL;
}

static bool is_gone(struct error *error)
{
    return error_set(error, ERROR_FAILED_PRECONDITION,
                     "the listing of this page token is gone: begin again without a token");
}

static bool resume(struct flow_listings *listings, const struct flow_token *token,
                   struct flow_listing **listing, struct flow_page **again, struct error *error)
{
    struct flow_listing *found = find(listings, token->listing);
    if (found == NULL || token->instance != listings->instance)
        return is_gone(error);
    if (token->page == 0 || token->page > found->pages) // the first page has none
        return error_set(error, ERROR_INVALID_ARGUMENT,
                         "the page token names a page that nobody was offered");
    if (found->busy)
        return error_set(error, ERROR_UNAVAILABLE,
                         "a page of this listing is on its way: ask again when it came");
    use(listings, found);
    if (token->page + 1 == found->pages) {
        *again = flow_page_hold(found->last);
        return true;
    }
    if (token->page < found->pages)
        return error_set(
            error, ERROR_FAILED_PRECONDITION,
            "the page of this token was read long ago, and only the last one is kept: begin again");
    if (found->ended)
        return is_gone(error);
    found->busy = true;
    *listing = found;
    return true;
}

bool flow_listings_resume(struct flow_listings *listings, const char *token, struct flow_listing **listing,
                          struct flow_page **again, struct error *error)
{
    struct flow_token parsed;
    *listing = NULL;
    *again = NULL;
    if (!flow_token_parse(token, &parsed))
        return error_set(error, ERROR_INVALID_ARGUMENT,
                         "the page token is none of ours: hand back what came with a page, unchanged");
    pthread_mutex_lock(&listings->lock);
    bool good = resume(listings, &parsed, listing, again, error);
    pthread_mutex_unlock(&listings->lock);
    return good;
}

const struct flow_query *flow_listing_query(const struct flow_listing *listing)
{
    return &listing->query;
}

const struct flow_shown *flow_listing_shown(const struct flow_listing *listing, unsigned shard)
{
    return &listing->shown[shard];
}

static bool mark(struct flow_listing *listing, const struct flow_page *page)
{
    for (unsigned i = 0; i < page->count; i++)
        if (!flow_shown_mark(&listing->shown[page->rows[i].shard], page->rows[i].node))
            return false;
    return true;
}

bool flow_listings_turn(struct flow_listings *listings, struct flow_listing *listing,
                        const struct flow_asked asked[], struct flow_page *page, struct error *error)
{
    assert(listing->busy);
    bool ended = page->matched <= page->count, marked = ended || mark(listing, page);
    for (unsigned shard = 0; shard < listings->shards; shard++)
        listing->shown[shard].began_ns = asked[shard].began_ns;
    if (ended)
        forget_shown(listings, listing);
    pthread_mutex_lock(&listings->lock);
    listing->ended = ended;
    listing->pages++;
    if (!ended)
        flow_token_format(&(struct flow_token){listings->instance, listing->id, listing->pages}, page->next);
    listing->busy = false;
    if (marked) {
        flow_page_release(listing->last);
        listing->last = flow_page_hold(page);
        weigh(listings, listing);
    } else {
        destroy(listings, place_of(listings, listing));
    }
    pthread_mutex_unlock(&listings->lock);
    return marked ||
           error_set(error, ERROR_EXHAUSTED, "no memory to remember which flows were listed: begin again");
}

void flow_listings_give_up(struct flow_listings *listings, struct flow_listing *listing)
{
    pthread_mutex_lock(&listings->lock);
    assert(listing->busy);
    listing->busy = false;
    if (listing->pages == 0)
        destroy(listings, place_of(listings, listing));
    pthread_mutex_unlock(&listings->lock);
}

size_t flow_listings_bytes(struct flow_listings *listings)
{
    pthread_mutex_lock(&listings->lock);
    size_t bytes = listings->bytes;
    pthread_mutex_unlock(&listings->lock);
    return bytes;
}
