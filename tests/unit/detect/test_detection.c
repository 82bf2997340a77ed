#include "detect/detection.h"

#include "made_contacts.h"

// Detection with all detectors; evidence is made and lies in one partition.
struct detecting {
    struct anomaly_settings settings;
    struct detect_places places;
    struct detection *detection;
    struct evidence evidence;
    uint64_t received, lost;
    unsigned told_count;
    struct alert told[MADE_TOLD];
};

static void note(void *owner, const struct alert *alert)
{
    struct detecting *detecting = owner;
    cr_assert_lt(detecting->told_count, MADE_TOLD);
    detecting->told[detecting->told_count++] = *alert;
}

static bool nothing_is_allowed(const void *owner, const struct endpoint *source,
                               const struct endpoint *target, int64_t now_ns)
{
    (void)owner;
    (void)source;
    (void)target;
    (void)now_ns;
    return false;
}

static struct detecting *detecting_create(void)
{
    struct detecting *detecting = calloc(1, sizeof *detecting);
    detecting->settings = default_settings();
    detecting->places = (struct detect_places){made_is_local, nothing_is_allowed, detecting};
    struct detection_setup setup = {&detecting->settings, &detecting->places, made_seed, note, detecting};
    detecting->detection = detection_create(&setup);
    cr_assert_not_null(detecting->detection);
    return detecting;
}

static void detecting_destroy(struct detecting *detecting)
{
    detection_destroy(detecting->detection);
    evidence_done(&detecting->evidence);
    free(detecting);
}

static unsigned detect_at(struct detecting *detecting, int64_t at_ns)
{
    unsigned before = detecting->told_count;
    detecting->received += 1000;
    struct detection_tick tick = {
        .now_ns = TEST_START_NS + at_ns, .received = detecting->received, .lost = detecting->lost};
    detection_begin(detecting->detection, &tick);
    const struct evidence *shards[] = {&detecting->evidence};
    detection_merge(detecting->detection, shards, 1);
    detection_end(detecting->detection);
    evidence_reset(&detecting->evidence);
    return detecting->told_count - before;
}

static void knock_at(struct detecting *detecting, uint8_t target, uint16_t port, int64_t at_ns)
{
    struct knock knock = {outside(), host(target), port, CONTACT_UNANSWERED, PROBE_SYN, at_ns};
    add_contact(&detecting->evidence, 0, &knock);
}

static void knock_at_ports(struct detecting *detecting, uint16_t from, uint16_t end)
{
    for (uint16_t port = from; port < end; port++)
        knock_at(detecting, 1, port, 0);
}

static void knock_at_hosts(struct detecting *detecting, uint16_t port)
{
    for (uint8_t target = 0; target < 30; target++)
        knock_at(detecting, target, port, 0);
}

Test(detection, holds_back_sweeps_of_a_known_scanner)
{
    struct detecting *detecting = detecting_create();
    knock_at_ports(detecting, 1000, 1030);
    knock_at_hosts(detecting, 22);
    knock_at_hosts(detecting, 23);
    cr_expect_eq(detect_at(detecting, 0), 1);
    cr_expect_eq(detecting->told[0].kind, ALERT_PORT_SCAN);
    cr_expect_eq(detect_at(detecting, 61 * NS_PER_S), 1, "the port scan is over");
    cr_expect_eq(detecting->told[1].lifecycle, ALERT_ENDED);
    for (uint8_t target = 0; target < 30; target++)
        knock_at(detecting, target, 24, 62 * NS_PER_S);
    cr_expect(detect_at(detecting, 62 * NS_PER_S) >= 1);
    detecting_destroy(detecting);
}

// A sweep that was told before its source was known as a scanner goes on.
Test(detection, goes_on_with_a_sweep_that_was_told)
{
    struct detecting *detecting = detecting_create();
    knock_at_hosts(detecting, 22);
    cr_assert_eq(detect_at(detecting, 0), 1);
    cr_expect_eq(detecting->told[0].kind, ALERT_HOST_SWEEP);
    knock_at_ports(detecting, 1000, 1030);
    cr_assert_eq(detect_at(detecting, NS_PER_S), 1);
    cr_expect_eq(detecting->told[1].kind, ALERT_PORT_SCAN);
    knock_at(detecting, 100, 22, 60 * NS_PER_S);
    cr_assert_eq(detect_at(detecting, 60 * NS_PER_S), 1);
    cr_expect(detecting->told[2].kind == ALERT_HOST_SWEEP && detecting->told[2].lifecycle == ALERT_UPDATED);
    detecting_destroy(detecting);
}

