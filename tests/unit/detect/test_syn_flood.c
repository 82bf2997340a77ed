#include "made_evidence.h"
#include "numbers.h"

static const int64_t tick_ns = 50 * NS_PER_MS;

static void syn(struct judging *judging, unsigned client, uint16_t port, int64_t at_ns)
{
    struct packet packet = tcp_packet(1, port, 2, 80, TCP_SYN, at_ns);
    packet.source = other(client);
    see(judging, packet, 0);
}

static void ack(struct judging *judging, unsigned client, uint16_t port, int64_t at_ns)
{
    struct packet packet = tcp_packet(1, port, 2, 80, TCP_ACK, at_ns);
    packet.source = other(client);
    see(judging, packet, OBSERVED_RECEIVER_SENT | OBSERVED_HANDSHAKE);
}

// So many SYNs at once, from so many sources, of which so many complete; how many alerts there are in the next second.
struct burst {
    unsigned syns, sources, completed;
};

static unsigned alerts_of(struct burst burst)
{
    struct judging *judging = judging_create(&syn_flood_detector);
    for (unsigned i = 0; i < burst.syns; i++)
        syn(judging, i % burst.sources, (uint16_t)i, i);
    for (unsigned i = 0; i < burst.completed; i++)
        ack(judging, i % burst.sources, (uint16_t)i, burst.syns + i);
    for (int64_t tick = 1; tick <= 20; tick++)
        judge_tick_at(judging, tick * tick_ns);
    unsigned told = judging->told_count;
    judging_destroy(judging);
    return told;
}

Test(syn_flood, begins_at_its_thresholds)
{
    cr_expect_eq(alerts_of((struct burst){200, 50, 0}), 1);
    cr_expect_eq(alerts_of((struct burst){199, 50, 0}), 0, "syn_threshold");
    cr_expect_eq(alerts_of((struct burst){200, 49, 0}), 0, "unique_src_threshold");
    cr_expect_eq(alerts_of((struct burst){2000, 1, 0}), 1);
    cr_expect_eq(alerts_of((struct burst){1999, 49, 0}), 0, "outstanding_threshold");
    cr_expect_eq(alerts_of((struct burst){400, 50, 200}), 1);
    cr_expect_eq(alerts_of((struct burst){401, 50, 201}), 0, "half of the SYNs");
    cr_expect_eq(alerts_of((struct burst){12000, 50, 8000}), 1);
    cr_expect_eq(alerts_of((struct burst){12000, 50, 8001}), 0, "flood_threshold");
}

Test(syn_flood, is_found_in_the_tick_of_flood_threshold)
{
    struct judging *judging = judging_create(&syn_flood_detector);
    for (unsigned i = 0; i < 4000; i++)
        syn(judging, i, (uint16_t)i, i);
    cr_expect_eq(judge_tick_at(judging, tick_ns), 1);
    judging_destroy(judging);
}

// 2,000 connections a second from 2,000 clients, 120 ms away: 240 SYNs are always on their way.
Test(syn_flood, never_tells_of_a_server_whose_handshakes_complete)
{
    struct judging *judging = judging_create(&syn_flood_detector);
    enum { A_TICK = 100, TICKS = 200, WAY = 240 };
    for (unsigned tick = 0; tick < TICKS; tick++) {
        for (unsigned i = tick * A_TICK; i < (tick + 1) * A_TICK; i++) {
            syn(judging, i % 2000, (uint16_t)i, tick * tick_ns);
            if (i >= WAY)
                ack(judging, (i - WAY) % 2000, (uint16_t)(i - WAY), tick * tick_ns);
        }
        cr_assert_eq(judge_tick_at(judging, (tick + 1) * tick_ns), 0, "tick %u", tick);
    }
    judging_destroy(judging);
}

Test(syn_flood, forgets_what_left_the_window)
{
    struct judging *judging = judging_create(&syn_flood_detector);
    for (int64_t burst = 0; burst < 3; burst++) {
        for (unsigned i = 0; i < 199; i++)
            syn(judging, i, (uint16_t)i, burst * 5 * NS_PER_S);
        for (int64_t tick = 1; tick <= 10; tick++)
            judge_tick_at(judging, burst * 5 * NS_PER_S + tick * tick_ns);
    }
    cr_expect_eq(judging->told_count, 0);
    judging_destroy(judging);
}

Test(syn_flood, tells_what_it_found)
{
    struct judging *judging = judging_create(&syn_flood_detector);
    for (unsigned i = 0; i < 4000; i++)
        syn(judging, i % 4 == 0 ? 7 : 100 + i, (uint16_t)(1 + i), i);
    cr_assert_eq(judge_tick_at(judging, tick_ns), 1);
    const struct alert *alert = &judging->told[0];
    cr_expect_eq(alert->kind, ALERT_SYN_FLOOD);
    cr_expect_eq(alert->lifecycle, ALERT_STARTED);
    cr_expect_eq(alert->protocol, IP_PROTOCOL_TCP);
    cr_expect_eq(alert->first_seen_ns, TEST_START_NS);
    cr_expect_eq(alert->target_count, 1);
    cr_expect_eq(alert->target[0].endpoint.port, 80);
    cr_expect_eq(alert->target[0].packets, 4000);
    cr_assert_gt(alert->source_count, 0);
    struct address heaviest = other(7);
    cr_expect_eq(address_compare(&alert->source[0].endpoint.address, &heaviest), 0);
    cr_expect(alert->source[0].packets <= 1000 && alert->source[0].packets >= 1000 - 4000 / 9);
    cr_expect_float_eq((double)alert->sources_total, 3001, 3001 * 0.4);
    cr_assert_eq(alert->measure_count, 4);
    cr_expect_eq(alert->severity, ALERT_CRITICAL, "twenty times syn_threshold");
    cr_expect_str_eq(alert->measure[0].setting, "analysis.anomalies.syn_flood.flood_threshold");
    cr_expect_eq(alert->measure[0].observed, 4000);
    cr_expect_eq(alert->measure[0].threshold, 4000);
    cr_expect_str_eq(alert->measure[1].setting, "analysis.anomalies.syn_flood.syn_threshold");
    cr_expect_eq(alert->measure[0].group, alert->measure[1].group, "either is enough");
    cr_expect_str_eq(alert->measure[2].setting, "analysis.anomalies.syn_flood.unique_src_threshold");
    cr_expect_str_eq(alert->measure[3].setting, "analysis.anomalies.syn_flood.outstanding_threshold");
    cr_expect_eq(alert->measure[2].group, alert->measure[3].group, "either is enough");
    cr_assert_eq(alert->sample_count, ALERT_SAMPLES);
    for (unsigned i = 0; i < ALERT_SAMPLES; i++)
        cr_expect_eq(alert->sample[i].first_seen_ns, TEST_START_NS + i);
    cr_expect(strstr(alert->description, "10.0.0.2:80 got 4000 SYNs in 5 s, of which 4000") != NULL, "%s",
              alert->description);
    judging_destroy(judging);
}

