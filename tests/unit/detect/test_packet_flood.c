#include "made_evidence.h"

static const int64_t tick_ns = 50 * NS_PER_MS;

// Echo requests to a host that so many of them it answers, within a tick; how many alerts there are.
static unsigned alerts_of(unsigned requests, unsigned replies)
{
    struct judging *judging = judging_create(&icmp_flood_detector);
    for (unsigned i = 0; i < requests; i++) {
        struct packet request = icmp_packet(1, 2, 8, 0, i), reply = icmp_packet(2, 1, 0, 0, i);
        request.source = reply.target = other(i % 300);
        see(judging, request, 0);
        if (i < replies)
            see(judging, reply, OBSERVED_RECEIVER_SENT);
    }
    unsigned told = judge_tick_at(judging, tick_ns);
    judging_destroy(judging);
    return told;
}

Test(packet_flood, of_icmp_begins_at_its_thresholds)
{
    cr_expect_eq(alerts_of(5000, 0), 1);
    cr_expect_eq(alerts_of(4999, 0), 0, "packets_per_sec_threshold");
    cr_expect_eq(alerts_of(5000, 249), 1);
    cr_expect_eq(alerts_of(5000, 250), 0, "answer_ratio: not more than 20 times");
    cr_expect_eq(alerts_of(5001, 250), 1);
}

Test(packet_flood, of_icmpv6_is_one)
{
    struct judging *judging = judging_create(&icmp_flood_detector);
    for (unsigned i = 0; i < 5000; i++) {
        struct packet packet = icmp_packet(1, 2, 128, 0, i);
        packet.ip_protocol = IP_PROTOCOL_ICMPV6;
        packet.source = host_v6((uint8_t)i);
        packet.target = host_v6(2);
        see(judging, packet, 0);
    }
    cr_assert_eq(judge_tick_at(judging, tick_ns), 1);
    cr_expect_eq(judging->told[0].protocol, IP_PROTOCOL_ICMPV6);
    judging_destroy(judging);
}

// A second's share of the packets of a flood, for so many seconds; how many alerts there are.
static unsigned udp_alerts_of(struct judging *judging, unsigned a_second, unsigned answers_of_100,
                              unsigned secs)
{
    for (unsigned tick = 0; tick < secs * 20; tick++) {
        for (unsigned i = 0; i < a_second / 20; i++) {
            struct packet packet = udp_packet(1, (uint16_t)(1000 + i), 2, 9000, tick * tick_ns);
            struct packet reply = udp_packet(2, 9000, 1, (uint16_t)(1000 + i), tick * tick_ns);
            see(judging, packet, answers_of_100 != 0 ? OBSERVED_RECEIVER_SENT : 0);
            if (i % 100 < answers_of_100)
                see(judging, reply, OBSERVED_RECEIVER_SENT);
        }
        judge_tick_at(judging, (tick + 1) * tick_ns);
    }
    return judging->told_count;
}

// The threshold, five times the stated error of a window above and below; a target that answers enough, and one that
// does not.
Test(packet_flood, of_udp_begins_at_its_thresholds)
{
    static const struct {
        unsigned a_second, answers_of_100;
        unsigned alerts;
    } cases[] = {{11200, 0, 1}, {9000, 0, 0}, {20000, 6, 0}, {20000, 4, 1}};
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct judging *judging = judging_create(&udp_flood_detector);
        cr_expect_eq(udp_alerts_of(judging, cases[i].a_second, cases[i].answers_of_100, 6), cases[i].alerts,
                     "case %u", i);
        judging_destroy(judging);
    }
}

Test(packet_flood, of_udp_tells_what_it_found)
{
    struct judging *judging = judging_create(&udp_flood_detector);
    cr_assert_eq(udp_alerts_of(judging, 100000, 0, 1), 1);
    const struct alert *alert = &judging->told[0];
    cr_expect_eq(alert->kind, ALERT_UDP_FLOOD);
    cr_expect_eq(alert->protocol, IP_PROTOCOL_UDP);
    struct address source = host(1);
    cr_expect_eq(alert->source_count, 1);
    cr_expect_eq(address_compare(&alert->source[0].endpoint.address, &source), 0);
    cr_expect_eq(alert->sources_total, 1);
    cr_expect_str_eq(alert->measure[0].setting, "analysis.anomalies.udp_flood.packets_per_sec_threshold");
    cr_expect_str_eq(alert->measure[1].setting, "", "no ratio silences what nobody answers");
    cr_expect_geq(alert->measure[0].observed, 10000);
    cr_expect_geq(alert->measure[1].observed, 20);
    cr_expect(strstr(alert->description, "from 1 source.") != NULL, "%s", alert->description);
    judging_destroy(judging);
}
