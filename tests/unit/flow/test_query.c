#include "flow/page.h"

#include <stdio.h>
#include <stdlib.h>

#include "packets.h"

enum { KNOWN_MAXIMUM = 16384, FLOWS = 5000, PACKETS_EACH = 4, ALL_NODES = 1 << 30 };

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

static uint32_t next_random(struct world *world)
{
    world->random = world->random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(world->random >> 33);
}

static struct world *world_create(struct flow_policy policy)
{
    struct world *world = calloc(1, sizeof *world);
    cr_assert_not_null(world);
    test_table_init(&world->test, policy);
    return world;
}

// Flows that are left end with the table.
static void world_destroy(struct world *world)
{
    flow_table_done(&world->test.table);
    free(world);
}

// The first packet of flow `number`: every third one is IPv6, every second one TCP; no two share a key.
static struct packet first_packet(unsigned number, int64_t at_ns)
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

static struct packet answer_to(const struct packet *packet)
{
    struct packet answer = *packet;
    answer.source = packet->target;
    answer.target = packet->source;
    answer.source_port = packet->target_port;
    answer.target_port = packet->source_port;
    return answer;
}

static struct flow *count(struct world *world, struct known *known, struct packet *packet)
{
    struct fed hit = feed(&world->test, packet);
    cr_assert_not_null(hit.flow);
    known->bytes += packet->length;
    known->packets++;
    known->last_ns = packet->time_ns;
    return hit.flow;
}

// A flow with one to PACKETS_EACH packets, of few sizes so that many flows are equal.
static struct known *make_flow(struct world *world, int64_t at_ns)
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

static struct world *make_flows(unsigned flows)
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

static bool has_address(const struct known *known, const struct prefix *prefix)
{
    for (int side = 0; side < 2; side++) {
        struct address address = {.version = known->key.ip_version};
        memcpy(address.bytes, known->key.addresses[side], sizeof address.bytes);
        if (prefix_contains(prefix, &address))
            return true;
    }
    return false;
}

static bool has_port(const struct known *known, uint16_t port)
{
    return known->key.ports[0] == port || known->key.ports[1] == port;
}

static bool is_wanted(const struct wanted *wanted, const struct known *known)
{
    return (wanted->protocol == 0 || known->key.protocol == wanted->protocol) &&
           (wanted->port == 0 || has_port(known, wanted->port)) &&
           (wanted->address.address.version == 0 || has_address(known, &wanted->address));
}

// The same as a selection; NULL = all flows. An address and a port need not be of the same end: two filters of one end
// each would be alternatives, so the port is asked of one end with each of the others.
static struct flow_selection *select_wanted(const struct wanted *wanted)
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

static uint64_t value_of(enum flow_order order, const struct known *known)
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

