#include "detect/scan.h"

#include "made_contacts.h"

// A kind of scan: which doors it is made of.
struct scanning {
    const struct detector_row *row;
    bool many_hosts;
    const char *thresholds[4];
};

static const struct scanning port_scan = {
    &port_scan_detector,
    false,
    {"analysis.anomalies.port_scan.unique_ports_threshold", "analysis.anomalies.port_scan.slow_threshold",
     "analysis.anomalies.port_scan.slow_targets", "analysis.anomalies.port_scan.slow_targets_inside"},
};
static const struct scanning host_sweep = {
    &host_sweep_detector,
    true,
    {"analysis.anomalies.host_sweep.unique_hosts_threshold", "analysis.anomalies.host_sweep.slow_threshold",
     "analysis.anomalies.host_sweep.slow_targets", "analysis.anomalies.host_sweep.slow_targets_inside"},
};
static const struct scanning *const scannings[] = {&port_scan, &host_sweep};

static struct knock door(const struct scanning *scanning, struct address source, unsigned number)
{
    struct knock knock = {.source = source, .target = other(1), .port = 22, .outcome = CONTACT_UNANSWERED};
    if (scanning->many_hosts)
        knock.target = other(number);
    else
        knock.port = (uint16_t)(1 + number);
    return knock;
}

// A source that tries doors [from, end), one in so many nanoseconds; how many alerts were told.
static unsigned try_doors(struct judging *judging, const struct scanning *scanning, struct address source,
                          unsigned from, unsigned end, int64_t spacing_ns)
{
    unsigned told = 0;
    for (unsigned i = from; i < end; i++) {
        struct knock knock = door(scanning, source, i);
        knock.at_ns = i * spacing_ns;
        add_knock(judging, &knock);
        told += judge_contacts_at(judging, knock.at_ns + 2 * NS_PER_S);
    }
    return told;
}

// At its threshold and not one below.
static void expect_at(const struct scanning *scanning, struct address source, unsigned threshold,
                      int64_t spacing_ns, unsigned span)
{
    static const uint32_t windows[] = {60, 300, 0, 0};
    struct judging *judging = judging_create(scanning->row);
    cr_expect_eq(try_doors(judging, scanning, source, 0, threshold - 1, spacing_ns), 0, "%s, span %u, below",
                 scanning->thresholds[span], span);
    cr_assert_eq(try_doors(judging, scanning, source, threshold - 1, threshold, spacing_ns), 1, "%s",
                 scanning->thresholds[span]);
    const struct alert *alert = &judging->told[0];
    cr_expect_eq(alert->kind, scanning->row->kind);
    cr_expect_eq(alert->window_secs, windows[span]);
    cr_expect(alert->observed == threshold && alert->threshold == threshold);
    cr_expect_str_eq(alert->measure[0].setting, scanning->thresholds[span]);
    cr_expect(alert->measure_count == 2 && alert->measure[1].observed == 1);
    cr_expect_eq(alert->first_seen_ns, TEST_START_NS);
    cr_expect_eq(address_compare(&alert->source[0].endpoint.address, &source), 0);
    scanning_destroy(judging);
}

Test(scans, hold_at_their_thresholds)
{
    for (unsigned i = 0; i < 2; i++) {
        for (unsigned is_inside = 0; is_inside < 2; is_inside++) {
            struct address source = is_inside ? inside() : outside();
            expect_at(scannings[i], source, 25, NS_PER_S, 0);
            expect_at(scannings[i], source, 60, 5 * NS_PER_S, 1);
            expect_at(scannings[i], source, is_inside ? 250 : 100, 30 * NS_PER_S, 2 + is_inside);
            expect_at(scannings[i], source, is_inside ? 250 : 100, 15 * 60 * NS_PER_S, 2 + is_inside);
        }
    }
}

