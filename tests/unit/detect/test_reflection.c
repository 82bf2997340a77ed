#include "made_evidence.h"

static const int64_t tick_ns = 50 * NS_PER_MS;

static void answer(struct judging *judging, unsigned source, unsigned number, bool udp)
{
    struct packet packet = udp ? udp_packet(1, 53, 2, (uint16_t)number, number)
                               : tcp_packet(1, 80, 2, (uint16_t)number, TCP_SYN | TCP_ACK, number);
    packet.source = other(source);
    see(judging, packet, 0);
}

// So many answers within a tick; how many alerts there are.
static unsigned alerts_of(unsigned answers, unsigned sources, bool udp)
{
    struct judging *judging = judging_create(&reflection_detector);
    for (unsigned i = 0; i < answers; i++)
        answer(judging, i % sources, i, udp);
    unsigned told = judge_tick_at(judging, tick_ns);
    judging_destroy(judging);
    return told;
}

Test(reflection, begins_at_its_thresholds)
{
    for (int udp = 0; udp < 2; udp++) {
        cr_expect_eq(alerts_of(500, 10, udp), 1);
        cr_expect_eq(alerts_of(499, 10, udp), 0, "packets_per_sec_threshold");
        cr_expect_eq(alerts_of(500, 9, udp), 0, "unique_src_threshold");
        cr_expect_eq(alerts_of(5000, 1, udp), 1);
        cr_expect_eq(alerts_of(4999, 9, udp), 0, "flood_per_sec_threshold");
    }
}

Test(reflection, tells_what_it_found)
{
    struct judging *judging = judging_create(&reflection_detector);
    for (unsigned i = 0; i < 600; i++)
        answer(judging, i % 20, i, i % 2 == 0);
    cr_assert_eq(judge_tick_at(judging, tick_ns), 1);
    const struct alert *alert = &judging->told[0];
    cr_expect_eq(alert->kind, ALERT_REFLECTION);
    cr_expect_eq(alert->protocol, 0, "both");
    cr_expect_eq(alert->target[0].packets, 600);
    cr_expect_eq(alert->target[0].endpoint.port, 0);
    cr_expect_eq(alert->sources_total, 20);
    cr_expect_str_eq(alert->measure[0].setting, "analysis.anomalies.reflection.packets_per_sec_threshold");
    cr_expect_eq(alert->measure[0].observed, 600);
    cr_expect_eq(alert->sample[0].server.port, 53);
    cr_expect(strstr(alert->description, "10.0.0.2 got 600 SYN-ACKs and UDP answers of amplifiers") != NULL,
              "%s", alert->description);
    judging_destroy(judging);
}

// 400 a second, over and over, and a day of it at a tenth of that.
Test(reflection, lets_slow_backscatter_be)
{
    struct judging *judging = judging_create(&reflection_detector);
    for (unsigned tick = 0; tick < 400; tick++) {
        for (unsigned i = 0; i < 20; i++)
            answer(judging, i, tick * 20 + i, false);
        cr_assert_eq(judge_tick_at(judging, (tick + 1) * tick_ns), 0);
    }
    judging_destroy(judging);
}
