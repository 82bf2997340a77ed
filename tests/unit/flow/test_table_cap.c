#include "table_steps.h"

static struct flow_policy capped_policy(uint32_t max_flows)
{
    struct flow_policy policy = test_policy();
    policy.max_flows = max_flows;
    return policy;
}

static void answer(struct test_table *test, uint16_t port, int64_t at_ns)
{
    feed_udp(test, 1, port, at_ns);
    feed_udp(test, 2, port, at_ns);
}

Test(flow_table_cap, evicts_the_least_recently_seen)
{
    enum { CAP = 100 };
    struct test_table test;
    test_table_init(&test, capped_policy(CAP));
    for (uint16_t i = 0; i < CAP; i++)
        answer(&test, 1000 + i, i * NS_PER_S / 4);
    for (uint16_t i = 0; i < 8; i++)
        answer(&test, 1000 + i, 30 * NS_PER_S); // the oldest are seen again
    for (uint16_t i = 0; i < 8; i++)
        answer(&test, 2000 + i, 31 * NS_PER_S);
    cr_expect_eq(flow_table_active(&test.table), CAP);
    cr_assert_eq(ended(&test), 8);
    for (uint16_t i = 0; i < 8; i++) {
        struct flow_record record = take(&test);
        cr_expect_eq(record.reason, END_EVICTION);
        cr_expect_eq(record.end_ns, record.last_seen_ns);
        uint16_t port = record.endpoint[0].port;
        cr_expect(port >= 1008 && port < 1016, "flow %u", port);
    }
    cr_expect_eq(test.table.counts.ended[END_EVICTION], 8);
    end(&test);
}

// A flood of one-way packets evicts itself, however recent it is, not the flows that talk.
Test(flow_table_cap, evicts_attempts_first_under_a_flood)
{
    enum { CAP = 1000, TALKING = 400, FLOOD = 20000 };
    struct test_table test;
    test_table_init(&test, capped_policy(CAP));
    for (uint16_t i = 0; i < TALKING; i++)
        answer(&test, i, 0);
    for (uint32_t i = 0; i < FLOOD; i++) {
        struct packet syn =
            tcp_packet((uint8_t)(10 + i % 200), (uint16_t)i, 5, 80, TCP_SYN, NS_PER_S + i * 2 * NS_PER_MS);
        feed(&test, &syn);
        cr_assert_leq(flow_table_active(&test.table), CAP);
    }
    cr_expect_eq(test.table.counts.ended[END_EVICTION], FLOOD + TALKING - CAP);
    while (ended(&test) > 0)
        cr_assert_eq(take(&test).protocol, IP_PROTOCOL_TCP, "a flow that talks was evicted");
    for (uint16_t i = 0; i < TALKING; i++)
        cr_assert_not(feed_udp(&test, 1, i, 42 * NS_PER_S).created, "flow %u", i);
    end(&test);
}

// Up to half of the table, attempts are as good as others: the least recently seen goes.
Test(flow_table_cap, spares_attempts_that_are_few)
{
    struct test_table test;
    test_table_init(&test, capped_policy(10));
    for (uint16_t i = 0; i < 6; i++)
        answer(&test, 100 + i, i * NS_PER_S);
    for (uint16_t i = 0; i < 4; i++)
        feed_udp(&test, 1, 200 + i, 10 * NS_PER_S);
    answer(&test, 300, 20 * NS_PER_S);
    cr_assert_eq(ended(&test), 1);
    cr_expect_eq(take(&test).endpoint[0].port, 100);
    end(&test);
}

Test(flow_table_cap, bounds_its_memory_by_the_cap)
{
    struct test_table test;
    test_table_init(&test, capped_policy(1000));
    size_t full = 0;
    for (uint32_t i = 0; i < 50000; i++) {
        struct packet syn = tcp_packet((uint8_t)(10 + i / 60000), (uint16_t)i, 5, 80, TCP_SYN, i * NS_PER_MS);
        feed(&test, &syn);
        if (i % 1000 == 999) { // a tick
            while (ended(&test) > 0)
                take(&test);
            tick(&test, i * NS_PER_MS);
            while (ended(&test) > 0)
                take(&test);
        }
        if (i == 5000)
            full = flow_table_bytes(&test.table);
    }
    cr_expect_leq(flow_table_bytes(&test.table), full + full / 20);
    end(&test);
}
