// flows: NetScope's pipeline with flows and TCP quality alone, without names, report and outputs. What it
// takes is the price of the flows; the difference to netscope itself is that of all the rest. See --help.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "capture/file/file_source.h"
#include "control/cores.h"
#include "pipeline/pipeline.h"

enum { CHUNKS = 64, BATCH = 256 };

// Takes every flow and does nothing with it.
static void take_tick(struct tick_consumer *consumer, struct pipeline_tick *tick)
{
    (void)consumer;
    const struct flow_record *record;
    while ((record = tick_next_ended(tick)) != NULL)
        flow_names_free(record->names);
}

static bool run(char *path, unsigned workers, struct error *error)
{
    unsigned cores = cores_allowed();
    struct pipeline_setup setup = {
        .policy = {.hash_seed = 1,
                   .timeout_ns = 60 * NS_PER_S,
                   .tcp_timeout_ns = 600 * NS_PER_S,
                   .udp_timeout_ns = 60 * NS_PER_S,
                   .icmp_timeout_ns = 60 * NS_PER_S,
                   .linger_ns = 5 * NS_PER_S,
                   .rtt = true,
                   .retransmissions = true,
                   .out_of_order = true},
        .decode = {.tunnels = true},
        .tick_ns = NS_PER_S / 20,
        .workers = workers,
        .threads = workers > 1 ? cores - (cores > 1) : 0,
        .batch = BATCH,
    };
    struct tick_consumer consumer = {.tick = take_tick};
    struct string_list paths = {.items = &path, .count = 1};
    struct chunk_pool *chunks = chunk_pool_create(CHUNKS, CHUNK_BYTES);
    struct source *source = chunks != NULL ? file_source_create(&paths, "", chunks, error) : NULL;
    struct pipeline *pipeline = source != NULL ? pipeline_create(&setup, source, &consumer, error) : NULL;
    bool good = pipeline != NULL && pipeline_run(pipeline, error);
    if (good) {
        const struct totals *totals = pipeline_totals(pipeline);
        printf("%" PRIu64 " packets, %" PRIu64 " flows\n", totals->analysed, totals->flows_created);
        good = source_verdict(source, error) == ERROR_NONE;
    }
    pipeline_destroy(pipeline);
    source_destroy(source);
    chunk_pool_destroy(chunks);
    return good;
}

int main(int count, char **words)
{
    bool workers_given = count == 4 && strcmp(words[1], "--workers") == 0;
    unsigned long workers = workers_given ? strtoul(words[2], NULL, 10) : 1;
    if ((count != 2 && !workers_given) || workers < 1 || workers > PIPELINE_WORKERS ||
        strcmp(words[1], "--help") == 0) {
        puts("Usage: flows [--workers N] FILE\nNetScope's flows and TCP quality alone, without names and "
             "report.");
        return count == 2 && words[1][0] == '-' ? 0 : 2;
    }
    struct error error = {.text = "no memory"};
    if (run(words[count - 1], (unsigned)workers, &error))
        return 0;
    fprintf(stderr, "flows: %s\n", error.text);
    return 1;
}
