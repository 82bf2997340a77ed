// A table whose flows the test knows, and what a question about them is answered with: sorting all that it knows.
#pragma once

#include <stdlib.h>

#include "flow/page.h"
#include "packets.h"

enum { KNOWN_MAXIMUM = 16384, PACKETS_EACH = 4 };

// What the test knows of a flow that it made.
struct known {
    struct flow_key key;
    uint64_t bytes, packets;
    int64_t first_ns, last_ns;
    bool alive;
};

struct world {
    struct test_table test;
    uint64_t random;
    unsigned count;
    struct known known[KNOWN_MAXIMUM];
};

static inline uint32_t next_random(struct world *world)
{
    world->random = world->random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(world->random >> 33);
}

static inline struct world *world_create(struct flow_policy policy)
{
    struct world *world = calloc(1, sizeof *world);
    cr_assert_not_null(world);
    test_table_init(&world->test, policy);
    return world;
}

// Flows that are left end with the table.
static inline void world_destroy(struct world *world)
{
    flow_table_done(&world->test.table);
    free(world);
}

// The first packet of flow `number`: every third one is IPv6, every second one TCP; no two share a key.
static inline struct packet first_packet(unsigned number, int64_t at_ns)
{
    uint8_t high = (uint8_t)(number >> 8), low = (uint8_t)number;
    struct packet packet =
        number % 2 == 0 ? udp_packet(0, 0, 0, 0, at_ns) : tcp_packet(0, 0, 0, 0, TCP_ACK, at_ns);
    packet.source_port = (uint16_t)(1024 + number % 5003);
    packet.target_port = number % 7 == 0 ? 53 : 443;
    if (number % 3 == 0) {
        packet.source = host_v6(low);
        packet.source.bytes[13] = high;
        packet.target = host_v6((uint8_t)(number % 11));
        packet.target.bytes[5] = 1;
    } else {
        packet.source = address_v4((const uint8_t[4]){10, 1, high, low});
        packet.target = address_v4((const uint8_t[4]){192, 168, 0, (uint8_t)(number % 13)});
    }
    return packet;
}

static inline struct packet answer_to(const struct packet *packet)
{
    struct packet answer = *packet;
    answer.source = packet->target;
    answer.target = packet->source;
    answer.source_port = packet->target_port;
    answer.target_port = packet->source_port;
    return answer;
}

static inline struct flow *count(struct world *world, struct known *known, struct packet *packet)
{
    struct fed hit = feed(&world->test, packet);
    cr_assert_not_null(hit.flow);
    known->bytes += packet->length;
    known->packets++;
    known->last_ns = packet->time_ns;
    return hit.flow;
}

// A flow with one to PACKETS_EACH packets, of few sizes so that many flows are equal.
static inline struct known *make_flow(struct world *world, int64_t at_ns)
{
    cr_assert_lt(world->count, KNOWN_MAXIMUM);
    struct known *known = &world->known[world->count];
    struct packet first = first_packet(world->count++, at_ns);
    struct packet answer = answer_to(&first);
    uint8_t sender;
    cr_assert(flow_key_of_packet(&first, &known->key, &sender));
    known->alive = true;
    known->first_ns = first.time_ns;
    count(world, known, &first);
    for (uint32_t left = next_random(world) % PACKETS_EACH; left > 0; left--) {
        struct packet *packet = next_random(world) % 2 == 0 ? &first : &answer;
        set_payload(packet, 100 * (next_random(world) % 3));
        count(world, known, packet);
    }
    return known;
}

static inline struct world *make_flows(unsigned flows)
{
    struct world *world = world_create(test_policy());
    for (unsigned i = 0; i < flows; i++)
        make_flow(world, i / 4 * NS_PER_MS);
    return world;
}

// What the tests filter by. Zero = everything.
struct wanted {
    uint8_t protocol;
    uint16_t port;
    struct prefix address; // of either end; version 0 = any
};

static inline bool has_address(const struct known *known, const struct prefix *prefix)
{
    for (int side = 0; side < 2; side++) {
        struct address address = {.version = known->key.ip_version};
        memcpy(address.bytes, known->key.addresses[side], sizeof address.bytes);
        if (prefix_contains(prefix, &address))
            return true;
    }
    return false;
}

static inline bool has_port(const struct known *known, uint16_t port)
{
    return known->key.ports[0] == port || known->key.ports[1] == port;
}

static inline bool is_wanted(const struct wanted *wanted, const struct known *known)
{
    return (wanted->protocol == 0 || known->key.protocol == wanted->protocol) &&
           (wanted->port == 0 || has_port(known, wanted->port)) &&
           (wanted->address.address.version == 0 || has_address(known, &wanted->address));
}

// The same as a selection; NULL = all flows. An address and a port need not be of the same end: two filters of one end
// each would be alternatives, so the port is asked of one end with each of the others.
static inline struct flow_selection *select_wanted(const struct wanted *wanted)
{
    uint32_t protocol = wanted->protocol;
    struct filter_ports port = {wanted->port, wanted->port};
    struct flow_filter filters[2] = {0};
    for (int i = 0; i < 2; i++) {
        if (protocol != 0)
            filters[i].field[FILTER_PROTOCOL] = (struct filter_numbers){&protocol, 1};
        if (wanted->port != 0) {
            filters[i].end[FILTER_ONE_END].ports = &port;
            filters[i].end[FILTER_ONE_END].port_count = 1;
        }
        if (wanted->address.address.version != 0)
            filters[i].end[i == 0 ? FILTER_ONE_END : FILTER_OTHER_END].networks =
                (struct filter_prefixes){&wanted->address, 1};
    }
    struct error error;
    struct flow_selection *selection =
        flow_filter_prepare(&(struct flow_filters){.allow = filters, .allow_count = 2}, &error);
    cr_assert_not_null(selection, "%s", error.text);
    return selection;
}

