// Changes of the policy while flows are alive, begun flows, and the hook where a flow ends.
#include "flow/table.h"

#include "packets.h"

static struct fed feed_udp(struct test_table *test, uint8_t from, uint16_t port, int64_t at_ns)
{
    struct packet packet = from == 1 ? udp_packet(1, port, 2, 53, at_ns) : udp_packet(2, 53, 1, port, at_ns);
    return feed(test, &packet);
}

static unsigned change(struct test_table *test, const struct flow_policy *policy)
{
    unsigned steps = 1;
    flow_table_change(&test->table, policy);
    while (flow_table_settle(&test->table))
        steps++;
    return steps;
}

static void expect_timeouts(struct test_table *test, unsigned flows, int64_t end_ns)
{
    cr_assert_eq(ended(test), flows);
    for (unsigned i = 0; i < flows; i++) {
        struct flow_record record = take(test);
        cr_expect_eq(record.reason, END_TIMEOUT);
        cr_expect_eq(record.end_ns, TEST_START_NS + end_ns);
        flow_names_free(record.names);
    }
}

static void end(struct test_table *test)
{
    take_none(test);
    finish(test, 0);
    while (ended(test) > 0)
        flow_names_free(take(test).names);
    test_table_done(test);
}

enum { FLOWS = 3000 };

Test(change, of_a_timeout_holds_for_flows_that_are_alive)
{
    struct test_table test;
    struct flow_policy policy = test_policy();
    test_table_init(&test, policy);
    for (uint16_t i = 0; i < FLOWS; i++)
        feed_udp(&test, 1, 1000 + i, 0);
    tick(&test, 20 * NS_PER_S);
    cr_expect_eq(ended(&test), 0);
    policy.udp_timeout_ns = 10 * NS_PER_S;
    cr_expect_eq(change(&test, &policy), 1, "few enough for one step");
    tick(&test, 22 * NS_PER_S);
    expect_timeouts(&test, FLOWS, 10 * NS_PER_S);

    for (uint16_t i = 0; i < FLOWS; i++)
        feed_udp(&test, 1, 1000 + i, 30 * NS_PER_S);
    policy.udp_timeout_ns = 3600 * NS_PER_S;
    change(&test, &policy);
    tick(&test, 3600 * NS_PER_S);
    cr_expect_eq(ended(&test), 0, "longer than the wheels were made for");
    tick(&test, 3640 * NS_PER_S);
    expect_timeouts(&test, FLOWS, 3630 * NS_PER_S);
    end(&test);
}

// A flow that stayed on the wheel of a class that it has left is found by its own class's new timeout.
Test(change, finds_flows_that_have_changed_their_class)
{
    struct test_table test;
    struct flow_policy policy = test_policy();
    test_table_init(&test, policy);
    struct packet syn = tcp_packet(1, 1000, 2, 443, TCP_SYN, 0);
    struct packet answer = tcp_packet(2, 443, 1, 1000, TCP_SYN | TCP_ACK, NS_PER_MS);
    struct packet established = tcp_packet(1, 1000, 2, 443, TCP_ACK, 2 * NS_PER_MS);
    feed(&test, &syn);
    feed(&test, &answer);
    feed(&test, &established);
    policy.tcp_timeout_ns = 5 * NS_PER_S;
    change(&test, &policy);
    tick(&test, 8 * NS_PER_S);
    expect_timeouts(&test, 1, 5 * NS_PER_S + 2 * NS_PER_MS);
    end(&test);
}

Test(change, to_never_and_back)
{
    struct test_table test;
    struct flow_policy policy = test_policy();
    test_table_init(&test, policy);
    feed_udp(&test, 1, 1000, 0);
    policy.never = true;
    change(&test, &policy);
    tick(&test, 1000 * NS_PER_S);
    cr_expect_eq(ended(&test), 0);
    policy.never = false;
    change(&test, &policy);
    tick(&test, 1001 * NS_PER_S);
    expect_timeouts(&test, 1, 60 * NS_PER_S);
    end(&test);
}