static int compare_known(const void *left, const void *right, void *ordering)
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
static const struct known **sort_known(const struct world *world, const struct wanted *wanted,
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

static bool is_of(const struct flow_record *row, const struct known *known)
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

static void expect_row(const struct flow_record *row, const struct known *known, unsigned place)
{
    cr_assert(is_of(row, known), "another flow at place %u", place);
    cr_assert_eq(row->bytes[0] + row->bytes[1], known->bytes, "place %u", place);
    cr_assert_eq(row->packets[0] + row->packets[1], known->packets, "place %u", place);
    cr_assert_eq(row->last_seen_ns, known->last_ns, "place %u", place);
    cr_assert_not(row->final);
}

static void expect_rows(const struct world *world, const struct wanted *wanted,
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
static struct flow_page *ask(const struct world *world, const struct flow_query *query, unsigned looks)
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

static void expect_answer(const struct world *world, const struct wanted *wanted, struct flow_query query)
{
    static const unsigned slices[] = {1, 7, 2048, ALL_NODES};
    query.selection = select_wanted(wanted);
    for (unsigned i = 0; i < sizeof slices / sizeof slices[0]; i++) {
        struct flow_page *page = ask(world, &query, slices[i]);
        expect_rows(world, wanted, &query, page);
        flow_page_release(page);
    }
    flow_selection_release(query.selection);
}

static void expect_all_orders(const struct world *world, struct wanted wanted)
{
    static const unsigned limits[] = {1, 2, 10, FLOW_QUERY_LIMIT};
    for (enum flow_order order = FLOWS_BY_BYTES; order <= FLOWS_BY_DURATION; order++)
        for (unsigned i = 0; i < sizeof limits / sizeof limits[0]; i++)
            for (int ascending = 0; ascending < 2; ascending++)
                expect_answer(world, &wanted,
                              (struct flow_query){.order = {order, ascending != 0}, .limit = limits[i]});
}

Test(query, gives_what_sorting_all_flows_gives, .timeout = 120)
{
    struct world *world = make_flows(FLOWS);
    expect_all_orders(world, (struct wanted){0});
    world_destroy(world);
}

Test(query, filters_by_protocol_and_port, .timeout = 120)
{
    struct world *world = make_flows(FLOWS);
    expect_all_orders(world, (struct wanted){.protocol = IP_PROTOCOL_TCP});
    expect_all_orders(world, (struct wanted){.port = 53});
    expect_all_orders(world, (struct wanted){.protocol = IP_PROTOCOL_UDP, .port = 1030});
    expect_all_orders(world, (struct wanted){.protocol = IP_PROTOCOL_ICMP});
    world_destroy(world);
}

Test(query, filters_by_prefix_of_either_end, .timeout = 120)
{
    static const char *const prefixes[] = {
        "10.1.3.0/24",     "10.0.0.0/8",      "0.0.0.0/0",           "192.168.0.4",
        "10.1.0.1",        "2001:db8:1::/48", "2001:db8::100:0/104", "::/0",
        "2001:db8::300:3", "172.16.0.0/12",   "2001:db8:2::1/128",
    };
    struct world *world = make_flows(FLOWS);
    unsigned fitted = 0;
    for (unsigned i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        struct wanted wanted = {0};
        cr_assert(prefix_parse(prefixes[i], &wanted.address), "%s", prefixes[i]);
        expect_answer(world, &wanted, (struct flow_query){.limit = 20});
        unsigned count;
        free(sort_known(world, &wanted, (struct flow_ordering){0}, &count));
        fitted += count > 0;
    }
    cr_expect_gt(fitted, 6, "most prefixes fit something, or the test tests nothing");
    world_destroy(world);
}

Test(query, filters_add_up)
{
    struct world *world = make_flows(FLOWS);
    struct wanted wanted = {.protocol = IP_PROTOCOL_UDP, .port = 53};
    cr_assert(prefix_parse("10.1.0.0/20", &wanted.address));
    expect_answer(world, &wanted, (struct flow_query){.limit = 100});
    world_destroy(world);
}

Test(query, gives_all_when_the_limit_is_larger)
{
    struct world *world = make_flows(100);
    expect_all_orders(world, (struct wanted){0});
    world_destroy(world);
}

Test(query, gives_nothing_of_an_empty_table)
{
    struct world *world = make_flows(0);
    expect_all_orders(world, (struct wanted){0});
    world_destroy(world);
}

Test(query, refuses_a_limit_and_an_order_that_are_none)
{
    struct error error;
    cr_expect(flow_query_check(&(struct flow_query){.limit = 1}, &error));
    cr_expect_not(flow_query_check(&(struct flow_query){.limit = 0}, &error));
    cr_expect_str_eq(error.text, "a question is answered with 1 to 1000 flows, not 0");
    cr_expect_not(flow_query_check(&(struct flow_query){.limit = 1001}, &error));
    cr_expect_not(flow_query_check(&(struct flow_query){.limit = 1, .order.by = FLOW_ORDERS}, &error));
    cr_expect_eq(error.kind, ERROR_INVALID_ARGUMENT);
}

// Questions of one round differ in all that a question has, and each is answered as if it were alone.
Test(query, answers_many_in_one_walk, .timeout = 60)
{
    struct world *world = make_flows(FLOWS);
    struct flow_asked asked[FLOW_ROUND];
    struct wanted wanted[FLOW_ROUND] = {0};
    struct flow_query query[FLOW_ROUND];
    struct flow_round round = {0};
    for (unsigned i = 0; i < FLOW_ROUND; i++) {
        wanted[i].protocol = i % 3 == 0 ? IP_PROTOCOL_TCP : 0;
        wanted[i].port = i % 2 == 0 ? 53 : 0;
        query[i] = (struct flow_query){.order = {(enum flow_order)(i % 5), i % 4 == 0},
                                       .limit = 1 + i * 60,
                                       .selection = select_wanted(&wanted[i])};
        cr_assert(flow_asked_init(&asked[i], &query[i]));
        flow_round_add(&round, &world->test.table, &asked[i]);
    }
    flow_round_give_up(&round, 3);
    for (unsigned slices = 0; !flow_table_answer(&world->test.table, &round, 2048); slices++)
        if (slices == 2)
            flow_round_give_up(&round, 7);
    for (unsigned i = 0; i < FLOW_ROUND; i++) {
        cr_expect_eq(asked[i].answered, i != 3 && i != 7);
        struct flow_page *page = flow_page_merge(&query[i], &asked[i], 1);
        if (asked[i].answered)
            expect_rows(world, &wanted[i], &query[i], page);
        flow_page_release(page);
        flow_asked_done(&asked[i]);
        flow_selection_release(query[i].selection);
    }
    world_destroy(world);
}

// A node without the memory for its ends is none: a question, which walks over all nodes, must not meet it.
Test(query, passes_by_flows_that_found_no_memory)
{
    struct world *world = make_flows(10);
    struct flow_table *table = &world->test.table;
    struct arena *ends = &table->store.v4.ends, whole = *ends;
    ends->reserved = ends->usable = table->store.v4.slab.fresh * sizeof(struct flow_ends); // they cannot grow
    struct packet packet = udp_packet(1, 65000, 2, 65001, 0);
    cr_expect_null(feed(&world->test, &packet).flow);
    cr_expect_eq(table->counts.refused, 1);
    struct flow_query query = {.limit = FLOW_QUERY_LIMIT};
    struct flow_page *page = ask(world, &query, 1000);
    cr_expect_eq(page->looked_at, 10);
    cr_expect_eq(page->matched, 10);
    flow_page_release(page);
    *ends = whole;
    world_destroy(world);
}

// Takes what ended and marks it.
static unsigned take_ended(struct world *world)
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

Test(query, names_no_flow_that_has_ended, .timeout = 60)
{
    struct world *world = world_create(test_policy());
    for (unsigned i = 0; i < 800; i++)
        make_flow(world, i * 100 * NS_PER_MS);
    struct flow_query query = {.limit = FLOW_QUERY_LIMIT};
    tick(&world->test, 100 * NS_PER_S); // some 400 have been idle for a minute
    struct flow_page *ended_and_not_taken = ask(world, &query, 7);
    cr_expect_eq(ended_and_not_taken->looked_at, flow_table_active(&world->test.table));
    unsigned taken = take_ended(world);
    cr_expect_gt(taken, 100);
    cr_expect_gt(flow_table_active(&world->test.table), 100);
    struct wanted all = {0};
    expect_rows(world, &all, &query, ended_and_not_taken);
    expect_answer(world, &all, query); // their nodes are free
    for (unsigned i = 0; i < taken / 2; i++)
        make_flow(world, 100 * NS_PER_S);
    expect_answer(world, &all, query); // some of the nodes are used again
    flow_page_release(ended_and_not_taken);
    world_destroy(world);
}

// Between two slices: a tick that ends flows, then new ones.
static void live_on(struct world *world, int64_t at_ns)
{
    tick(&world->test, at_ns);
    take_ended(world);
    for (unsigned i = 0; i < 3; i++)
        make_flow(world, at_ns);
}

static const struct flow_record *row_of(const struct flow_page *page, const struct known *known)
{
    for (unsigned i = 0; i < page->count; i++)
        if (is_of(&page->rows[i].record, known))
            return &page->rows[i].record;
    return NULL;
}

// Who lived through the whole walk is named with its figures; whoever is named has lived.
Test(query, bears_flows_that_come_and_go_between_slices, .timeout = 60)
{
    enum { BEFORE = 700, STEP_MS = 600 };
    struct world *world = world_create(test_policy());
    for (unsigned i = 0; i < BEFORE; i++)
        make_flow(world, i * 100 * NS_PER_MS);
    struct flow_query query = {.limit = FLOW_QUERY_LIMIT};
    struct flow_asked asked;
    struct flow_round round = {0};
    cr_assert(flow_asked_init(&asked, &query));
    flow_round_add(&round, &world->test.table, &asked);
    int64_t at_ns = BEFORE * 100 * NS_PER_MS;
    while (!flow_table_answer(&world->test.table, &round, 14))
        live_on(world, at_ns += STEP_MS * NS_PER_MS);
    struct flow_page *page = flow_page_merge(&query, &asked, 1);
    unsigned survived = 0, known = 0;
    for (unsigned i = 0; i < BEFORE; i++) {
        if (!world->known[i].alive)
            continue;
        survived++;
        const struct flow_record *row = row_of(page, &world->known[i]);
        cr_assert_not_null(row, "flow %u", i);
        expect_row(row, &world->known[i], i);
    }
    for (unsigned i = 0; i < world->count; i++)
        known += row_of(page, &world->known[i]) != NULL;
    cr_expect_eq(known, page->count, "every row is of a flow that was there");
    cr_expect_geq(page->matched, page->count, "some ended before they were copied");
    cr_expect(survived > 50 && survived < BEFORE - 50, "%u", survived);
    flow_page_release(page);
    flow_asked_done(&asked);
    world_destroy(world);
}

static void name_flow(struct world *world, unsigned number)
{
    struct packet packet = first_packet(number, number * NS_PER_MS);
    struct flow *flow = count(world, &world->known[number], &packet);
    struct tls_hello hello = {.sni_status = SNI_COMPLETE};
    hello.sni_length = (uint8_t)snprintf(hello.sni, sizeof hello.sni, "host-%u.example", number);
    flow_note_tls(&world->test.table, flow, &hello);
}

// Whichever way a copy goes: into the rows, out of them again, or past them. ASan tells.
Test(query, copies_names_and_frees_them)
{
    enum { NAMED = 300 };
    struct world *world = make_flows(NAMED);
    for (unsigned i = 0; i < NAMED; i++)
        name_flow(world, i);
    struct flow_query query = {.order.by = FLOWS_BY_RECENCY, .limit = 10};
    struct flow_page *first = ask(world, &query, 7), *second = ask(world, &query, 2048);
    finish(&world->test, NS_PER_S);
    cr_expect_eq(take_ended(world), NAMED); // and with them their names
    for (unsigned i = 0; i < query.limit; i++) {
        char name[32];
        snprintf(name, sizeof name, "host-%u.example", NAMED - 1 - i);
        const struct flow_names *names = first->rows[i].record.names, *others = second->rows[i].record.names;
        cr_assert_not_null(names);
        cr_expect_str_eq(names->text[FLOW_TEXT_SNI], name);
        cr_expect_str_eq(others->text[FLOW_TEXT_SNI], name);
        cr_expect_neq(names, others);
    }
    cr_expect_eq(flow_page_hold(first), first);
    flow_page_release(first);
    flow_page_release(first);
    flow_page_release(second);
    world_destroy(world);
}

// Its node knows only the low 32 bits, which are the fewest of all.
Test(query, counts_above_32_bits_of_packets)
{
    struct world *world = make_flows(20);
    struct known *known = &world->known[16];
    struct packet packet = first_packet(16, NS_PER_S);
    struct flow *flow = count(world, known, &packet);
    flow_need_extra(&world->test.table.store, flow)->packets_above[0] = 1;
    flow->packets[0] = flow->packets[1] = 0;
    known->packets = UINT64_C(1) << 32;
    expect_answer(world, &(struct wanted){0}, (struct flow_query){.order.by = FLOWS_BY_PACKETS, .limit = 1});
    world_destroy(world);
}
