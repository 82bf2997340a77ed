// Shards whose flows come, go and change, and listings of them.
#pragma once

#include <stdlib.h>

#include "flow/listing.h"
#include "packets.h"

enum { SHARDS = 2, MOST = 4000, AT_FIRST = 600, INSTANCE = 77, TIMEOUT_SECS = 30 };

// A flow of the test, by its port. A key that is used again is another flow.
struct known {
    int64_t first_ns, last_ns;
    unsigned key; // of which the endpoints are made
    bool alive, since_begin;
    unsigned shown;
};

struct world {
    struct test_table shard[SHARDS];
    struct flow_listings *listings;
    struct known known[MOST];
    unsigned count;
    unsigned next_key;
    unsigned of_key[MOST]; // the last flow of each
    int64_t now_ns;
    uint64_t random;
};

static inline uint32_t roll(struct world *world, uint32_t sides)
{
    world->random = world->random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(world->random >> 33) % sides;
}

static inline struct packet packet_of(const struct world *world, unsigned key)
{
    uint16_t port = (uint16_t)(1024 + key);
    struct packet packet = key % 2 == 0 ? udp_packet(1, port, 2, 53, world->now_ns)
                                        : tcp_packet(1, port, 2, 80, TCP_ACK, world->now_ns);
    if (key % 3 == 0) {
        packet.source = host_v6(1);
        packet.target = host_v6(2);
    }
    return packet;
}

static inline struct test_table *shard_of(struct world *world, unsigned key)
{
    return &world->shard[key / 7 % SHARDS];
}

// Another packet of the flow, some with data that was there before: retransmissions.
static inline void touch(struct world *world, unsigned key)
{
    struct packet packet = packet_of(world, key);
    set_payload(&packet, roll(world, 3) * 100);
    packet.tcp.sequence = roll(world, 5) * 100;
    packet.tcp.acknowledgement = 1;
    cr_assert_not(feed(shard_of(world, key), &packet).created);
    world->known[world->of_key[key]].last_ns = packet.time_ns;
}

static inline void begin_flow(struct world *world, unsigned key)
{
    struct packet packet = packet_of(world, key);
    packet.tcp.sequence = roll(world, 5) * 100;
    cr_assert_lt(world->count, MOST);
    cr_assert(feed(shard_of(world, key), &packet).created);
    world->of_key[key] = world->count;
    world->known[world->count++] =
        (struct known){.first_ns = packet.time_ns, .last_ns = packet.time_ns, .key = key, .alive = true};
}

static inline unsigned key_of(const struct flow_record *record)
{
    uint16_t one = record->endpoint[0].port, other = record->endpoint[1].port;
    return (unsigned)(one > other ? one : other) - 1024;
}

static inline struct known *known_of(struct world *world, const struct flow_record *record)
{
    struct known *known = &world->known[world->of_key[key_of(record)]];
    cr_assert_eq(known->first_ns, record->first_seen_ns, "another flow of this key");
    return known;
}

static inline void end_idle(struct world *world)
{
    for (unsigned shard = 0; shard < SHARDS; shard++) {
        tick(&world->shard[shard], world->now_ns);
        while (ended(&world->shard[shard]) > 0) {
            struct flow_record record = take(&world->shard[shard]);
            known_of(world, &record)->alive = false;
        }
    }
}

// Whether it would go on with another packet.
static inline bool may_be_touched(const struct world *world, const struct known *known)
{
    return known->alive && TEST_START_NS + world->now_ns - known->last_ns < TIMEOUT_SECS * NS_PER_S;
}

static inline void live_on(struct world *world, int64_t for_ns)
{
    world->now_ns += for_ns;
    for (unsigned i = 0; i < world->count; i++)
        if (may_be_touched(world, &world->known[i]) && (world->known[i].key % 4 == 0 || roll(world, 100) < 2))
            touch(world, world->known[i].key);
    end_idle(world);
    for (unsigned i = 0; i < 10; i++) { // new flows, of new keys and of some that ended
        unsigned key = i < 5 ? world->next_key++ : roll(world, AT_FIRST);
        if (i < 5 || !world->known[world->of_key[key]].alive)
            begin_flow(world, key);
    }
}

static inline struct world *world_create(void)
{
    struct world *world = calloc(1, sizeof *world);
    struct flow_policy policy = test_policy();
    policy.timeout_ns = policy.tcp_timeout_ns = policy.udp_timeout_ns = TIMEOUT_SECS * NS_PER_S;
    for (unsigned shard = 0; shard < SHARDS; shard++)
        test_table_init(&world->shard[shard], policy);
    world->listings = flow_listings_create(INSTANCE, 1, SHARDS);
    cr_assert_not_null(world->listings);
    world->next_key = AT_FIRST;
    for (unsigned key = 0; key < AT_FIRST; key++) {
        world->now_ns += NS_PER_MS;
        begin_flow(world, key);
        if (key % 3 == 0)
            touch(world, key);
    }
    return world;
}

static inline void world_destroy(struct world *world)
{
    flow_listings_destroy(world->listings);
    for (unsigned shard = 0; shard < SHARDS; shard++)
        flow_table_done(&world->shard[shard].table);
    free(world);
}

// Asks every shard, in slices between which the world lives on; the caller's to turn or give up.
static inline struct flow_page *answer(struct world *world, struct flow_listing *listing,
                                       struct flow_asked asked[SHARDS], int64_t between_ns)
{
    const struct flow_query *query = flow_listing_query(listing);
    for (unsigned shard = 0; shard < SHARDS; shard++) {
        struct flow_round round = {0};
        cr_assert(flow_asked_init(&asked[shard], query));
        asked[shard].shown = flow_listing_shown(listing, shard);
        flow_round_add(&round, &world->shard[shard].table, &asked[shard]);
        while (!flow_table_answer(&world->shard[shard].table, &round, 500))
            if (between_ns != 0)
                live_on(world, between_ns);
    }
    struct flow_page *page = flow_page_merge(query, asked, SHARDS);
    cr_assert_not_null(page);
    return page;
}

static inline struct flow_page *turn(struct world *world, struct flow_listing *listing, int64_t between_ns)
{
    struct flow_asked asked[SHARDS];
    struct error error;
    struct flow_page *page = answer(world, listing, asked, between_ns);
    cr_assert(flow_listings_turn(world->listings, listing, asked, page, &error), "%s", error.text);
    for (unsigned shard = 0; shard < SHARDS; shard++)
        flow_asked_done(&asked[shard]);
    return page;
}

static inline struct flow_listing *begin(struct world *world, const struct flow_query *query)
{
    struct error error;
    struct flow_listing *listing = flow_listings_begin(world->listings, query, &error);
    cr_assert_not_null(listing, "%s", error.text);
    return listing;
}

static inline struct flow_page *next(struct world *world, const char *token, int64_t between_ns)
{
    struct flow_listing *listing;
    struct flow_page *again;
    struct error error;
    cr_assert(flow_listings_resume(world->listings, token, &listing, &again, &error), "%s", error.text);
    return again != NULL ? again : turn(world, listing, between_ns);
}

static inline void expect_refused(struct world *world, const char *token, enum error_kind kind,
                                  const char *words)
{
    struct flow_listing *listing;
    struct flow_page *again;
    struct error error = {0};
    cr_expect_not(flow_listings_resume(world->listings, token, &listing, &again, &error));
    cr_expect_eq(error.kind, kind, "%d", error.kind);
    cr_expect_not_null(strstr(error.text, words), "%s", error.text);
    cr_expect_null(listing);
    cr_expect_null(again);
}
