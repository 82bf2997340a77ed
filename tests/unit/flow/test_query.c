// What questions are answered with.
#include "flow/names.h"
#include "query_world.h"

#include <stdio.h>

enum { FLOWS = 5000 };

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