// So many doors that answer, then doors that do not; whether that is an alert.
static bool holds_among(const struct scanning *scanning, unsigned answered, unsigned failed,
                        int64_t spacing_ns)
{
    struct judging *judging = judging_create(scanning->row);
    for (unsigned i = 0; i < answered; i++) {
        struct knock knock = door(scanning, outside(), 1000 + i);
        knock.outcome = CONTACT_ANSWERED;
        add_knock(judging, &knock);
    }
    bool holds = try_doors(judging, scanning, outside(), 0, failed, spacing_ns) != 0;
    scanning_destroy(judging);
    return holds;
}

Test(scans, hold_when_half_of_first_contacts_fail)
{
    for (unsigned i = 0; i < 2; i++) {
        cr_expect(holds_among(scannings[i], 25, 25, NS_PER_S));
        cr_expect_not(holds_among(scannings[i], 26, 25, NS_PER_S));
        cr_expect_not(holds_among(scannings[i], 61, 60, 4 * NS_PER_S)); // none is older than 240 s
        cr_expect(holds_among(scannings[i], 60, 60, 4 * NS_PER_S));
    }
}

Test(scans, hold_in_the_long_run_when_nine_tenths_fail)
{
    for (unsigned i = 0; i < 2; i++) {
        cr_expect(holds_among(scannings[i], 11, 100, 30 * NS_PER_S));
        cr_expect_not(holds_among(scannings[i], 12, 100, 30 * NS_PER_S));
    }
}

Test(scans, of_a_few_ports_are_no_port_scan)
{
    struct judging *judging = judging_create(&port_scan_detector);
    unsigned told = 0;
    for (unsigned i = 0; i < 300; i++) {
        struct knock knock = door(&host_sweep, outside(), i);
        knock.port = (uint16_t)(20 + i % (SCAN_PORTS - 1));
        knock.at_ns = i * 100 * NS_PER_MS;
        add_knock(judging, &knock);
        told += judge_contacts_at(judging, knock.at_ns);
    }
    cr_expect_eq(told, 0);
    struct knock knock = door(&host_sweep, outside(), 1);
    knock.port = 8080;
    knock.at_ns = 30 * NS_PER_S;
    add_knock(judging, &knock);
    cr_expect_eq(judge_contacts_at(judging, knock.at_ns), 1, "one port more");
    scanning_destroy(judging);
}

Test(scans, by_echo_requests_are_sweeps)
{
    for (unsigned version = 4; version <= 6; version += 2) {
        struct judging *sweeping = judging_create(&host_sweep_detector),
                       *scanning = judging_create(&port_scan_detector);
        for (uint8_t i = 0; i < 25; i++) {
            struct knock knock = {version == 4 ? outside() : host_v6(200),
                                  version == 4 ? host(i) : host_v6(i),
                                  0,
                                  CONTACT_UNANSWERED,
                                  PROBE_PING,
                                  i};
            add_knock(sweeping, &knock);
            add_knock(scanning, &knock);
        }
        cr_expect_eq(judge_contacts_at(scanning, NS_PER_S), 0);
        cr_assert_eq(judge_contacts_at(sweeping, NS_PER_S), 1);
        const struct alert *alert = &sweeping->told[0];
        cr_expect_eq(alert->protocol, version == 4 ? IP_PROTOCOL_ICMP : IP_PROTOCOL_ICMPV6);
        cr_expect(alert->targets_total == 25 && alert->target[0].endpoint.port == 0);
        cr_expect_not_null(strstr(alert->description, "echo requests"), "%s", alert->description);
        scanning_destroy(sweeping);
        scanning_destroy(scanning);
    }
}

