// Pages while flows come, go and change, and what becomes of their tokens.
#include "flow/listing.h"

#include <stdio.h>
#include <stdlib.h>

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

static uint32_t roll(struct world *world, uint32_t sides)
{
    world->random = world->random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(world->random >> 33) % sides;
}

static struct packet packet_of(const struct world *world, unsigned key)
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

static struct test_table *shard_of(struct world *world, unsigned key)
{
    return &world->shard[key / 7 % SHARDS];
}

// Another packet of the flow, some with data that was there before: retransmissions.
static void touch(struct world *world, unsigned key)
{
    struct packet packet = packet_of(world, key);
    set_payload(&packet, roll(world, 3) * 100);
    packet.tcp.sequence = roll(world, 5) * 100;
    packet.tcp.acknowledgement = 1;
    cr_assert_not(feed(shard_of(world, key), &packet).created);
    world->known[world->of_key[key]].last_ns = packet.time_ns;
}

static void begin_flow(struct world *world, unsigned key)
{
    struct packet packet = packet_of(world, key);
    packet.tcp.sequence = roll(world, 5) * 100;
    cr_assert_lt(world->count, MOST);
    cr_assert(feed(shard_of(world, key), &packet).created);
    world->of_key[key] = world->count;
    world->known[world->count++] =
        (struct known){.first_ns = packet.time_ns, .last_ns = packet.time_ns, .key = key, .alive = true};
}

static unsigned key_of(const struct flow_record *record)
{
    uint16_t one = record->endpoint[0].port, other = record->endpoint[1].port;
    return (unsigned)(one > other ? one : other) - 1024;
}

static struct known *known_of(struct world *world, const struct flow_record *record)
{
    struct known *known = &world->known[world->of_key[key_of(record)]];
    cr_assert_eq(known->first_ns, record->first_seen_ns, "another flow of this key");
    return known;
}

static void end_idle(struct world *world)
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
static bool may_be_touched(const struct world *world, const struct known *known)
{
    return known->alive && TEST_START_NS + world->now_ns - known->last_ns < TIMEOUT_SECS * NS_PER_S;
}

static void live_on(struct world *world, int64_t for_ns)
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

static struct world *world_create(void)
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

static void world_destroy(struct world *world)
{
    flow_listings_destroy(world->listings);
    for (unsigned shard = 0; shard < SHARDS; shard++)
        flow_table_done(&world->shard[shard].table);
    free(world);
}

