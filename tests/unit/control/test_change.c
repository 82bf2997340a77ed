#include "running.h"

static struct change_verdicts verdicts;
static struct error error;

static const struct change_verdict *verdict_of(const char *key)
{
    for (unsigned i = 0; i < verdicts.count; i++)
        if (strcmp(setting_table[verdicts.verdict[i].row].key, key) == 0)
            return &verdicts.verdict[i];
    cr_assert_fail("no verdict of %s", key);
    return NULL;
}

static void expect_in_force(struct running *running, uint64_t number, const char *key, const char *value)
{
    const struct generation *generation = control_generation(running->control);
    struct strbuf text;
    strbuf_init(&text, 1000);
    value_add(&text, &generation->settings, &setting_table[setting_find(key)]);
    cr_expect_eq(generation->number, number);
    cr_expect_str_eq(text.text, value, "%s", key);
    strbuf_done(&text);
    generation_release(generation);
}

static unsigned count_marks(struct running *running, bool pending)
{
    const struct generation *generation = control_generation(running->control);
    unsigned count = pending ? generation_pending(generation) : generation_overridden(generation);
    generation_release(generation);
    return count;
}

Test(change, a_file_changes_what_it_can_and_the_rest_waits, .timeout = 60)
{
    struct running running;
    begin_run(&running, NULL);
    start_run(&running);
    cr_assert(apply(&running, CHANGE_BY_FILE, false,
                    PAIRS("flow.udp_timeout_secs", "7", "capture.snaplen", "96", "capture.filter", "udp"),
                    &verdicts, &error),
              "%s", error.text);
    cr_expect_eq(verdicts.count, 3);
    cr_expect_eq(verdict_of("flow.udp_timeout_secs")->outcome, CHANGE_APPLIED);
    cr_expect_eq(verdict_of("capture.snaplen")->outcome, CHANGE_AT_NEXT_START);
    cr_expect_eq(verdict_of("capture.filter")->outcome, CHANGE_AT_NEXT_START, "of a file");
    expect_in_force(&running, 2, "flow.udp_timeout_secs", "7");
    expect_in_force(&running, 2, "capture.filter", "");
    cr_expect_eq(count_marks(&running, true), 2);
    cr_assert(apply(&running, CHANGE_BY_FILE, false,
                    PAIRS("flow.udp_timeout_secs", "7", "capture.snaplen", "96", "capture.filter", "udp"),
                    &verdicts, &error));
    cr_expect_eq(verdicts.count, 0, "the file says nothing new");
    expect_in_force(&running, 2, "flow.udp_timeout_secs", "7");
    end_run(&running);
}

Test(change, shards_echo_the_generation, .timeout = 60)
{
    struct running running;
    begin_run(&running, "pipeline: {workers: 2}\n");
    start_run(&running);
    cr_assert(apply(&running, CHANGE_BY_API, false, PAIRS("flow.timeout_secs", "9"), &verdicts, &error));
    cr_expect_eq(verdicts.generation, 2);
    uint64_t echoed = 0;
    for (uint32_t second = 1000; echoed < 2 && second < 1500; second++) {
        send_packet(&running, second);
        usleep(10000);
        const struct snapshot *snapshot = control_snapshot(running.control);
        echoed = snapshot->generation;
        snapshot_release(snapshot);
    }
    cr_expect_eq(echoed, 2);
    end_run(&running);
}

Test(change, the_api_changes_nothing_that_waits_for_a_start, .timeout = 60)
{
    struct running running;
    begin_run(&running, "flow: {max_flows: 1000}\n");
    start_run(&running);
    cr_expect_not(apply(&running, CHANGE_BY_API, false,
                        PAIRS("capture.snaplen", "96", "flow.udp_timeout_secs", "7"), &verdicts, &error));
    cr_expect_eq(error.kind, ERROR_FAILED_PRECONDITION);
    cr_expect_eq(verdict_of("capture.snaplen")->outcome, CHANGE_REFUSED);
    cr_expect_not_null(strstr(verdict_of("capture.snaplen")->reason, "put it into the settings file"));
    expect_in_force(&running, 1, "flow.udp_timeout_secs", "60");
    cr_expect_not(apply(&running, CHANGE_BY_API, false, PAIRS("flow.max_flows", "2000"), &verdicts, &error));
    cr_expect_not_null(strstr(verdict_of("flow.max_flows")->reason, "began with"));
    cr_expect(apply(&running, CHANGE_BY_API, false, PAIRS("flow.max_flows", "500"), &verdicts, &error));
    expect_in_force(&running, 2, "flow.max_flows", "500");
    end_run(&running);
}

Test(change, overrides_end_when_the_file_says_something_new, .timeout = 60)
{
    struct running running;
    begin_run(&running, NULL);
    start_run(&running);
    cr_assert(apply(&running, CHANGE_BY_API, false, PAIRS("flow.udp_timeout_secs", "7"), &verdicts, &error));
    cr_expect_eq(count_marks(&running, false), 1);
    cr_expect_eq(count_marks(&running, true), 0);
    cr_assert(apply(&running, CHANGE_BY_FILE, false, PAIRS(NULL), &verdicts, &error));
    expect_in_force(&running, 2, "flow.udp_timeout_secs", "7");
    cr_expect_eq(count_marks(&running, false), 1, "a SIGHUP for log rotation ends no override");
    cr_assert(
        apply(&running, CHANGE_BY_FILE, false, PAIRS("flow.icmp_timeout_secs", "8"), &verdicts, &error));
    expect_in_force(&running, 3, "flow.udp_timeout_secs", "60");
    expect_in_force(&running, 3, "flow.icmp_timeout_secs", "8");
    cr_expect_eq(count_marks(&running, false), 0);
    end_run(&running);
}