static inline uint64_t value_of(enum flow_order order, const struct known *known)
{
    uint64_t lasted_ns = (uint64_t)(known->last_ns - known->first_ns);
    switch (order) {
    case FLOWS_BY_BYTES:
        return known->bytes;
    case FLOWS_BY_PACKETS:
        return known->packets;
    case FLOWS_BY_RECENCY:
        return (uint64_t)known->last_ns;
    case FLOWS_BY_FIRST_SEEN:
        return (uint64_t)known->first_ns;
    case FLOWS_BY_DURATION:
        return lasted_ns;
    default:
        cr_assert_fail("not known");
        return 0;
    }
}

static inline int compare_known(const void *left, const void *right, void *ordering)
{
    const struct known *first = *(const struct known *const *)left,
                       *second = *(const struct known *const *)right;
    struct flow_ordering order = *(struct flow_ordering *)ordering;
    uint64_t one = value_of(order.by, first), other = value_of(order.by, second);
    if (one != other)
        return (one > other) != order.ascending ? -1 : 1;
    return flow_key_compare(&first->key, &second->key);
}

// All flows that are alive and wanted, sorted; to be freed.
static inline const struct known **sort_known(const struct world *world, const struct wanted *wanted,
                                              struct flow_ordering order, unsigned *count)
{
    const struct known **sorted = calloc(world->count + 1, sizeof *sorted);
    *count = 0;
    for (unsigned i = 0; i < world->count; i++)
        if (world->known[i].alive && is_wanted(wanted, &world->known[i]))
            sorted[(*count)++] = &world->known[i];
    qsort_r(sorted, *count, sizeof(*sorted), compare_known, &order);
    return sorted;
}

static inline bool is_of(const struct flow_record *row, const struct known *known)
{
    if (row->protocol != known->key.protocol)
        return false;
    for (int side = 0; side < 2; side++)
        if (row->endpoint[side].port != known->key.ports[side] ||
            row->endpoint[side].address.version != known->key.ip_version ||
            memcmp(row->endpoint[side].address.bytes, known->key.addresses[side], 16) != 0)
            return false;
    return true;
}

static inline void expect_row(const struct flow_record *row, const struct known *known, unsigned place)
{
    cr_assert(is_of(row, known), "another flow at place %u", place);
    cr_assert_eq(row->bytes[0] + row->bytes[1], known->bytes, "place %u", place);
    cr_assert_eq(row->packets[0] + row->packets[1], known->packets, "place %u", place);
    cr_assert_eq(row->last_seen_ns, known->last_ns, "place %u", place);
    cr_assert_not(row->final);
}

static inline void expect_rows(const struct world *world, const struct wanted *wanted,
                               const struct flow_query *query, const struct flow_page *page)
{
    unsigned count;
    const struct known **sorted = sort_known(world, wanted, query->order, &count);
    cr_assert_eq(page->matched, count, "%lu of %u", page->matched, count);
    cr_assert_eq(page->looked_at, flow_table_active(&world->test.table));
    cr_assert_eq(page->count, count < query->limit ? count : query->limit);
    for (unsigned i = 0; i < page->count; i++)
        expect_row(&page->rows[i].record, sorted[i], i);
    free(sorted);
}

// Asks in slices of so many looks; the page is the caller's to release.
static inline struct flow_page *ask(const struct world *world, const struct flow_query *query, unsigned looks)
{
    struct flow_asked asked;
    struct flow_round round = {0};
    cr_assert(flow_asked_init(&asked, query));
    flow_round_add(&round, &world->test.table, &asked);
    while (!flow_table_answer(&world->test.table, &round, looks))
        ;
    cr_assert(asked.answered);
    struct flow_page *page = flow_page_merge(query, &asked, 1);
    flow_asked_done(&asked);
    cr_assert_not_null(page);
    return page;
}

static inline void expect_answer(const struct world *world, const struct wanted *wanted,
                                 struct flow_query query)
{
    static const unsigned slices[] = {1, 7, 2048, 1 << 30};
    query.selection = select_wanted(wanted);
    for (unsigned i = 0; i < sizeof slices / sizeof slices[0]; i++) {
        struct flow_page *page = ask(world, &query, slices[i]);
        expect_rows(world, wanted, &query, page);
        flow_page_release(page);
    }
    flow_selection_release(query.selection);
}

// Takes what ended and marks it.
static inline unsigned take_ended(struct world *world)
{
    struct flow_record record;
    int64_t order_ns;
    unsigned taken = 0;
    for (; flow_table_take(&world->test.table, &record, &order_ns); taken++) {
        unsigned i = 0;
        while (i < world->count && !(world->known[i].alive && is_of(&record, &world->known[i])))
            i++;
        cr_assert_lt(i, world->count, "an unknown flow ended");
        world->known[i].alive = false;
        flow_names_free(record.names);
    }
    return taken;
}