static bool is_degraded(const struct detecting *detecting, enum alert_kind kind)
{
    struct detect_status status;
    detection_status(detecting->detection, &status);
    return status.degraded[kind];
}

static void carry(struct detecting *detecting, uint64_t with_payload, uint64_t two_way)
{
    detecting->evidence.ways[WAY_TCP] = (struct seen_ways){with_payload, two_way};
}

// TCP speaks for UDP, too; UDP never for TCP, since whoever forges datagrams shows one direction.
Test(detection, asks_tcp_first_which_directions_are_seen)
{
    static const struct {
        struct seen_ways tcp, udp;
        bool told, degraded; // of a scan by TCP
    } cases[] = {{{0, 0}, {1000, 0}, true, true},
                 {{100, 90}, {1000, 0}, true, false},
                 {{100, 0}, {100, 90}, false, true}};
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct detecting *detecting = detecting_create();
        detecting->evidence.ways[WAY_TCP] = cases[i].tcp;
        detecting->evidence.ways[WAY_UDP] = cases[i].udp;
        knock_at_ports(detecting, 1000, 1030);
        cr_expect_eq(detect_at(detecting, 0), cases[i].told, "case %u", i);
        cr_expect_eq(is_degraded(detecting, ALERT_PORT_SCAN), cases[i].degraded);
        detecting_destroy(detecting);
    }
}

// Fewer than 5 % of at least 20 flows in both directions.
Test(detection, is_degraded_where_one_direction_is_seen)
{
    static const struct {
        uint64_t with_payload, two_way;
        bool degraded;
    } cases[] = {{19, 0, false}, {20, 0, true}, {20, 1, false}, {100, 4, true}, {100, 5, false}};
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct detecting *detecting = detecting_create();
        carry(detecting, cases[i].with_payload, cases[i].two_way);
        knock_at_ports(detecting, 1000, 1030);
        cr_expect_eq(detect_at(detecting, 0), !cases[i].degraded, "case %u", i);
        cr_expect_eq(is_degraded(detecting, ALERT_PORT_SCAN), cases[i].degraded);
        cr_expect_eq(is_degraded(detecting, ALERT_HOST_SWEEP), cases[i].degraded);
        cr_expect_eq(is_degraded(detecting, ALERT_UDP_FLOOD),
                     cases[i].degraded && udp_flood_detector.by_answers);
        detecting_destroy(detecting);
    }
}

// It is itself again when answers are seen, not because old connections say nothing new for five minutes. What was not
// seen is taken for answered.
Test(detection, is_degraded_no_more)
{
    struct detecting *detecting = detecting_create();
    carry(detecting, 100, 0);
    knock_at_ports(detecting, 1000, 1024);
    cr_expect_eq(detect_at(detecting, 0), 0);
    carry(detecting, 100, 90);
    knock_at_ports(detecting, 1000, 1049);
    cr_expect_eq(detect_at(detecting, NS_PER_S), 1);
    cr_expect_eq(detecting->told[0].observed, 25);
    detecting_destroy(detecting);

    detecting = detecting_create();
    carry(detecting, 100, 0);
    detect_at(detecting, 0);
    detect_at(detecting, 1000 * NS_PER_S);
    cr_expect(is_degraded(detecting, ALERT_PORT_SCAN));
    carry(detecting, 20, 20);
    detect_at(detecting, 1001 * NS_PER_S);
    cr_expect_not(is_degraded(detecting, ALERT_PORT_SCAN));
    detecting_destroy(detecting);
}

Test(detection, tells_what_was_lost_lately)
{
    struct detecting *detecting = detecting_create();
    detecting->received = 3000;
    detecting->lost = 1000;
    knock_at_ports(detecting, 1000, 1030);
    cr_assert_eq(detect_at(detecting, 0), 1);
    cr_expect_float_eq(detecting->told[0].loss_ratio, 0.25, 1e-9);
    cr_expect_float_eq(detecting->told[0].confidence, 0.75, 1e-9);
    knock_at_ports(detecting, 2000, 2100);
    for (unsigned i = 0; i < 100; i++)
        detecting->evidence.contacts.items[i].began_ns += 400 * NS_PER_S;
    detect_at(detecting, 400 * NS_PER_S);
    cr_expect_eq(detecting->told[detecting->told_count - 1].loss_ratio, 0, "ten panes later");
    detecting_destroy(detecting);
}
