#include "detect/judge.h"

#include <stdio.h>

#include "packets.h"

enum { TOLD = 4096, CASES = 1024, COOLDOWN_SECS = 60 };

static struct {
    struct alert alerts[TOLD];
    unsigned count;
} told;

static void note(void *owner, const struct alert *alert)
{
    (void)owner;
    cr_assert_lt(told.count, TOLD);
    told.alerts[told.count++] = *alert;
}

static const struct alert *last_told(void)
{
    cr_assert_gt(told.count, 0);
    return &told.alerts[told.count - 1];
}

static struct judge *make_judge(uint32_t most_a_minute)
{
    const struct judge_setup setup = {.max_alerts_per_minute = most_a_minute, .tell = note};
    struct judge *judge = judge_create(&setup, 17);
    cr_assert_not_null(judge);
    return judge;
}

static struct finding_key scan_by(unsigned number)
{
    const uint8_t source[4] = {10, 1, (uint8_t)(number >> 8), (uint8_t)number};
    return (struct finding_key){.kind = ALERT_PORT_SCAN, .source.address = address_v4(source)};
}

// Whether it was told.
static bool find(struct judge *judge, const struct finding_key *key, uint32_t window_secs)
{
    if (!judge_finds(judge, key, COOLDOWN_SECS))
        return false;
    judge_alert(judge)->window_secs = window_secs;
    judge_tell(judge);
    return true;
}

// A tick in which the scans of sources [first, end) hold; how many words were given out in it.
static unsigned tick_of(struct judge *judge, int64_t at_ns, unsigned first, unsigned end)
{
    unsigned before = told.count;
    judge_begin(judge, TEST_START_NS + at_ns, 0, 0);
    for (unsigned i = first; i < end; i++) {
        const struct finding_key key = scan_by(i);
        find(judge, &key, 60);
    }
    judge_end(judge);
    return told.count - before;
}

Test(judge, tells_start_updates_and_end)
{
    struct judge *judge = make_judge(0);
    const struct finding_key key = scan_by(1);
    cr_expect_eq(tick_of(judge, 0, 1, 2), 1);
    const struct alert start = *last_told();
    cr_expect(start.kind == ALERT_PORT_SCAN && start.lifecycle == ALERT_STARTED && start.revision == 1);
    cr_expect(start.suppressed_count == 0 && start.confidence == 1);
    cr_expect(start.first_seen_ns == TEST_START_NS && start.ts_ns == TEST_START_NS);
    cr_expect(judge_is_on(judge, &key));
    for (int64_t secs = 1; secs < COOLDOWN_SECS; secs++)
        cr_expect_eq(tick_of(judge, secs * NS_PER_S, 1, 2), 0);
    cr_expect_eq(tick_of(judge, COOLDOWN_SECS * NS_PER_S, 1, 2), 1);
    const struct alert update = *last_told();
    cr_expect(update.lifecycle == ALERT_UPDATED && update.revision == 2);
    cr_expect_eq(update.suppressed_count, COOLDOWN_SECS - 1);
    cr_expect_str_eq(update.id, start.id);
    cr_expect_eq(update.first_seen_ns, start.first_seen_ns);
    cr_expect_eq(update.ts_ns, TEST_START_NS + COOLDOWN_SECS * NS_PER_S);
    cr_expect_eq(tick_of(judge, 2 * COOLDOWN_SECS * NS_PER_S, 1, 1), 0, "it may still come");
    cr_expect_eq(tick_of(judge, 2 * COOLDOWN_SECS * NS_PER_S + 1, 1, 1), 1);
    cr_expect(last_told()->lifecycle == ALERT_ENDED && last_told()->revision == 3);
    cr_expect_eq(last_told()->last_seen_ns, TEST_START_NS + COOLDOWN_SECS * NS_PER_S);
    cr_expect_str_eq(last_told()->id, start.id);
    cr_expect_not(judge_is_on(judge, &key));
    cr_expect_eq(judge_counts(judge)->told[ALERT_PORT_SCAN][ALERT_LOW], 1);
    cr_expect_eq(judge_counts(judge)->active[ALERT_PORT_SCAN], 0);
    cr_expect_eq(judge_counts(judge)->suppressed_cooldown[ALERT_PORT_SCAN], COOLDOWN_SECS - 1);
    judge_destroy(judge);
    judge_destroy(NULL);
}

// 1, 2, 4, 8, 16 times the cool-down, then 16 times.
Test(judge, doubles_the_cool_down)
{
    static const int64_t expected[] = {1, 3, 7, 15, 31, 47, 63};
    struct judge *judge = make_judge(0);
    cr_expect_eq(tick_of(judge, 0, 1, 2), 1);
    int64_t found = 1, after = 0;
    for (unsigned i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        int64_t suppressed = 0;
        for (; tick_of(judge, found * NS_PER_S, 1, 2) == 0; found++)
            suppressed++;
        cr_expect_eq(found, expected[i] * COOLDOWN_SECS, "word %u after %ld s", i, (long)found);
        cr_expect_eq(last_told()->suppressed_count, suppressed);
        cr_expect_eq(suppressed, found - after - 1);
        after = found++;
    }
    judge_destroy(judge);
}

