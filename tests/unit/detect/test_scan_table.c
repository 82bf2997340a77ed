#include "detect/scan_table.h"

#include <stdlib.h>

#include "numbers.h"
#include "packets.h"

static const uint32_t window_secs[SCAN_SPANS] = {60, 300};
static const uint64_t table_seed = 17;

static struct scan_table *make_table(void)
{
    struct scan_table *table = scan_table_create(window_secs, table_seed);
    cr_assert_not_null(table);
    return table;
}

static struct scan_key key_of(uint32_t source)
{
    struct scan_key key = {.ip_version = 4};
    memcpy(key.address, &source, sizeof source);
    return key;
}

static uint32_t source_of(const struct scan_row *row)
{
    uint32_t source;
    memcpy(&source, row->key.address, sizeof source);
    return source;
}

// A contact that a source began then with a member; the member's number is its target's address and port.
static void meet(struct scan_table *table, uint32_t source, uint32_t member, enum contact_outcome outcome,
                 int64_t at_ns)
{
    struct contact contact = {
        .began_ns = TEST_START_NS + at_ns,
        .first_seen_ns = TEST_START_NS + at_ns + 1,
        .ports = {40000, (uint16_t)member},
        .ip_version = 4,
        .protocol = IP_PROTOCOL_TCP,
        .outcome = (uint8_t)outcome,
    };
    memcpy(contact.addresses[0], &source, sizeof source);
    memcpy(contact.addresses[1], &member, sizeof member);
    struct scan_meeting meeting = {
        .key = key_of(source),
        .member = scan_table_hash(table, &member, sizeof member),
        .failed = outcome != CONTACT_ANSWERED,
        .contact = &contact,
    };
    scan_table_add(table, &meeting, 1);
}

static void fail(struct scan_table *table, uint32_t source, uint32_t member, int64_t at_ns)
{
    meet(table, source, member, CONTACT_UNANSWERED, at_ns);
}

static const struct scan_table *judged_in;

// The tick ends; the row of a source as it was to be judged, NULL = it was not.
static const struct scan_row *judged(struct scan_table *table, uint32_t source, int64_t at_ns)
{
    static struct scan_row copy;
    const struct scan_row *found = NULL;
    judged_in = table;
    for (const struct scan_row *row; (row = scan_table_next(table, TEST_START_NS + at_ns)) != NULL;) {
        cr_assert_gt(row->since.failed, 0);
        if (source_of(row) == source) {
            cr_assert_null(found, "twice");
            copy = *row;
            found = &copy;
        }
    }
    return found;
}

static float failed_in(const struct scan_row *row, enum scan_span span)
{
    return scan_row_count(judged_in, row, span).failed;
}

Test(scan_table, names_what_failed_once_a_tick)
{
    struct scan_table *table = make_table();
    cr_expect_null(judged(table, 1, 0));
    fail(table, 1, 100, 0);
    fail(table, 1, 101, 0);
    meet(table, 2, 100, CONTACT_ANSWERED, 0);
    const struct scan_row *row = judged(table, 1, 0);
    cr_assert_not_null(row);
    cr_expect(row->since.failed == 2 && row->since.all == 2);
    cr_expect_eq(row->first_seen_ns, TEST_START_NS + 1);
    cr_expect_eq(row->ports, 2);
    cr_expect_null(scan_table_block(table, row));
    cr_expect_null(judged(table, 1, 0), "nothing new");
    meet(table, 1, 102, CONTACT_ANSWERED, 0);
    cr_expect_null(judged(table, 1, 0), "that did not fail");
    fail(table, 1, 101, 0);
    cr_expect_null(judged(table, 1, 0), "the same door again");
    meet(table, 1, 103, CONTACT_REFUSED, 0);
    row = judged(table, 1, 0);
    cr_expect(row->since.failed == 3 && row->since.all == 4);
    fail(table, 2, 101, 0);
    row = judged(table, 2, 0);
    cr_expect(row->since.failed == 1 && row->since.all == 2);
    scan_table_destroy(table);
    scan_table_destroy(NULL);
}

// What is a window's age old counts, what is a pane older never does.
Test(scan_table, windows_hold_what_is_as_old_as_they_are_long)
{
    for (int64_t pane = 0; pane < SCAN_PANES; pane++) {
        int64_t begin_ns = pane * 6 * NS_PER_S + 5 * NS_PER_S;
        struct scan_table *table = make_table();
        fail(table, 1, 100, begin_ns);
        fail(table, 1, 101, begin_ns + 60 * NS_PER_S - 1);
        cr_expect_eq(failed_in(judged(table, 1, begin_ns), SCAN_FAST), 2, "59.9 s");
        fail(table, 1, 102, begin_ns + 66 * NS_PER_S);
        cr_expect_eq(failed_in(judged(table, 1, begin_ns), SCAN_FAST), 2, "the first one has gone");
        fail(table, 1, 103, begin_ns + 300 * NS_PER_S - 1);
        const struct scan_row *row = judged(table, 1, begin_ns);
        cr_expect_eq(failed_in(row, SCAN_FAST), 1);
        cr_expect_eq(failed_in(row, SCAN_SLOW), 4);
        fail(table, 1, 104, begin_ns + 330 * NS_PER_S);
        row = judged(table, 1, begin_ns);
        cr_expect_eq(failed_in(row, SCAN_FAST), 2);
        cr_expect_eq(failed_in(row, SCAN_SLOW), 4);
        cr_expect_eq(row->since.failed, 5);
        scan_table_destroy(table);
    }
}

