// A live run whose change fails, and whose capture cannot go back to what it was.
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include "capture/source.h"
#include "running.h"

static const char make_link[] = "ip link add one0 type veth peer name one0x && ip link set one0 up && "
                                "ip link set one0x up";

static void begin_live(struct running *running)
{
    *running = (struct running){0};
    running->outcome = accepted(load("log: {level: error}\n", NULL, WORDS("-i", "one0")));
    running->outcome.settings.file = NULL; // it is gone
    running->control = control_create(&running->outcome.settings, &running->error);
    cr_assert_not_null(running->control, "%s", running->error.text);
}

static void await_tick(struct running *running)
{
    const struct snapshot *snapshot = NULL;
    for (int i = 0; snapshot == NULL && i < 1000; i++) {
        usleep(10000);
        snapshot = control_snapshot(running->control);
    }
    cr_assert_not_null(snapshot);
    snapshot_release(snapshot);
}

static bool is_captured(const struct running *running, const char *name)
{
    const struct source *source = control_source(running->control);
    for (unsigned i = 0; i < source_interfaces(source); i++)
        if (strcmp(source_interface(source, i)->name, name) == 0 && source_interface(source, i)->up)
            return true;
    return false;
}

static bool is_failing;

// What cannot be opened, while the interface that was captured before goes.
static bool prepare_part(void *owner, const struct settings *now, const struct settings *next, bool dry_run,
                         struct error *failure)
{
    (void)owner, (void)now, (void)next;
    if (dry_run || !is_failing)
        return true;
    cr_assert_eq(system("ip link del one0"), 0);
    usleep(500000); // the keeper hears of it
    return error_set(failure, ERROR_UNAVAILABLE, "the disk is full");
}

static void do_nothing(void *owner)
{
    (void)owner;
}

Test(strays, are_put_right_by_the_next_reload, .timeout = 60)
{
    struct running running;
    struct change_verdicts verdicts;
    struct error error;
    if (unshare(CLONE_NEWNET) != 0 || system("ip link set lo up") != 0 || system(make_link) != 0)
        cr_skip_test("no permission to make a network namespace");
    begin_live(&running);
    struct control_part part = {NULL, prepare_part, do_nothing, do_nothing};
    control_add_part(running.control, &part);
    pthread_create(&running.thread, NULL, run_control, &running);
    await_tick(&running);
    is_failing = true;
    cr_assert_not(
        apply(&running, CHANGE_BY_FILE, false, PAIRS("capture.interfaces", "lo"), &verdicts, &error));
    cr_expect_str_eq(error.text, "the disk is full");
    is_failing = false;
    cr_assert_not(apply(&running, CHANGE_BY_FILE, false, PAIRS(NULL), &verdicts, &error),
                  "the file says nothing new, and is not in force");
    cr_expect_not_null(strstr(error.text, "there is no interface one0"), "%s", error.text);
    cr_assert_eq(system(make_link), 0);
    for (int i = 0; i < 500 && !apply(&running, CHANGE_BY_FILE, false, PAIRS(NULL), &verdicts, &error); i++)
        usleep(10000);
    for (int i = 0; i < 500 && !is_captured(&running, "one0"); i++)
        usleep(10000);
    cr_expect(is_captured(&running, "one0"));
    control_stop(running.control);
    pthread_join(running.thread, NULL);
    cr_expect(running.good, "%s", running.error.text);
    cr_expect(control_finish(running.control, &error));
    control_destroy(running.control);
    outcome_done(&running.outcome);
}