// What a first contact is: a dead door that is tried again counts once, one that answered never fails.
Test(scans, count_first_contacts)
{
    for (unsigned i = 0; i < 2; i++) {
        struct judging *judging = judging_create(scannings[i]->row);
        for (unsigned round = 0; round < 100; round++)
            cr_expect_eq(try_doors(judging, scannings[i], outside(), 0, 24, 0), 0);
        for (unsigned k = 100; k < 110; k++) {
            struct knock knock = door(scannings[i], outside(), k);
            knock.outcome = CONTACT_ANSWERED;
            add_knock(judging, &knock);
        }
        cr_expect_eq(judge_contacts_at(judging, 2 * NS_PER_S), 0);
        cr_expect_eq(try_doors(judging, scannings[i], outside(), 100, 110, 0), 0, "they answered once");
        cr_expect_eq(try_doors(judging, scannings[i], outside(), 24, 25, 0), 1);
        scanning_destroy(judging);
    }
}

// Where answers of a protocol are not seen, that one is missing does not count; a refusal does.
Test(scans, count_no_missing_answers_where_none_are_seen)
{
    for (unsigned way = 0; way < WAYS; way++) {
        struct judging *judging = judging_create(&port_scan_detector);
        judging->tick.one_way[way] = true;
        unsigned told = try_doors(judging, &port_scan, outside(), 0, 30, 0);
        cr_expect_eq(told, way == WAY_UDP, "these are of TCP");
        for (unsigned i = 30; i < 60; i++) {
            struct knock knock = door(&port_scan, outside(), i);
            knock.outcome = CONTACT_REFUSED;
            add_contact(&judging->evidence.all, 0, &knock);
        }
        if (way == WAY_TCP)
            cr_expect_eq(judge_contacts_at(judging, 100 * NS_PER_S), 1);
        scanning_destroy(judging);
    }
}

// A browser whose QUIC is blocked: no answer from 30 hosts, which answer by TCP, as 30 others do.
Test(scans, ask_all_of_a_source_whether_it_mostly_fails)
{
    struct judging *judging = judging_create(&host_sweep_detector);
    const struct detector_setup setup = {&judging->settings, &judging->places, &judging->port_scan,
                                         made_seed};
    judging->port_scan = port_scan_detector.ops->create(&port_scan_detector, &setup);
    for (unsigned i = 0; i < 60; i++) {
        struct knock knock = door(&host_sweep, outside(), i);
        knock.outcome = CONTACT_ANSWERED;
        knock.port = 443;
        add_contact(&judging->evidence.all, 0, &knock);
    }
    for (unsigned i = 0; i < 30; i++) {
        struct knock knock = door(&host_sweep, outside(), i);
        add_contact(&judging->evidence.all, 0, &knock);
    }
    cr_assert(tick_evidence_gather(&judging->tick, (const struct evidence *[]){&judging->evidence.all}, 1));
    port_scan_detector.ops->merge(judging->port_scan, &judging->tick, TEST_START_NS);
    cr_expect_eq(judge_contacts_at(judging, 0), 0);
    port_scan_detector.ops->destroy(judging->port_scan);
    judging->port_scan = NULL;
    cr_expect_eq(try_doors(judging, &host_sweep, outside(), 30, 31, 0), 1,
                 "alone, all of its contacts failed");
    scanning_destroy(judging);
}

// Findings that are allowed are counted and not told; contacts that are allowed by their target do not count.
Test(scans, leave_out_what_is_allowed)
{
    for (unsigned i = 0; i < 2; i++) {
        struct judging *judging = judging_create(scannings[i]->row);
        judging->allowed.address = outside();
        cr_expect_eq(try_doors(judging, scannings[i], outside(), 0, 30, 0), 0);
        cr_expect_eq(judge_counts(judging->judge)->suppressed_allowed[scannings[i]->row->kind], 30 - 24);
        judging->allowed.address.version = 0;
        cr_expect_eq(try_doors(judging, scannings[i], outside(), 30, 31, 0), 1, "the entry has gone");
        scanning_destroy(judging);
    }
    struct judging *judging = judging_create(&port_scan_detector);
    judging->allowed.address = other(1); // as a target
    cr_expect_eq(try_doors(judging, &port_scan, outside(), 0, 100, 0), 0);
    cr_expect_eq(judge_counts(judging->judge)->suppressed_allowed[ALERT_PORT_SCAN], 0);
    judging->allowed.address.version = 0;
    cr_expect_eq(try_doors(judging, &port_scan, outside(), 100, 124, 0), 0);
    cr_expect_eq(try_doors(judging, &port_scan, outside(), 124, 125, 0), 1);
    scanning_destroy(judging);
}