Test(change, back_to_what_the_file_says_is_no_override, .timeout = 60)
{
    struct running running;
    begin_run(&running, NULL);
    start_run(&running);
    cr_assert(apply(&running, CHANGE_BY_API, false, PAIRS("flow.udp_timeout_secs", "7"), &verdicts, &error));
    cr_assert(apply(&running, CHANGE_BY_API, false, PAIRS(NULL), &verdicts, &error));
    cr_expect_eq(verdicts.count, 1);
    cr_expect_eq(count_marks(&running, false), 0);
    end_run(&running);
}

// What the shards follow, some ticks later.
static uint64_t echoed_after(struct running *running, uint32_t second)
{
    for (uint32_t end = second + 10; second < end; second++) {
        send_packet(running, second);
        usleep(10000);
    }
    const struct snapshot *snapshot = control_snapshot(running->control);
    uint64_t echoed = snapshot->generation;
    snapshot_release(snapshot);
    return echoed;
}

// A part that counts its calls and fails when it is told to.
struct counting_part {
    unsigned looked, prepared, committed, abandoned;
    bool fails;
};

static bool prepare_part(void *owner, const struct settings *now, const struct settings *next, bool dry_run,
                         struct error *failure)
{
    struct counting_part *part = owner;
    cr_expect_neq(now, next);
    part->looked += dry_run;
    part->prepared += !dry_run;
    return dry_run || !part->fails || error_set(failure, ERROR_UNAVAILABLE, "the disk is full");
}

static void commit_part(void *owner)
{
    ((struct counting_part *)owner)->committed++;
}

static void abandon_part(void *owner)
{
    ((struct counting_part *)owner)->abandoned++;
}

Test(change, it_is_all_or_nothing, .timeout = 60)
{
    struct running running;
    struct counting_part first = {0}, second = {.fails = true};
    begin_run(&running, NULL);
    control_add_part(running.control,
                     &(struct control_part){&first, prepare_part, commit_part, abandon_part});
    control_add_part(running.control,
                     &(struct control_part){&second, prepare_part, commit_part, abandon_part});
    start_run(&running);
    const char *const *pairs = PAIRS("flow.udp_timeout_secs", "7", "output.write_pcap",
                                     "/tmp/netscope-none.pcap", "networks.local", "192.0.2.0/24");
    cr_expect_not(apply(&running, CHANGE_BY_FILE, false, pairs, &verdicts, &error));
    cr_expect_str_eq(error.text, "the disk is full");
    cr_expect_eq(verdict_of("output.write_pcap")->outcome, CHANGE_REFUSED);
    cr_expect(first.prepared == 1 && first.abandoned == 1 && first.committed == 0);
    cr_expect(second.prepared == 1 && second.abandoned == 0 && second.committed == 0);
    expect_in_force(&running, 1, "flow.udp_timeout_secs", "60");
    cr_expect_eq(echoed_after(&running, 1000), 1, "the shards went back");
    second.fails = false;
    cr_expect(apply(&running, CHANGE_BY_FILE, true, pairs, &verdicts, &error));
    cr_expect(first.prepared == 1 && first.looked == 2, "a dry run only looks");
    expect_in_force(&running, 1, "flow.udp_timeout_secs", "60");
    cr_expect(apply(&running, CHANGE_BY_FILE, false, pairs, &verdicts, &error));
    cr_expect(first.committed == 1 && second.committed == 1);
    expect_in_force(&running, 2, "flow.udp_timeout_secs", "7");
    end_run(&running);
}

Test(change, what_is_wrong_has_its_verdict, .timeout = 60)
{
    static const struct {
        const char *key, *value, *sentence;
    } cases[] = {
        {"names.file", "/none.csv", "cannot read names.file /none.csv"},
        {"networks.local", "10.0.0.1/8", "is no CIDR"},
    };
    struct running running;
    begin_run(&running, NULL);
    start_run(&running);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (int dry_run = 0; dry_run < 2; dry_run++) {
            cr_expect_not(apply(&running, CHANGE_BY_API, dry_run != 0,
                                PAIRS(cases[i].key, cases[i].value, "flow.udp_timeout_secs", "7"), &verdicts,
                                &error));
            cr_expect_not_null(strstr(error.text, cases[i].sentence), "%s", error.text);
            cr_expect_eq(verdict_of(cases[i].key)->outcome, CHANGE_REFUSED);
            cr_expect_eq(verdict_of("flow.udp_timeout_secs")->outcome, CHANGE_APPLIED,
                         "nothing is wrong with it");
            expect_in_force(&running, 1, "flow.udp_timeout_secs", "60");
        }
    }
    end_run(&running);
}

Test(change, a_run_that_has_not_begun_keeps_its_settings, .timeout = 60)
{
    struct running running;
    struct counting_part part = {0};
    begin_run(&running, NULL);
    control_add_part(running.control, &(struct control_part){&part, prepare_part, commit_part, abandon_part});
    cr_expect_not(
        apply(&running, CHANGE_BY_API, false, PAIRS("flow.udp_timeout_secs", "7"), &verdicts, &error));
    cr_expect_eq(error.kind, ERROR_FAILED_PRECONDITION);
    cr_expect(part.looked == 1 && part.prepared == 0, "what opens files comes after all else was taken");
    expect_in_force(&running, 1, "flow.udp_timeout_secs", "60");
    start_run(&running);
    end_run(&running);
}