// Answers are waited for, so contacts come after younger ones that were refused.
Test(scan_table, late_contacts_count_at_their_time)
{
    struct scan_table *table = make_table();
    fail(table, 1, 100, 100 * NS_PER_S);
    fail(table, 1, 101, 98 * NS_PER_S);
    fail(table, 1, 102, 50 * NS_PER_S);
    fail(table, 1, 103, 30 * NS_PER_S); // older than the window
    const struct scan_row *row = judged(table, 1, 100 * NS_PER_S);
    cr_expect_eq(failed_in(row, SCAN_FAST), 3);
    cr_expect_eq(failed_in(row, SCAN_SLOW), 4);
    cr_expect_eq(row->last_ns, TEST_START_NS + 100 * NS_PER_S);
    fail(table, 1, 104, 112 * NS_PER_S);
    row = judged(table, 1, 112 * NS_PER_S);
    cr_expect_eq(failed_in(row, SCAN_FAST), 3, "the one of 50 s has gone");
    scan_table_destroy(table);
}

Test(scan_table, windows_of_another_length_keep_what_they_hold)
{
    struct scan_table *table = make_table();
    for (uint32_t i = 0; i < 60; i++)
        meet(table, 1, i, i % 3 == 0 ? CONTACT_ANSWERED : CONTACT_REFUSED, i * NS_PER_S);
    cr_expect_eq(failed_in(judged(table, 1, 60 * NS_PER_S), SCAN_FAST), 40);
    scan_table_change(table, (uint32_t[SCAN_SPANS]){600, 3600});
    fail(table, 1, 100, 400 * NS_PER_S);
    const struct scan_row *row = judged(table, 1, 400 * NS_PER_S);
    struct scan_count count = scan_row_count(table, row, SCAN_FAST);
    cr_expect(count.failed == 41 && count.all == 61);
    cr_expect_eq(failed_in(row, SCAN_SLOW), 41);
    scan_table_change(table, (uint32_t[SCAN_SPANS]){60, 300});
    fail(table, 1, 101, 401 * NS_PER_S);
    row = judged(table, 1, 401 * NS_PER_S);
    cr_expect_eq(failed_in(row, SCAN_FAST), 2, "what 60 s hold");
    cr_expect_leq(failed_in(row, SCAN_SLOW), 42);
    cr_expect_eq(row->since.failed, 42, "the long one goes on");
    scan_table_destroy(table);
}

Test(scan_table, bears_leaps_of_time)
{
    struct scan_table *table = make_table();
    const int64_t year_ns = INT64_C(365) * 86400 * NS_PER_S;
    for (int64_t i = 1; i < 20; i++) {
        fail(table, 1, (uint32_t)i, i * year_ns);
        const struct scan_row *row = judged(table, 1, i * year_ns);
        cr_assert_not_null(row);
        cr_expect(row->since.failed == 1 && failed_in(row, SCAN_FAST) == 1 && failed_in(row, SCAN_SLOW) == 1);
    }
    fail(table, 1, 30, 10 * year_ns); // long before the latest
    const struct scan_row *row = judged(table, 1, 19 * year_ns);
    cr_expect(row->since.failed == 2 && failed_in(row, SCAN_FAST) == 1);
    fail(table, 1, 31, -TEST_START_NS); // stamp 0
    fail(table, 2, 31, -TEST_START_NS);
    fail(table, 2, 32, 59 * NS_PER_S - TEST_START_NS);
    cr_expect_eq(failed_in(judged(table, 2, 19 * year_ns), SCAN_FAST), 2);
    scan_table_destroy(table);
}

static const int64_t silence_ns = 15 * 60 * NS_PER_S;

// One door in 15 minutes is still one source, however long its contacts wait for an answer.
Test(scan_table, a_source_begins_anew_after_15_minutes_of_silence)
{
    struct scan_table *table = make_table();
    const int64_t wait_ns = 60 * NS_PER_S;
    for (int64_t i = 0; i < 50; i++) {
        for (int64_t at_ns = 0; i != 0 && at_ns < silence_ns; at_ns += 10 * NS_PER_S)
            scan_table_next(table, TEST_START_NS + (i - 1) * silence_ns + wait_ns + at_ns);
        fail(table, 1, (uint32_t)i, i * silence_ns);
        cr_assert_eq(judged(table, 1, i * silence_ns + wait_ns)->since.failed, i + 1);
    }
    fail(table, 1, 60, 50 * silence_ns + 1);
    const struct scan_row *row = judged(table, 1, 50 * silence_ns + 1);
    cr_expect(row->since.failed == 1 && row->ports == 1 && failed_in(row, SCAN_FAST) == 1);
    fail(table, 1, 1, 50 * silence_ns + 2);
    cr_expect_eq(judged(table, 1, 50 * silence_ns + 2)->since.failed, 2, "whom it met before is forgotten");
    scan_table_destroy(table);
}