// Thresholds and windows of a running detector.
Test(scans, follow_other_thresholds_with_what_they_counted)
{
    struct judging *judging = judging_create(&port_scan_detector);
    cr_expect_eq(try_doors(judging, &port_scan, outside(), 0, 12, NS_PER_S), 0);
    judging->settings.port_scan.unique_threshold = 12;
    judging->settings.port_scan.common.window_secs = 90;
    judging->detector->row->ops->change(judging->detector, &judging->settings);
    cr_assert_eq(try_doors(judging, &port_scan, outside(), 12, 13, NS_PER_S), 1);
    cr_expect(judging->told[0].observed == 13 && judging->told[0].threshold == 12);
    cr_expect_eq(judging->told[0].window_secs, 90);
    scanning_destroy(judging);
}

Test(scans, say_who_did_what)
{
    struct judging *judging = judging_create(&port_scan_detector);
    cr_assert_eq(try_doors(judging, &port_scan, inside(), 0, 25, NS_PER_S), 1);
    const struct alert *alert = &judging->told[0];
    cr_expect_str_eq(alert->description, "10.0.0.77 tried 25 different ports of 10.1.0.1 that refused or did "
                                         "not answer, in 60 s");
    cr_expect(alert->severity == ALERT_HIGH && alert->confidence == 1 && alert->protocol == 0);
    cr_expect(alert->source_count == 1 && alert->sources_total == 1);
    cr_expect(alert->target_count == 1 && alert->targets_total == 1);
    cr_expect(alert->sample_count == ALERT_SAMPLES && alert->has_interface && alert->interface == 3);
    cr_expect_eq(alert->sample[0].server.port, 1 + SCAN_FEW);
    cr_expect_eq(alert->sample[0].client.port, 40000);
    scanning_destroy(judging);

    judging = judging_create(&host_sweep_detector);
    cr_assert_eq(try_doors(judging, &host_sweep, outside(), 0, 25, NS_PER_S), 1);
    alert = &judging->told[0];
    cr_expect_str_eq(alert->description,
                     "203.0.113.5 tried 25 different hosts on tcp port 22 that refused or "
                     "did not answer, in 60 s");
    cr_expect(alert->severity == ALERT_MEDIUM && alert->protocol == IP_PROTOCOL_TCP);
    cr_expect(alert->target_count == ALERT_PARTIES && alert->targets_total == 25);
    cr_expect_eq(alert->target[0].endpoint.port, 22);
    scanning_destroy(judging);
}

// The evidence of partitions is merged in their order: in which of them a contact lies changes no number.
Test(scans, do_not_depend_on_partitions)
{
    struct alert first = {0};
    for (unsigned round = 0; round < 4; round++) {
        struct judging *judging = judging_create(&host_sweep_detector);
        for (unsigned i = 0; i < 2000; i++) {
            struct knock knock = door(&host_sweep, outside(), i);
            add_contact(&judging->evidence.all, i * (round * 2 + 1) % MADE_PARTITIONS, &knock);
        }
        cr_assert_eq(judge_contacts_at(judging, NS_PER_S), 1);
        const struct alert *alert = &judging->told[0];
        if (round == 0)
            first = *alert;
        cr_expect_str_eq(alert->id, first.id);
        cr_expect_float_eq(alert->observed, 2000, 200);
        cr_expect_eq(alert->measure[alert->measure_count - 1].observed, 1);
        scanning_destroy(judging);
    }
}