// Those of which too many were due at once to end within a tick.
Test(change, to_never_holds_for_flows_that_were_due)
{
    struct test_table test;
    struct flow_policy policy = test_policy();
    policy.expire_at_most = 1;
    test_table_init(&test, policy);
    for (uint16_t i = 0; i < FLOWS; i++)
        feed_udp(&test, 1, 1000 + i, 0);
    tick(&test, 70 * NS_PER_S);
    cr_assert(ended(&test) > 0 && ended(&test) <= FLOW_PARTITIONS);
    expect_timeouts(&test, (unsigned)ended(&test), 60 * NS_PER_S);
    policy.never = true;
    change(&test, &policy);
    tick(&test, 100 * NS_PER_S);
    cr_expect_eq(ended(&test), 0);
    end(&test);
}

// As without memory for wheels of the new shape: the old ones go on.
static void change_on_old_wheels(struct test_table *test, const struct flow_policy *policy)
{
    flow_table_change(&test->table, policy);
    test->table.refile = false;
    cr_assert_not(flow_table_settle(&test->table));
}

Test(change, without_memory_for_it_ends_no_flow_too_early)
{
    struct test_table test;
    struct flow_policy policy = test_policy();
    policy.udp_timeout_ns = 7200 * NS_PER_S; // of slots of several seconds
    test_table_init(&test, policy);
    feed_udp(&test, 1, 1000, 0);
    feed_udp(&test, 1, 2000, 50 * NS_PER_S);
    policy.udp_timeout_ns = 60 * NS_PER_S;
    change_on_old_wheels(&test, &policy);
    tick(&test, 59 * NS_PER_S);
    cr_expect_eq(ended(&test), 0, "no flow is idle for that long");
    tick(&test, 80 * NS_PER_S);
    expect_timeouts(&test, 1, 60 * NS_PER_S);
    tick(&test, 130 * NS_PER_S);
    expect_timeouts(&test, 1, 110 * NS_PER_S);

    feed_udp(&test, 1, 1000, 200 * NS_PER_S);
    policy.udp_timeout_ns = 100000 * NS_PER_S; // of longer slots than the wheel has
    change_on_old_wheels(&test, &policy);
    tick(&test, 100000 * NS_PER_S);
    cr_expect_eq(ended(&test), 0);
    tick(&test, 100400 * NS_PER_S);
    expect_timeouts(&test, 1, 100200 * NS_PER_S);
    end(&test);
}

// What has to go goes over several ticks, the least recently seen first, and nothing more.
Test(change, to_a_lower_cap_evicts_over_several_ticks, .timeout = 60)
{
    enum { MANY = 200000, CAP = 20000 };
    struct test_table test;
    struct flow_policy policy = test_policy();
    policy.max_flows = 2 * MANY;
    test_table_init(&test, policy);
    for (uint32_t i = 0; i < MANY; i++)
        feed_udp(&test, (uint8_t)1, (uint16_t)(i % 50000), i / 50000 * NS_PER_MS + 1);
    for (uint32_t i = 0; i < MANY; i++) {
        struct packet packet =
            udp_packet((uint8_t)(3 + i / 50000), (uint16_t)(i % 50000), 2, 53, 3 * NS_PER_S);
        feed(&test, &packet);
    }
    uint32_t before = flow_table_active(&test.table);
    policy.max_flows = CAP;
    change(&test, &policy);
    unsigned ticks = 0;
    for (; flow_table_active(&test.table) > CAP; ticks++) {
        tick(&test, 4 * NS_PER_S);
        cr_assert_leq(ended(&test), FLOW_ENDED_IN_TICK / 4);
        while (ended(&test) > 0) {
            struct flow_record record = take(&test);
            cr_expect_eq(record.reason, END_EVICTION);
        }
    }
    cr_expect_gt(ticks, 1);
    cr_expect_eq(flow_table_active(&test.table), CAP);
    cr_expect_eq(test.table.counts.ended[END_EVICTION], before - CAP);
    tick(&test, 5 * NS_PER_S);
    cr_expect_eq(ended(&test), 0, "no more than has to");
    feed_udp(&test, 1, 60000, 5 * NS_PER_S);
    cr_expect_leq(flow_table_active(&test.table), CAP, "the cap holds for new flows");
    finish(&test, 6 * NS_PER_S);
    while (ended(&test) > 0)
        take(&test);
    test_table_done(&test);
}