Test(scan_table, gives_samples_and_different_targets)
{
    struct scan_table *table = make_table();
    for (uint32_t i = 0; i < 100; i++)
        fail(table, 1, i, i);
    const struct scan_row *row = judged(table, 1, 100);
    const struct scan_block *block = scan_table_block(table, row);
    cr_assert_not_null(block);
    cr_expect(row->since.failed == 100 && row->ports == SCAN_PORTS);
    cr_expect(block->samples == ALERT_SAMPLES && block->targets == ALERT_PARTIES);
    cr_expect_eq(block->sample[0].ports[1], SCAN_FEW, "the first with a block");
    cr_expect_eq(block->target[0].bytes[0], SCAN_FEW);
    cr_expect_eq(block->target[0].version, 4);
    scan_table_destroy(table);
}

// A scanner of 20 doors a second among a million sources that are met once.
Test(scan_table, a_flood_of_forged_sources_pushes_out_its_like)
{
    enum { FORGED = 1000000, A_TICK = 5000 };
    struct scan_table *table = make_table();
    const struct scan_row *row = NULL;
    for (uint32_t i = 0; i < FORGED; i++) {
        int64_t at_ns = (int64_t)i * NS_PER_S / 100000;
        fail(table, 1000 + i, 7, at_ns);
        if (i % A_TICK != A_TICK - 1)
            continue;
        fail(table, 1, i, at_ns);
        row = judged(table, 1, at_ns);
    }
    cr_expect(row != NULL && row->since.failed == FORGED / A_TICK);
    scan_table_destroy(table);
}

// More sources with many doors than there are blocks: the one with the most keeps its own.
Test(scan_table, blocks_run_out)
{
    enum { SOURCES = 3 * SCAN_BLOCKS, DOORS = 12 };
    struct scan_table *table = make_table();
    for (uint32_t i = 0; i < 200; i++)
        fail(table, 1, i, 0);
    for (uint32_t i = 0; i < SOURCES * DOORS; i++)
        fail(table, 2 + i / DOORS, i, i);
    fail(table, 1, 1000, SOURCES * DOORS);
    const struct scan_row *row = judged(table, 1, SOURCES * DOORS);
    cr_assert_not_null(row);
    cr_expect_eq(row->since.failed, 201);
    cr_assert_not_null(scan_table_block(table, row));
    fail(table, 1 + SOURCES, 5, SOURCES * DOORS);
    row = judged(table, 1 + SOURCES, SOURCES * DOORS);
    cr_expect_eq(row->since.failed, DOORS + 1, "the latest");
    fail(table, 2, 5, SOURCES * DOORS);
    cr_expect_eq(judged(table, 2, SOURCES * DOORS)->since.failed, 1, "one that was given up");
    scan_table_destroy(table);
}

// Random contacts of sources that come and go, against a plain model. Fewer than there are rows: none is given up but for
// silence.
struct plain_source {
    int64_t last_ns;
    unsigned failed, all;
    uint64_t met; // members, as bits
};

static void meet_plainly(struct plain_source *source, unsigned member, bool failed, int64_t at_ns)
{
    if (source->all != 0 && at_ns - source->last_ns > silence_ns)
        *source = (struct plain_source){0};
    source->last_ns = at_ns;
    if ((source->met >> member & 1) != 0)
        return;
    source->met |= UINT64_C(1) << member;
    source->all++;
    source->failed += failed;
}

Test(scan_table, finds_what_a_plain_model_finds)
{
    enum { SOURCES = 20000, CONTACTS = 2000000, MEMBERS = 40, A_TICK = 1000 };
    static struct plain_source plain[SOURCES];
    struct scan_table *table = make_table();
    uint64_t state = 1, compared = 0;
    for (int64_t i = 0; i < CONTACTS; i++) {
        uint64_t bits = next_number(&state);
        // A few sources are met all the time, others as often as they are silent.
        uint32_t source = (uint32_t)((bits & 0x100) != 0 ? bits >> 32 : bits >> 32 & 0xff) % SOURCES;
        unsigned member = (unsigned)(bits >> 16) % (source < 256 ? MEMBERS : SCAN_FEW);
        bool failed = (bits >> 9 & 3) != 0;
        int64_t at_ns = i * 10 * NS_PER_MS;
        meet(table, source, member, failed ? CONTACT_REFUSED : CONTACT_ANSWERED, at_ns);
        meet_plainly(&plain[source], member, failed, at_ns);
        if (i % A_TICK != 0)
            continue;
        for (const struct scan_row *row; (row = scan_table_next(table, TEST_START_NS + at_ns)) != NULL;) {
            const struct plain_source *model = &plain[source_of(row)];
            cr_assert(row->since.all == (float)model->all && row->since.failed == (float)model->failed,
                      "source %u at %ld", source_of(row), (long)i);
            compared++;
        }
    }
    cr_expect_gt(compared, CONTACTS / 10);
    scan_table_destroy(table);
}
