// changes: a live sensor whose settings change once a second under load. See --help.
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "aggregate/snapshot.h"
#include "base/time.h"
#include "config/table.h"
#include "config/value.h"
#include "control/change.h"
#include "control/control.h"

struct changing {
    struct control *control;
    const struct settings *start;
    unsigned seconds;
    unsigned changes, refused;
    uint64_t most_ticks; // from the call to the snapshot in which every shard has the change
    pthread_t thread;
};

static void explain(void)
{
    puts("Usage: changes INTERFACE SECONDS\n"
         "Captures on INTERFACE and once a second changes filter, timeouts, flow.max_flows (downward), "
         "interim records,\n"
         "statistics and local networks, all in one generation. Prints how many ticks the slowest took to be "
         "in force in\n"
         "every shard, and the ledger.");
}

static void sleep_ms(long ms)
{
    struct timespec span = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * (long)NS_PER_MS};
    nanosleep(&span, NULL);
}

static void set(struct settings *settings, const char *key, const char *text)
{
    struct error error;
    const struct setting *setting = &setting_table[setting_find(key)];
    value_clear(settings, setting);
    if (!value_set(settings, setting, text, &error)) {
        fprintf(stderr, "changes: %s: %s\n", key, error.text);
        exit(1);
    }
}

// Every value differs from that of the second before.
static void vary(struct settings *wanted, unsigned second)
{
    char flows[16], tcp[16], udp[16];
    snprintf(flows, sizeof flows, "%u", 900000 - second * 10000);
    snprintf(tcp, sizeof tcp, "%u", 300 + second);
    snprintf(udp, sizeof udp, "%u", 30 + second % 7);
    set(wanted, "flow.max_flows", flows);
    set(wanted, "flow.tcp_timeout_secs", tcp);
    set(wanted, "flow.udp_timeout_secs", udp);
    set(wanted, "flow.active_timeout_secs", second % 2 == 0 ? "0" : "20");
    set(wanted, "stats.top_flows", second % 2 == 0 ? "0" : "10");
    set(wanted, "networks.local", second % 2 == 0 ? "10.0.0.0/8" : "192.168.0.0/16");
    set(wanted, "capture.filter", second % 2 == 0 ? "tcp" : "tcp or udp");
}

static uint64_t tick_of(struct control *control, uint64_t *generation)
{
    const struct snapshot *snapshot = control_snapshot(control);
    uint64_t tick = snapshot != NULL ? snapshot->tick : 0;
    *generation = snapshot != NULL ? snapshot->generation : 0;
    snapshot_release(snapshot);
    return tick;
}

// Until every shard has it.
static void await_generation(struct changing *changing, uint64_t wanted, uint64_t begin)
{
    uint64_t generation, tick;
    do {
        sleep_ms(1);
        tick = tick_of(changing->control, &generation);
    } while (generation < wanted);
    if (tick - begin > changing->most_ticks)
        changing->most_ticks = tick - begin;
}

static void change_all(struct changing *changing, unsigned second)
{
    struct settings wanted;
    struct change_verdicts verdicts;
    struct error error;
    if (!settings_copy(&wanted, changing->start, &error))
        return;
    vary(&wanted, second);
    struct change change = {.wanted = &wanted, .origin = CHANGE_BY_FILE};
    if (control_apply(changing->control, &change, &verdicts, &error)) {
        uint64_t generation, begin = tick_of(changing->control, &generation);
        changing->changes++;
        await_generation(changing, verdicts.generation, begin);
    } else {
        fprintf(stderr, "changes: %s\n", error.text);
        changing->refused++;
    }
    settings_done(&wanted);
}

static void *change_settings(void *argument)
{
    struct changing *changing = argument;
    for (unsigned second = 0; second < changing->seconds; second++) {
        sleep_ms(1000);
        change_all(changing, second);
    }
    control_stop(changing->control);
    return NULL;
}

static bool run(struct changing *changing, struct error *error)
{
    if (pthread_create(&changing->thread, NULL, change_settings, changing) != 0)
        return error_set(error, ERROR_EXHAUSTED, "no thread");
    bool good = control_run(changing->control, error);
    pthread_join(changing->thread, NULL);
    const struct totals *totals = control_totals(changing->control);
    printf("%u changes, %u refused; the slowest in force in every shard after %" PRIu64 " ticks\n",
           changing->changes, changing->refused, changing->most_ticks);
    printf("received %" PRIu64 ", analysed %" PRIu64 ", lost %" PRIu64 "\n", totals->received,
           totals->analysed, totals_lost(totals));
    return good && changing->refused == 0;
}

int main(int count, char **words)
{
    struct changing changing = {.seconds = count == 3 ? (unsigned)strtoul(words[2], NULL, 10) : 0};
    if (count != 3 || changing.seconds < 1 || changing.seconds > 80) {
        explain();
        return count == 2 && strcmp(words[1], "--help") == 0 ? 0 : 2;
    }
    char interface[] = "-i", quiet[] = "--quiet";
    char *arguments[] = {words[0], interface, words[1], quiet, NULL}, *environment[] = {NULL};
    struct settings settings;
    struct config_invocation what;
    struct error error = {.text = "a change was refused"};
    if (!config_load(4, arguments, environment, &settings, &what, &error) ||
        (changing.control = control_create(&settings, &error)) == NULL) {
        fprintf(stderr, "changes: %s\n", error.text);
        return 1;
    }
    changing.start = &settings;
    bool good = run(&changing, &error);
    control_destroy(changing.control);
    settings_done(&settings);
    if (!good)
        fprintf(stderr, "changes: %s\n", error.text);
    return good ? 0 : 1;
}