Test(change, of_the_active_timeout_reports_flows_that_began_before)
{
    struct test_table test;
    struct flow_policy policy = test_policy();
    test_table_init(&test, policy);
    for (uint32_t second = 0; second <= 25; second++)
        feed_udp(&test, 1, 1000, second * NS_PER_S);
    take_none(&test);
    policy.active_timeout_ns = 10 * NS_PER_S;
    change(&test, &policy);
    feed_udp(&test, 1, 1000, 26 * NS_PER_S);
    cr_assert_eq(ended(&test), 1);
    struct flow_record record = take(&test);
    cr_expect(record.event == FLOW_CHANGED && !record.final && record.packets[0] == 27);
    take_none(&test);
    feed_udp(&test, 1, 1000, 35 * NS_PER_S);
    cr_expect_eq(ended(&test), 0);
    policy.active_timeout_ns = 0;
    change(&test, &policy);
    feed_udp(&test, 1, 1000, 50 * NS_PER_S);
    cr_expect_eq(ended(&test), 0, "switched off");
    end(&test);
}

// Also when they end in the same tick; beginnings and ends are in the order of all records: by time, then by key.
Test(begun, flows_leave_a_record_ahead_of_their_end)
{
    struct test_table test;
    struct flow_policy policy = test_policy();
    policy.begun = true;
    test_table_init(&test, policy);
    feed_udp(&test, 1, 1000, 5);
    feed_udp(&test, 1, 2000, 7);
    finish(&test, 7);
    static const struct {
        uint16_t port;
        enum flow_event_kind event;
    } expected[] = {{1000, FLOW_BEGAN}, {1000, FLOW_ENDED}, {2000, FLOW_BEGAN}, {2000, FLOW_ENDED}};
    for (unsigned i = 0; i < 4; i++) {
        struct flow_record record = take(&test);
        cr_expect_eq(record.endpoint[0].port, expected[i].port, "record %u", i);
        cr_expect_eq(record.event, expected[i].event, "record %u", i);
        cr_expect_eq(record.final, expected[i].event == FLOW_ENDED);
    }
    test_table_done(&test);
}

struct seen_ends {
    unsigned count, answered;
    struct flow_end last;
};

static void see_end(void *owner, const struct flow_end *end)
{
    struct seen_ends *seen = owner;
    seen->count++;
    seen->answered += end->answered;
    seen->last = *end;
}

// Every end is told before the first record of its tick can be taken.
Test(end_hook, is_told_of_every_end_before_its_record_leaves)
{
    struct test_table test;
    struct seen_ends seen = {0};
    test_table_init(&test, test_policy());
    test.table.on_end = see_end;
    test.table.on_end_owner = &seen;
    feed_udp(&test, 1, 1000, 0);
    feed_udp(&test, 1, 2000, NS_PER_S);
    feed_udp(&test, 2, 2000, NS_PER_S + 1);
    tick(&test, 61 * NS_PER_S + NS_PER_MS);
    cr_expect_eq(seen.count, 1);
    cr_expect(!seen.last.answered && seen.last.reason == END_TIMEOUT &&
              seen.last.protocol == IP_PROTOCOL_UDP);
    cr_expect_eq(seen.last.first_ns, TEST_START_NS);
    cr_expect_eq(seen.last.end_ns, TEST_START_NS + 60 * NS_PER_S);
    flow_names_free(take(&test).names);
    take_none(&test);
    finish(&test, 61 * NS_PER_S);
    cr_expect_eq(seen.count, 2);
    cr_expect_eq(seen.answered, 1);
    cr_expect_eq(seen.last.reason, END_RUN);
    flow_names_free(take(&test).names);
    test_table_done(&test);
}
