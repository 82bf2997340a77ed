// questions: how soon ten askers at once get the first page about a million flows, while 100,000 packets a second come,
// and whether packets are lost meanwhile. The last of several never takes its answers. See --help.
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/time.h"
#include "capture/clock.h"
#include "capture/link_type.h"
#include "control/cores.h"
#include "pipeline/pipeline.h"
#include "pipeline/question.h"
#include "traffic/conversation.h"

enum {
    FILL_STEPS = 2, // both sides of every flow have spoken then
    FILL_RATE = 300000,
    RATE = 100000, // packets a second while questions are asked
    MOST_ASKERS = 16,
    QUESTIONS = 20,
    LIMIT = 100,
    CHUNKS = 256,
    BATCH = 256,
    NAP_NS = 1000000,
};

static uint64_t flows = 1000000;
static unsigned askers_at_once = 10;

// Conversations, paced by the clock as an interface would bring them: it never waits for the pipeline.
struct paced_source {
    struct source source; // first
    struct chunk_pool *pool;
    struct chunk *chunk;
    struct source_interface shown;
    uint64_t made, told; // packets; of these in what was counted before
    int64_t begin_ns;    // of the pace, when `made_then` were made
    uint64_t made_then, rate;
    atomic_bool filled, stopped;
};

static int64_t wall_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

static uint64_t due(struct paced_source *paced)
{
    if (paced->made >= flows * FILL_STEPS && !atomic_load(&paced->filled)) {
        paced->begin_ns = clock_now_ns();
        paced->made_then = paced->made;
        paced->rate = RATE;
        atomic_store(&paced->filled, true);
    }
    uint64_t all =
        paced->made_then + (uint64_t)((double)(clock_now_ns() - paced->begin_ns) * (double)paced->rate / 1e9);
    return all > paced->made ? all - paced->made : 0;
}

static bool has_room(struct paced_source *paced)
{
    if (paced->chunk != NULL && paced->chunk->capacity - paced->chunk->used >= CONVERSATION_FRAME_BYTES)
        return true;
    if (paced->chunk != NULL)
        chunk_release(paced->chunk);
    paced->chunk = chunk_pool_take(paced->pool, 0);
    return paced->chunk != NULL;
}

static void make_frame(struct paced_source *paced, struct frame *frame)
{
    unsigned step = (unsigned)(paced->made / flows);
    uint64_t flow = conversation_turn(flows, step, paced->made % flows);
    uint8_t *bytes = paced->chunk->bytes + paced->chunk->used;
    unsigned length = conversation_frame(flow, step, bytes);
    *frame = (struct frame){.time_ns = wall_now_ns(),
                            .bytes = bytes,
                            .captured = length,
                            .length = length,
                            .link_type = LINK_TYPE_ETHERNET,
                            .chunk = paced->chunk};
    paced->chunk->used += length;
    paced->made++;
}

static enum source_result paced_poll(struct source *source, int timeout_ms, struct frame *frames,
                                     unsigned capacity, unsigned *count)
{
    struct paced_source *paced = (struct paced_source *)source;
    *count = 0;
    if (atomic_load(&paced->stopped))
        return SOURCE_END;
    uint64_t wanted = due(paced);
    if (wanted == 0 || !has_room(paced)) {
        if (timeout_ms != 0)
            nanosleep(&(struct timespec){.tv_nsec = NAP_NS}, NULL);
        return SOURCE_IDLE;
    }
    while (*count < capacity && *count < wanted &&
           paced->chunk->capacity - paced->chunk->used >= CONVERSATION_FRAME_BYTES)
        make_frame(paced, &frames[(*count)++]);
    return SOURCE_FRAMES;
}

static unsigned one_interface(const struct source *source)
{
    (void)source;
    return 1;
}

static const struct source_interface *paced_interface(const struct source *source, unsigned index)
{
    (void)index;
    return &((const struct paced_source *)source)->shown;
}

static bool paced_drops(struct source *source, bool first, struct source_drops *out)
{
    struct paced_source *paced = (struct paced_source *)source;
    uint64_t since = paced->made - paced->told;
    paced->told = paced->made;
    *out = (struct source_drops){.received = since, .delivered = since, .exact = true};
    return first;
}