// The condition holds on and off: what ended begins anew with another id and the same fingerprint.
Test(judge, fingerprint_is_of_the_parties_and_id_of_the_alert)
{
    struct judge *judge = make_judge(0);
    tick_of(judge, 0, 1, 3);
    struct alert first = told.alerts[0], second = told.alerts[1];
    cr_expect_str_neq(first.fingerprint, second.fingerprint);
    cr_expect_str_neq(first.id, second.id);
    cr_expect_eq(strlen(first.fingerprint), ALERT_ID_BYTES - 1);
    cr_expect_eq(tick_of(judge, 1000 * NS_PER_S, 1, 1), 2, "both end");
    tick_of(judge, 2000 * NS_PER_S, 1, 2);
    cr_expect_str_eq(last_told()->fingerprint, first.fingerprint);
    cr_expect_str_neq(last_told()->id, first.id);
    cr_expect_eq(last_told()->revision, 1);
    judge_destroy(judge);

    const struct judge_setup setup = {.tell = note};
    judge = judge_create(&setup, 99); // on another node
    tick_of(judge, 7 * NS_PER_S, 1, 2);
    cr_expect_str_eq(last_told()->fingerprint, first.fingerprint);
    judge_destroy(judge);
}

// Kind, protocol and all of the parties tell findings apart.
Test(judge, keeps_findings_apart)
{
    const struct address one = host(1), six = host_v6(1);
    const struct finding_key keys[] = {
        {.kind = ALERT_HOST_SWEEP, .protocol = 6, .source.address = one, .target.port = 22},
        {.kind = ALERT_PORT_SCAN, .protocol = 6, .source.address = one, .target.port = 22},
        {.kind = ALERT_HOST_SWEEP, .protocol = 17, .source.address = one, .target.port = 22},
        {.kind = ALERT_HOST_SWEEP, .protocol = 6, .source.address = one, .target.port = 23},
        {.kind = ALERT_HOST_SWEEP, .protocol = 6, .source.address = host(2), .target.port = 22},
        {.kind = ALERT_HOST_SWEEP, .protocol = 6, .source.address = six, .target.port = 22},
        {.kind = ALERT_HOST_SWEEP, .protocol = 6, .source = {one, 22}},
        {.kind = ALERT_HOST_SWEEP, .protocol = 6, .target = {one, 22}},
    };
    enum { KEYS = sizeof keys / sizeof keys[0] };
    struct judge *judge = make_judge(0);
    judge_begin(judge, TEST_START_NS, 0, 0);
    for (unsigned i = 0; i < KEYS; i++)
        cr_expect(find(judge, &keys[i], 60), "key %u", i);
    for (unsigned i = 0; i < KEYS; i++)
        cr_expect_not(find(judge, &keys[i], 60), "key %u", i);
    judge_end(judge);
    for (unsigned i = 0; i < KEYS; i++)
        for (unsigned k = 0; k < i; k++)
            cr_expect_str_neq(told.alerts[i].fingerprint, told.alerts[k].fingerprint);
    judge_destroy(judge);
}

// It ends when its window and its cool-down have passed; one without a window after 15 minutes.
Test(judge, ends_what_is_found_no_more)
{
    static const struct {
        uint32_t window_secs, rest_secs;
    } cases[] = {{5, COOLDOWN_SECS}, {60, 60}, {300, 300}, {0, 900}};
    for (unsigned i = 0; i < 4; i++) {
        struct judge *judge = make_judge(0);
        const struct finding_key key = scan_by(1);
        judge_begin(judge, TEST_START_NS, 0, 0);
        find(judge, &key, cases[i].window_secs);
        judge_end(judge);
        cr_expect_eq(tick_of(judge, cases[i].rest_secs * NS_PER_S, 1, 1), 0);
        cr_expect(judge_is_on(judge, &key));
        cr_expect_eq(tick_of(judge, cases[i].rest_secs * NS_PER_S + 1, 1, 1), 1);
        cr_expect_eq(last_told()->lifecycle, ALERT_ENDED);
        judge_destroy(judge);
    }
}