// Asks every shard, in slices between which the world lives on; the caller's to turn or give up.
static struct flow_page *answer(struct world *world, struct flow_listing *listing,
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

static struct flow_page *turn(struct world *world, struct flow_listing *listing, int64_t between_ns)
{
    struct flow_asked asked[SHARDS];
    struct error error;
    struct flow_page *page = answer(world, listing, asked, between_ns);
    cr_assert(flow_listings_turn(world->listings, listing, asked, page, &error), "%s", error.text);
    for (unsigned shard = 0; shard < SHARDS; shard++)
        flow_asked_done(&asked[shard]);
    return page;
}

static struct flow_listing *begin(struct world *world, const struct flow_query *query)
{
    struct error error;
    struct flow_listing *listing = flow_listings_begin(world->listings, query, &error);
    cr_assert_not_null(listing, "%s", error.text);
    return listing;
}

static struct flow_page *next(struct world *world, const char *token, int64_t between_ns)
{
    struct flow_listing *listing;
    struct flow_page *again;
    struct error error;
    cr_assert(flow_listings_resume(world->listings, token, &listing, &again, &error), "%s", error.text);
    return again != NULL ? again : turn(world, listing, between_ns);
}

static void expect_order(const struct flow_page *page, const struct flow_query *query)
{
    cr_assert_leq(page->count, query->limit);
    for (unsigned i = 1; i < page->count; i++)
        cr_assert_leq(flow_order_compare(query->order, &page->rows[i - 1].record, &page->rows[i].record), 0);
}

static void note_page(struct world *world, const struct flow_page *page, const struct flow_query *query)
{
    expect_order(page, query);
    for (unsigned i = 0; i < page->count; i++) {
        unsigned key = key_of(&page->rows[i].record), found = MOST;
        for (unsigned k = 0; k < world->count; k++) // also of flows that have ended meanwhile
            if (world->known[k].key == key && world->known[k].first_ns == page->rows[i].record.first_seen_ns)
                found = k;
        cr_assert_lt(found, MOST, "a flow that never was");
        cr_assert_eq(world->known[found].shown++, 0, "twice");
    }
}

// No flow twice, none left out that was there all along.
static void list_to_the_end(struct flow_query query, int64_t between_pages_ns, int64_t between_slices_ns)
{
    struct world *world = world_create();
    unsigned pages = 1, all = 0, stayed = 0;
    for (unsigned i = 0; i < world->count; i++)
        world->known[i].since_begin = true;
    struct flow_page *page = turn(world, begin(world, &query), between_slices_ns);
    for (;; pages++) {
        note_page(world, page, &query);
        all += page->count;
        char token[FLOW_TOKEN_TEXT_BYTES];
        memcpy(token, page->next, sizeof token);
        flow_page_release(page);
        if (token[0] == '\0')
            break;
        cr_assert_lt(pages, 500, "it does not end");
        if (between_pages_ns != 0)
            live_on(world, between_pages_ns);
        page = next(world, token, between_slices_ns);
    }
    for (unsigned i = 0; i < world->count; i++) {
        if (between_slices_ns == 0)
            cr_assert(world->known[i].since_begin || world->known[i].shown == 0, "flow %u began later", i);
        if (!world->known[i].since_begin || !world->known[i].alive)
            continue;
        stayed++;
        cr_assert_eq(world->known[i].shown, 1, "flow %u was there all along", i);
    }
    cr_expect_geq(all, stayed);
    cr_expect_gt(pages, 8);
    if (between_pages_ns == 0)
        cr_expect(all == AT_FIRST && stayed == AT_FIRST);
    else
        cr_expect(stayed > 50 && stayed < AT_FIRST - 50, "%u of %u", stayed, AT_FIRST);
    world_destroy(world);
}

static void list_in_every_order(int64_t between_pages_ns, int64_t between_slices_ns)
{
    for (enum flow_order order = 0; order < FLOW_ORDERS; order++)
        for (int ascending = 0; ascending < 2; ascending++)
            list_to_the_end((struct flow_query){.order = {order, ascending != 0}, .limit = 25},
                            between_pages_ns, between_slices_ns);
}

Test(listing, of_a_table_at_rest_shows_all_in_order, .timeout = 60)
{
    list_in_every_order(0, 0);
}

Test(listing, is_right_while_flows_come_go_and_change, .timeout = 120)
{
    list_in_every_order(5 * NS_PER_S, 0);
}

Test(listing, is_right_while_they_do_so_within_a_page, .timeout = 120)
{
    list_in_every_order(4 * NS_PER_S, 500 * NS_PER_MS);
}

static void expect_same_rows(const struct flow_page *one, const struct flow_page *other)
{
    cr_assert_eq(one->count, other->count);
    cr_assert_str_eq(one->next, other->next);
    for (unsigned i = 0; i < one->count; i++)
        cr_assert_eq(flow_record_compare_keys(&one->rows[i].record, &other->rows[i].record), 0);
}

static void expect_refused(struct world *world, const char *token, enum error_kind kind, const char *words)
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

Test(listing, gives_the_last_page_again)
{
    struct world *world = world_create();
    struct flow_query query = {.limit = 50};
    struct flow_page *first = turn(world, begin(world, &query), 0);
    struct flow_page *second = next(world, first->next, 0);
    live_on(world, NS_PER_S);
    struct flow_page *again = next(world, first->next, 0);
    expect_same_rows(second, again);
    flow_page_release(again);
    struct flow_page *third = next(world, second->next, 0);
    expect_refused(world, first->next, ERROR_FAILED_PRECONDITION, "only the last one is kept");
    again = next(world, second->next, 0);
    expect_same_rows(third, again);
    flow_page_release(again);
    flow_page_release(first);
    flow_page_release(second);
    flow_page_release(third);
    world_destroy(world);
}

Test(listing, keeps_its_last_page_when_it_has_ended)
{
    struct world *world = world_create();
    struct flow_page *first = turn(world, begin(world, &(struct flow_query){.limit = 400}), 0);
    struct flow_page *last = next(world, first->next, 0), *again = next(world, first->next, 0);
    cr_expect_str_eq(last->next, "");
    cr_expect_eq(last->count, AT_FIRST - 400);
    expect_same_rows(last, again);
    flow_page_release(first);
    flow_page_release(last);
    flow_page_release(again);
    world_destroy(world);
}

Test(listing, is_asked_for_one_page_at_a_time)
{
    struct world *world = world_create();
    struct flow_page *first = turn(world, begin(world, &(struct flow_query){.limit = 50}), 0);
    struct flow_listing *listing;
    struct flow_page *again;
    struct error error;
    cr_assert(flow_listings_resume(world->listings, first->next, &listing, &again, &error));
    expect_refused(world, first->next, ERROR_UNAVAILABLE, "on its way");
    flow_listings_give_up(world->listings, listing);
    struct flow_page *second = next(world, first->next, 0); // may be asked for again
    cr_expect_eq(second->count, 50);
    cr_expect_neq(flow_record_compare_keys(&first->rows[0].record, &second->rows[0].record), 0);
    flow_page_release(first);
    flow_page_release(second);
    world_destroy(world);
}

Test(listing, without_a_first_page_is_gone)
{
    struct world *world = world_create();
    size_t before = flow_listings_bytes(world->listings);
    struct flow_listing *listing = begin(world, &(struct flow_query){.limit = 50});
    cr_expect_gt(flow_listings_bytes(world->listings), before);
    flow_listings_give_up(world->listings, listing);
    cr_expect_eq(flow_listings_bytes(world->listings), before);
    world_destroy(world);
}

Test(listing, that_was_not_used_for_longest_goes_first)
{
    struct world *world = world_create();
    struct flow_query query = {.limit = 50};
    char token[FLOW_LISTINGS + 1][FLOW_TOKEN_TEXT_BYTES];
    for (unsigned i = 0; i <= FLOW_LISTINGS; i++) {
        struct flow_page *page = turn(world, begin(world, &query), 0);
        memcpy(token[i], page->next, sizeof token[i]);
        flow_page_release(page);
        if (i > 0) // the first one is used again and again
            flow_page_release(next(world, token[0], 0));
    }
    expect_refused(world, token[1], ERROR_FAILED_PRECONDITION, "begin again");
    flow_page_release(next(world, token[0], 0));
    flow_page_release(next(world, token[2], 0));
    cr_expect_lt(flow_listings_bytes(world->listings), FLOW_LISTINGS_BYTES);
    world_destroy(world);
}

Test(listing, is_refused_when_as_many_are_being_asked)
{
    struct world *world = world_create();
    struct flow_listing *listing[FLOW_LISTINGS];
    struct error error = {0};
    for (unsigned i = 0; i < FLOW_LISTINGS; i++)
        listing[i] = begin(world, &(struct flow_query){.limit = 50});
    cr_expect_null(flow_listings_begin(world->listings, &(struct flow_query){.limit = 50}, &error));
    cr_expect_eq(error.kind, ERROR_EXHAUSTED);
    for (unsigned i = 0; i < FLOW_LISTINGS; i++)
        flow_listings_give_up(world->listings, listing[i]);
    world_destroy(world);
}

Test(listing, holds_its_selection)
{
    struct world *world = world_create();
    static const uint32_t udp = IP_PROTOCOL_UDP;
    struct flow_filter filter = {.field[FILTER_PROTOCOL] = {&udp, 1}};
    struct error error;
    struct flow_query query = {.limit = 50};
    query.selection = flow_filter_prepare(&(struct flow_filters){.allow = &filter, .allow_count = 1}, &error);
    struct flow_page *page = turn(world, begin(world, &query), 0);
    flow_selection_release(query.selection);
    unsigned all = page->count;
    while (page->next[0] != '\0') {
        struct flow_page *before = page;
        page = next(world, before->next, 0);
        flow_page_release(before);
        for (unsigned i = 0; i < page->count; i++)
            cr_assert_eq(page->rows[i].record.protocol, udp);
        all += page->count;
    }
    cr_expect_eq(all, AT_FIRST / 2);
    flow_page_release(page);
    world_destroy(world);
}

// Tokens.

Test(listing_token, comes_back_as_it_was)
{
    struct flow_token token = {0x0123456789abcdef, 0xfedcba9876543210, 7}, parsed;
    char text[FLOW_TOKEN_TEXT_BYTES];
    cr_expect_str_eq(flow_token_format(&token, text), text);
    cr_expect_eq(strlen(text), 48);
    cr_assert(flow_token_parse(text, &parsed));
    cr_expect(parsed.instance == token.instance && parsed.listing == token.listing &&
              parsed.page == token.page);
}

Test(listing_token, that_was_changed_is_none)
{
    struct flow_token token = {1, 2, 3};
    char text[FLOW_TOKEN_TEXT_BYTES + 1];
    for (unsigned i = 0; i < FLOW_TOKEN_TEXT_BYTES - 1; i++) {
        flow_token_format(&token, text);
        text[i] = text[i] == '7' ? '8' : '7';
        cr_expect_not(flow_token_parse(text, &token), "at %u", i);
        text[i] = 'G';
        cr_expect_not(flow_token_parse(text, &token));
        text[i] = '\0';
        cr_expect_not(flow_token_parse(text, &token));
    }
    flow_token_format(&token, text);
    strcat(text, "0");
    cr_expect_not(flow_token_parse(text, &token));
    cr_expect_not(flow_token_parse("", &token));
}

Test(listing_token, of_another_run_or_listing_is_told)
{
    struct world *world = world_create();
    struct flow_page *page = turn(world, begin(world, &(struct flow_query){.limit = 50}), 0);
    struct flow_token token;
    char text[FLOW_TOKEN_TEXT_BYTES];
    cr_assert(flow_token_parse(page->next, &token));
    cr_expect(token.instance == INSTANCE && token.page == 1);
    expect_refused(world, "nonsense", ERROR_INVALID_ARGUMENT, "none of ours");
    expect_refused(world, "", ERROR_INVALID_ARGUMENT, "none of ours");
    token.instance++;
    expect_refused(world, flow_token_format(&token, text), ERROR_FAILED_PRECONDITION, "is gone");
    token.instance--;
    token.listing++;
    expect_refused(world, flow_token_format(&token, text), ERROR_FAILED_PRECONDITION, "is gone");
    token.listing--;
    token.page = 2;
    expect_refused(world, flow_token_format(&token, text), ERROR_INVALID_ARGUMENT, "nobody was offered");
    token.page = 0;
    expect_refused(world, flow_token_format(&token, text), ERROR_INVALID_ARGUMENT, "nobody was offered");
    flow_page_release(page);
    world_destroy(world);
}