Test(syn_flood, keeps_quiet_about_what_is_allowed)
{
    struct judging *judging = judging_create(&syn_flood_detector);
    judging->allowed = (struct endpoint){host(2), 0};
    for (unsigned i = 0; i < 5000; i++)
        syn(judging, i, (uint16_t)i, i);
    cr_expect_eq(judge_tick_at(judging, tick_ns), 0, "the target");
    judging->allowed = (struct endpoint){other(1), 0};
    syn(judging, 1, 1, tick_ns);
    cr_expect_eq(judge_tick_at(judging, 2 * tick_ns), 1, "one source of many");
    cr_expect_eq(judge_counts(judging->judge)->suppressed_allowed[ALERT_SYN_FLOOD], 1);
    judging_destroy(judging);

    judging = judging_create(&syn_flood_detector);
    judging->allowed = (struct endpoint){other(1), 0};
    for (unsigned i = 0; i < 5000; i++)
        syn(judging, 1, (uint16_t)i, i);
    cr_expect_eq(judge_tick_at(judging, tick_ns), 0, "all sources");
    judging_destroy(judging);

    judging = judging_create(&syn_flood_detector);
    judging->allowed = (struct endpoint){other(1), 0};
    for (unsigned i = 0; i < 9000; i++) // of the others nobody is heavy enough to be named
        syn(judging, i % 2 == 0 ? 1 : 100 + i, (uint16_t)i, i);
    cr_expect_eq(judge_tick_at(judging, tick_ns), 1, "an allowed source beside a flood of others");
    judging_destroy(judging);
}

Test(syn_flood, follows_its_settings_and_keeps_its_windows)
{
    struct judging *judging = judging_create(&syn_flood_detector);
    for (unsigned i = 0; i < 100; i++)
        syn(judging, i, (uint16_t)i, 0);
    for (int64_t tick = 1; tick <= 10; tick++)
        judge_tick_at(judging, tick * tick_ns);
    cr_expect_eq(judging->told_count, 0);
    judging->settings.syn_flood.syn_threshold = 100;
    judging->settings.syn_flood.common.window_secs = 10;
    judging->detector->row->ops->change(judging->detector, &judging->settings);
    syn(judging, 1, 1, 11 * tick_ns); // someone comes
    judge_tick_at(judging, 11 * tick_ns);
    cr_expect_eq(judging->told_count, 1);
    judging_destroy(judging);
}

// Of random sources, none is named: whoever is left in the sketch sent no hundredth.
Test(syn_flood, names_nobody_when_all_are_spoofed)
{
    struct judging *judging = judging_create(&syn_flood_detector);
    for (unsigned i = 0; i < 20000; i++)
        syn(judging, i, (uint16_t)i, i);
    cr_assert_eq(judge_tick_at(judging, tick_ns), 1);
    cr_expect_eq(judging->told[0].source_count, 0);
    cr_expect_float_eq((double)judging->told[0].sources_total, 20000, 20000 * 0.4);
    judging_destroy(judging);
}

// A million SYNs, nine tenths over a million targets, a tenth at one: found within a second, and nothing else is.
Test(syn_flood, finds_the_one_of_a_million_targets)
{
    enum { PACKETS = 1000000, TICK = 65536 };
    struct judging *judging = judging_create(&syn_flood_detector);
    uint64_t random = 9, first_told = 0;
    for (unsigned i = 0; i < PACKETS; i++) {
        uint64_t number = next_number(&random);
        struct packet packet = tcp_packet(1, (uint16_t)number, 2, 80, TCP_SYN, 0);
        memcpy(packet.source.bytes, &number, 4);
        if (next_number(&random) % 10 != 0) {
            uint32_t target = (uint32_t)next_number(&random) % 1000000;
            packet.target = address_v4(
                (const uint8_t[4]){20, (uint8_t)(target >> 16), (uint8_t)(target >> 8), (uint8_t)target});
        }
        see(judging, packet, 0);
        if (i % TICK == TICK - 1 && judge_tick_at(judging, (1 + i / TICK) * tick_ns) != 0 && first_told == 0)
            first_told = 1 + i / TICK;
    }
    cr_expect_eq(first_told, 1, "in the first tick");
    cr_expect_eq(judging->told_count, 1);
    struct address one = host(2);
    cr_expect_eq(address_compare(&judging->told[0].target[0].endpoint.address, &one), 0);
    judging_destroy(judging);
}