static void paced_stop(struct source *source, bool drain)
{
    (void)drain;
    atomic_store(&((struct paced_source *)source)->stopped, true);
}

static const struct source_ops paced_ops = {
    .name = "paced",
    .poll = paced_poll,
    .interfaces = one_interface,
    .interface = paced_interface,
    .drops = paced_drops,
    .stop = paced_stop,
};

// Asking.

struct asker {
    struct pipeline *pipeline;
    struct flow_query query;
    bool forgets; // asks and never takes the answer
    double waited_ms[QUESTIONS];
    pthread_t thread;
};

static void fail(const char *why)
{
    fprintf(stderr, "questions: %s\n", why);
    exit(1);
}

// The first page of a listing; the question that brings it.
static struct question *ask(struct asker *asker)
{
    struct error error;
    struct pipeline_listed listed;
    if (!pipeline_list(asker->pipeline, &asker->query, NULL, INT64_MAX, &listed, &error) ||
        !pipeline_ask(asker->pipeline, listed.question, &error))
        fail(error.text);
    return listed.question;
}

static void *ask_on(void *argument)
{
    struct asker *asker = argument;
    for (unsigned i = 0; i < QUESTIONS; i++) {
        int64_t begin_ns = clock_now_ns();
        struct question *question = ask(asker);
        if (!asker->forgets || i + 1 == QUESTIONS)
            message_wait(&question->message, MESSAGE_FOR_EVER);
        else
            nanosleep(&(struct timespec){.tv_nsec = 50 * NAP_NS}, NULL);
        asker->waited_ms[i] = (double)(clock_now_ns() - begin_ns) / 1e6;
        if (!asker->forgets && question->page == NULL)
            fail(question->error.text);
        message_release(&question->message);
    }
    return NULL;
}

// What they ask differs: everything, a filter of ports and networks, names, the latest, RTT.
static struct flow_query query_of(unsigned number)
{
    static const struct filter_ports web[] = {{80, 80}, {8000, 8999}};
    static const struct filter_name name = {"example.com", true};
    struct prefix network;
    struct error error;
    struct flow_filter filter = {0};
    struct flow_query query = {.limit = LIMIT};
    query.order.by = (enum flow_order)(number % FLOW_ORDERS);
    if (number % 4 == 0 || !prefix_parse("10.0.0.0/9", &network))
        return query;
    if (number % 4 == 1) {
        filter.end[FILTER_CLIENT].networks = (struct filter_prefixes){&network, 1};
        filter.end[FILTER_SERVER].ports = web;
        filter.end[FILTER_SERVER].port_count = 2;
    } else if (number % 4 == 2) {
        filter.names = &name;
        filter.name_count = 1;
        filter.named = (struct filter_prefixes){&network, 1};
    } else {
        filter.figure[FILTER_RTT_NS] = (struct filter_range){.min = 1, .has_min = true};
    }
    query.selection = flow_filter_prepare(&(struct flow_filters){.allow = &filter, .allow_count = 1}, &error);
    if (query.selection == NULL)
        fail(error.text);
    return query;
}

static int compare(const void *left, const void *right)
{
    double one = *(const double *)left, other = *(const double *)right;
    return (one > other) - (one < other);
}

static void print_waits(double waited_ms[], size_t count)
{
    qsort(waited_ms, count, sizeof waited_ms[0], compare);
    printf("first page, askers at once: %u, median %.1f ms, 95th percentile %.1f ms, longest %.1f ms\n",
           askers_at_once, waited_ms[count / 2], waited_ms[count * 95 / 100], waited_ms[count - 1]);
}