// What its detector knows and what the judge does.
Test(judge, gives_times_as_stamps_and_what_was_lost)
{
    struct judge *judge = make_judge(0);
    const struct finding_key key = scan_by(1);
    judge_begin(judge, TEST_START_NS, 5 * NS_PER_S, 0.25);
    cr_assert(judge_finds(judge, &key, COOLDOWN_SECS));
    struct alert *alert = judge_alert(judge);
    cr_expect_eq(alert->ts_ns, TEST_START_NS - 5 * NS_PER_S);
    cr_expect_eq(alert->loss_ratio, 0.25);
    alert->first_seen_ns = TEST_START_NS - 70 * NS_PER_S;
    judge_tell(judge);
    judge_end(judge);
    struct alert first = *last_told();
    judge_begin(judge, TEST_START_NS + COOLDOWN_SECS * NS_PER_S, 5 * NS_PER_S, 0);
    cr_assert(judge_finds(judge, &key, COOLDOWN_SECS));
    judge_alert(judge)->first_seen_ns = TEST_START_NS; // its detector forgot
    judge_tell(judge);
    judge_end(judge);
    cr_expect_eq(last_told()->first_seen_ns, first.first_seen_ns);
    cr_expect_str_eq(last_told()->id, first.id);
    judge_destroy(judge);
}

Test(judge, keeps_to_its_rate_and_tells_the_rest_as_overflow)
{
    enum { MOST = 10, FOUND = 25 };
    struct judge *judge = make_judge(MOST);
    cr_expect_eq(tick_of(judge, 0, 0, FOUND), MOST);
    cr_expect_eq(tick_of(judge, 30 * NS_PER_S, 0, FOUND), 0);
    uint64_t held_back = judge_counts(judge)->suppressed_rate[ALERT_PORT_SCAN];
    cr_expect_eq(held_back, 2 * (FOUND - MOST));
    unsigned before = told.count;
    cr_expect_eq(tick_of(judge, 60 * NS_PER_S, MOST, FOUND), MOST + 1, "the overflow besides");
    const struct alert *overflow = &told.alerts[before];
    cr_expect(overflow->kind == ALERT_OVERFLOW && overflow->lifecycle == ALERT_STARTED);
    cr_expect_eq(overflow->observed, FOUND - MOST, "each alert once, however often it was found");
    cr_expect_eq(overflow->threshold, MOST);
    cr_expect_not_null(strstr(overflow->description, "15 further alerts"));
    for (unsigned i = before + 1; i < told.count; i++)
        cr_expect(told.alerts[i].lifecycle == ALERT_STARTED && told.alerts[i].suppressed_count == 2);
    judge_change(judge, 1000);
    cr_expect_eq(tick_of(judge, 61 * NS_PER_S, MOST, FOUND), FOUND - MOST - MOST, "a greater rate");
    judge_destroy(judge);
}

// More findings at a time than there is room for: they are told as overflow too.
Test(judge, counts_what_has_no_room)
{
    enum { MOST = 60, FOUND = 1500 };
    struct judge *judge = make_judge(MOST);
    cr_expect_eq(tick_of(judge, 0, 0, FOUND), MOST);
    cr_expect_gt(judge_counts(judge)->refused, FOUND - CASES - 1);
    cr_expect_eq(judge_counts(judge)->active[ALERT_PORT_SCAN] + judge_counts(judge)->refused, FOUND);
    unsigned before = told.count;
    tick_of(judge, 60 * NS_PER_S, 0, FOUND);
    cr_expect_eq(told.alerts[before].kind, ALERT_OVERFLOW);
    cr_expect_eq(told.alerts[before].observed, FOUND - MOST);
    tick_of(judge, 1000 * NS_PER_S, 0, 0);
    cr_expect_eq(judge_counts(judge)->active[ALERT_PORT_SCAN], 0);
    cr_expect(tick_of(judge, 2000 * NS_PER_S, FOUND, FOUND + 1) >= 1, "room again");
    judge_destroy(judge);
}

Test(judge, ends_everything_with_the_run)
{
    struct judge *judge = make_judge(2);
    tick_of(judge, 0, 0, 5);
    unsigned before = told.count;
    judge_begin(judge, TEST_START_NS + NS_PER_S, 0, 0);
    judge_end(judge);
    judge_finish(judge);
    cr_assert_eq(told.count - before, 4);
    cr_expect(told.alerts[before].kind == ALERT_OVERFLOW && told.alerts[before].lifecycle == ALERT_STARTED);
    for (unsigned i = before + 1; i < told.count; i++)
        cr_expect_eq(told.alerts[i].lifecycle, ALERT_ENDED);
    for (unsigned kind = 0; kind < ALERT_KINDS; kind++)
        cr_expect_eq(judge_counts(judge)->active[kind], 0);
    judge_destroy(judge);
}

Test(judge, counts_what_is_allowed)
{
    struct judge *judge = make_judge(0);
    judge_count_allowed(judge, ALERT_HOST_SWEEP);
    judge_count_allowed(judge, ALERT_HOST_SWEEP);
    cr_expect_eq(judge_counts(judge)->suppressed_allowed[ALERT_HOST_SWEEP], 2);
    judge_destroy(judge);
}
