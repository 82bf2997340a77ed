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

// Ten heavy flows among 50,000 small ones: all are there, with their own figures.
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
        cr_expect_eq(top[i].bytes, HEAVY_BYTES);
        cr_expect_eq(top[i].packets, 1000);
    }
    top_destroy(table);
}

// What was counted of a flow, by its port.
struct counted {
    uint64_t bytes, packets;
};

static uint64_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 33;
}

static void expect_exact(const struct top_flow *shown, unsigned count, const struct counted *counted)
{
    for (unsigned i = 0; i < count; i++) {
        uint16_t port = shown[i].key.ports[0];
        cr_expect_eq(shown[i].bytes, counted[port].bytes, "port %u: %lu, not %lu", port, shown[i].bytes,
                     counted[port].bytes);
        cr_expect_eq(shown[i].packets, counted[port].packets, "port %u", port);
        cr_expect(i == 0 || shown[i - 1].bytes >= shown[i].bytes, "place %u", i);
    }
}

// A map counts with it: 40 heavy flows of different sizes, which begin at different times, in a stream of
// 60,000 others for 256 places. A heavy one carries more than an eighth of its set at any time.
Test(top, shows_exact_figures_with_far_more_flows_than_places)
{
    enum { HEAVY = 40, PORTS = 1 << 16, PACKETS = 400000 };
    static struct counted counted[PORTS];
    struct top_table *table = top_create();
    uint64_t random = 7;
    for (unsigned i = 0; i < PACKETS; i++) {
        uint16_t heavy = (uint16_t)(1 + next_random(&random) % HEAVY);
        bool begun = i >= heavy * 100u;
        bool is_heavy = begun && i % 4 != 0;
        uint16_t port = is_heavy ? heavy : (uint16_t)(1000 + next_random(&random) % 60000);
        uint32_t bytes = is_heavy ? 1000 + heavy * 10u + (uint32_t)(next_random(&random) % 100) : 60;
        add(table, port, bytes);
        counted[port].bytes += bytes;
        counted[port].packets++;
    }
    struct top_flow shown[HEAVY];
    cr_assert_eq(top_merge(table, shown, 0, HEAVY), HEAVY);
    expect_exact(shown, HEAVY, counted);
    for (unsigned i = 0; i < HEAVY; i++)
        cr_expect(shown[i].key.ports[0] <= HEAVY, "port %u is small", shown[i].key.ports[0]);
    top_destroy(table);
}

// Whatever the traffic, nothing is shown larger than it was, and what it may have had before is bounded by
// what it inherited.
Test(top, never_shows_more_than_was_counted)
{
    enum { PORTS = 1 << 16, PACKETS = 200000, SHOWN = 100 };
    static struct counted counted[PORTS];
    struct top_table *table = top_create();
    uint64_t random = 3;
    for (unsigned i = 0; i < PACKETS; i++) {
        uint64_t first = next_random(&random) % 5000, second = next_random(&random) % 5000;
        uint16_t port = (uint16_t)(1 + first * second / 5000); // small ones more often
        uint32_t bytes = 60 + (uint32_t)(next_random(&random) % 1440);
        add(table, port, bytes);
        counted[port].bytes += bytes;
        counted[port].packets++;
    }
    struct top_flow shown[SHOWN];
    cr_assert_eq(top_merge(table, shown, 0, SHOWN), SHOWN);
    for (unsigned i = 0; i < SHOWN; i++) {
        const struct counted *of = &counted[shown[i].key.ports[0]];
        cr_expect_leq(shown[i].bytes, of->bytes);
        cr_expect_leq(shown[i].packets, of->packets);
        cr_expect_geq(shown[i].bytes + shown[i].inherited, of->bytes);
    }
    top_destroy(table);
}