static void *ask_all(void *argument)
{
    struct pipeline *pipeline = argument;
    static struct asker askers[MOST_ASKERS];
    static double waited_ms[MOST_ASKERS * QUESTIONS];
    size_t waits = 0;
    for (unsigned i = 0; i < askers_at_once; i++) {
        bool forgets = i > 0 && i + 1 == askers_at_once;
        askers[i] = (struct asker){.pipeline = pipeline, .query = query_of(i), .forgets = forgets};
        if (pthread_create(&askers[i].thread, NULL, ask_on, &askers[i]) != 0)
            fail("no thread");
    }
    for (unsigned i = 0; i < askers_at_once; i++) {
        pthread_join(askers[i].thread, NULL);
        for (unsigned j = 0; j < QUESTIONS && !askers[i].forgets; j++)
            waited_ms[waits++] = askers[i].waited_ms[j];
        flow_selection_release(askers[i].query.selection);
    }
    print_waits(waited_ms, waits);
    return NULL;
}

// The run: fills the table, then questions are asked, then it ends.

struct watch {
    struct tick_consumer consumer; // first
    struct paced_source *paced;
    struct pipeline *pipeline;
    pthread_t asking;
    bool asked;
    uint64_t lost_before;
};

static void *ask_and_stop(void *argument)
{
    struct watch *watch = argument;
    ask_all(watch->pipeline);
    source_stop(&watch->paced->source, false);
    return NULL;
}

static void take_tick(struct tick_consumer *consumer, struct pipeline_tick *tick)
{
    struct watch *watch = (struct watch *)consumer;
    const struct flow_record *record;
    while ((record = tick_next_ended(tick)) != NULL)
        flow_names_free(record->names);
    if (watch->asked || !atomic_load(&watch->paced->filled) || tick->totals->flows_active < flows * 99 / 100)
        return;
    watch->asked = true;
    watch->lost_before = totals_lost(tick->totals);
    if (pthread_create(&watch->asking, NULL, ask_and_stop, watch) != 0)
        fail("no thread");
}

static unsigned number_of(const char *word, unsigned most)
{
    unsigned long number = strtoul(word, NULL, 10);
    return number >= 1 && number <= most ? (unsigned)number : 1;
}

int main(int count, char **words)
{
    if (count > 4 || (count == 2 && strcmp(words[1], "--help") == 0)) {
        puts("Usage: questions [WORKERS [ASKERS [FLOWS]]]\n"
             "Askers (10) about a million flows, while packets come.");
        return count == 2 ? 0 : 2;
    }
    askers_at_once = count >= 3 ? number_of(words[2], MOST_ASKERS) : askers_at_once;
    flows = count == 4 ? strtoull(words[3], NULL, 10) : flows;
    unsigned cores = cores_allowed(), workers = count >= 2 ? number_of(words[1], PIPELINE_WORKERS) : 2;
    struct pipeline_setup setup = {
        .policy = {.hash_seed = 1,
                   .timeout_ns = 600 * NS_PER_S,
                   .tcp_timeout_ns = 600 * NS_PER_S,
                   .rtt = true},
        .tick_ns = NS_PER_S / 20,
        .workers = workers,
        .threads = cores > 1 ? cores - 1 : 1,
        .batch = BATCH,
        .instance = 1,
    };
    struct paced_source paced = {.source.ops = &paced_ops,
                                 .pool = chunk_pool_create(CHUNKS, CHUNK_BYTES),
                                 .begin_ns = clock_now_ns(),
                                 .rate = FILL_RATE};
    struct watch watch = {.consumer.tick = take_tick, .paced = &paced};
    struct error error;
    watch.pipeline =
        paced.pool != NULL ? pipeline_create(&setup, &paced.source, &watch.consumer, &error) : NULL;
    if (watch.pipeline == NULL || !pipeline_run(watch.pipeline, &error))
        fail(watch.pipeline == NULL ? "no memory" : error.text);
    pthread_join(watch.asking, NULL);
    const struct totals *totals = pipeline_totals(watch.pipeline);
    printf("%" PRIu64 " flows, %" PRIu64 " packets, of which %" PRIu64
           " were lost while the table was filled and %" PRIu64 " while questions were asked\n",
           totals->flows_created, totals->received, watch.lost_before,
           totals_lost(totals) - watch.lost_before);
    pipeline_destroy(watch.pipeline);
    if (paced.chunk != NULL)
        chunk_release(paced.chunk);
    chunk_pool_destroy(paced.pool);
    return 0;
}
