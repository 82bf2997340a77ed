#include "flow/top.h"

#include "packets.h"

enum { MOST = 5 };

static void add(struct top_table *table, uint16_t port, uint32_t bytes)
{
    struct packet packet = udp_packet(1, port, 2, 53, 0);
    struct flow_key key;
    uint8_t sender;
    flow_key_of_packet(&packet, &key, &sender);
    top_add(table, &key, flow_key_hash(&key, 5), sender, bytes);
}

Test(top, ranks_by_bytes)
{
    struct top_table *table = top_create();
    for (uint16_t port = 1; port <= 20; port++)
        for (uint16_t i = 0; i < 3; i++)
            add(table, port, port * 100u);
    struct top_flow top[MOST];
    cr_assert_eq(top_merge(table, top, 0, MOST), MOST);
    for (unsigned i = 0; i < MOST; i++) {
        cr_expect_eq(top[i].key.ports[0], 20 - i);
        cr_expect_eq(top[i].bytes, (20 - i) * 300);
        cr_expect_eq(top[i].packets, 3);
    }
    top_destroy(table);
}

Test(top, gives_as_many_as_there_are)
{
    struct top_table *table = top_create();
    add(table, 1, 10);
    struct top_flow top[MOST];
    cr_expect_eq(top_merge(table, top, 0, MOST), 1);
    cr_expect_eq(top_merge(table, top, 0, 0), 0);
    top_reset(table);
    cr_expect_eq(top_merge(table, top, 0, MOST), 0);
    top_destroy(table);
}

Test(top, merges_partitions)
{
    struct top_table *even = top_create(), *odd = top_create();
    for (uint16_t port = 1; port <= 20; port++)
        add(port % 2 == 0 ? even : odd, port, port * 100u);
    struct top_flow top[MOST], turned[MOST];
    unsigned count = top_merge(odd, top, top_merge(even, top, 0, MOST), MOST);
    cr_assert_eq(count, MOST);
    for (unsigned i = 0; i < MOST; i++)
        cr_expect_eq(top[i].key.ports[0], 20 - i);
    top_merge(even, turned, top_merge(odd, turned, 0, MOST), MOST);
    for (unsigned i = 0; i < MOST; i++)
        cr_expect_eq(turned[i].key.ports[0], top[i].key.ports[0], "in either order");
    top_destroy(even);
    top_destroy(odd);
}

Test(top, orders_equal_flows_by_key)
{
    struct top_table *table = top_create();
    for (uint16_t port = 10; port >= 1; port--)
        add(table, port, 100);
    struct top_flow top[MOST];
    top_merge(table, top, 0, MOST);
    for (unsigned i = 0; i < MOST; i++)
        cr_expect_eq(top[i].key.ports[0], i + 1);
    top_destroy(table);
}

// Ten heavy flows among 50,000 small ones: all are there, and a count errs upwards only.
Test(top, finds_heavy_flows_among_many)
{
    enum { HEAVY = 10, HEAVY_BYTES = 1000000 };
    struct top_table *table = top_create();
    for (uint32_t i = 0; i < 50000; i++) {
        add(table, (uint16_t)(100 + i), 60);
        if (i % 50 == 0)
            for (uint16_t port = 1; port <= HEAVY; port++)
                add(table, port, HEAVY_BYTES / 1000);
    }
    struct top_flow top[HEAVY];
    cr_assert_eq(top_merge(table, top, 0, HEAVY), HEAVY);
    for (unsigned i = 0; i < HEAVY; i++) {
        cr_expect_leq(top[i].key.ports[0], HEAVY, "port %u", top[i].key.ports[0]);
        cr_expect_geq(top[i].bytes, HEAVY_BYTES);
        cr_expect_leq(top[i].bytes, HEAVY_BYTES + 50000u * 60);
    }
    top_destroy(table);
}
