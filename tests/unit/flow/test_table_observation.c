#include "table_steps.h"

static struct fed feed_at(struct test_table *test, uint8_t from, uint16_t interface, int64_t at_ns)
{
    struct packet packet = from == 1 ? udp_packet(1, 1000, 2, 53, at_ns) : udp_packet(2, 53, 1, 1000, at_ns);
    packet.interface = interface;
    return feed(test, &packet);
}

Test(flow_table_observation, counts_a_direction_at_its_first_interface)
{
    struct flow_policy policy = test_policy();
    policy.observe_first = true;
    struct test_table test;
    test_table_init(&test, policy);
    for (int i = 0; i < 10; i++) {
        cr_expect_not(feed_at(&test, 1, 3, i * NS_PER_S).duplicate);
        struct fed again = feed_at(&test, 1, 4, i * NS_PER_S + 1);
        cr_expect(again.duplicate && again.second_sighting);
        cr_expect_not(feed_at(&test, 2, 4, i * NS_PER_S + 2).duplicate,
                      "the other direction has its own owner");
        cr_expect(feed_at(&test, 2, 3, i * NS_PER_S + 3).duplicate);
    }
    finish(&test, 10 * NS_PER_S);
    struct flow_record record = take(&test);
    cr_expect(record.packets[0] == 10 && record.packets[1] == 10);
    cr_expect_eq(record.interface, 3);
    cr_expect_eq(record.observed, 2);
    cr_expect(record.observed_at[0] == 4 && record.observed_at[1] == 3);
    test_table_done(&test);
}

Test(flow_table_observation, moves_ownership_after_five_seconds_of_silence)
{
    struct flow_policy policy = test_policy();
    policy.observe_first = true;
    struct test_table test;
    test_table_init(&test, policy);
    feed_at(&test, 1, 3, 0);
    cr_expect(feed_at(&test, 1, 4, 4 * NS_PER_S).duplicate);
    cr_expect(feed_at(&test, 1, 4, 5 * NS_PER_S - 1).duplicate);
    cr_expect_not(feed_at(&test, 1, 4, 5 * NS_PER_S).duplicate, "the owner was silent for 5 s");
    cr_expect(feed_at(&test, 1, 3, 6 * NS_PER_S).duplicate, "it owns the direction no more");
    finish(&test, 7 * NS_PER_S);
    cr_expect_eq(take(&test).packets[0], 2);
    test_table_done(&test);
}

Test(flow_table_observation, counts_every_sighting_when_told_so)
{
    struct test_table test;
    test_table_init(&test, test_policy());
    feed_at(&test, 1, 3, 0);
    struct fed again = feed_at(&test, 1, 4, 1);
    cr_expect(again.second_sighting && !again.duplicate);
    finish(&test, NS_PER_S);
    struct flow_record record = take(&test);
    cr_expect_eq(record.packets[0], 2);
    cr_expect(record.observed == 1 && record.observed_at[0] == 4);
    test_table_done(&test);
}

// Measured on bridges without this: every second segment a "retransmission".
Test(flow_table_observation, keeps_second_sightings_out_of_quality)
{
    struct flow_policy policy = test_policy();
    policy.observe_first = true;
    struct test_table test;
    test_table_init(&test, policy);
    for (uint32_t i = 0; i < 20; i++) {
        for (uint16_t interface = 0; interface < 3; interface++) {
            struct packet segment = tcp_packet(1, 40000, 2, 443, TCP_ACK, i * NS_PER_MS + interface);
            segment.tcp.sequence = 1000 + i * 100;
            segment.interface = interface;
            set_payload(&segment, 100);
            feed(&test, &segment);
        }
    }
    finish(&test, NS_PER_S);
    struct flow_record record = take(&test);
    cr_expect_eq(record.packets[0], 20);
    cr_expect_eq(record.retransmissions[0], 0);
    cr_expect_eq(record.observed, 2);
    test_table_done(&test);
}
