// A run, and threads that ask it meanwhile.
#include "questions.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "made_source.h"
#include "pipeline/pipeline.h"

enum { ASKERS = 2, ANSWERS = 60, POLLS_BETWEEN_PAUSES = 50 };

// Made traffic that does not end before every asker has had its answers, and now and then has nothing to give.
struct asked_source {
    struct source source; // first
    struct source *inside;
    atomic_uint *answered;
    unsigned polls;
    bool paused; // gives nothing at all
};

static struct asked_source *asked_of(struct source *source)
{
    return (struct asked_source *)source;
}

static enum source_result asked_poll(struct source *source, int timeout_ms, struct frame *frames,
                                     unsigned capacity, unsigned *count)
{
    struct asked_source *asked = asked_of(source);
    if (atomic_load(asked->answered) >= ASKERS * ANSWERS)
        return SOURCE_END;
    if (!asked->paused && ++asked->polls % POLLS_BETWEEN_PAUSES != 0)
        return source_poll(asked->inside, timeout_ms, frames, capacity, count);
    *count = 0;
    return SOURCE_IDLE;
}

static unsigned asked_interfaces(const struct source *source)
{
    return source_interfaces(((const struct asked_source *)source)->inside);
}

static const struct source_interface *asked_interface(const struct source *source, unsigned index)
{
    return source_interface(((const struct asked_source *)source)->inside, index);
}

static bool asked_drops(struct source *source, bool first, struct source_drops *out)
{
    struct source *inside = asked_of(source)->inside;
    return inside->ops->drops(inside, first, out);
}

static void asked_stop(struct source *source, bool drain)
{
    source_stop(asked_of(source)->inside, drain);
}

static const struct source_ops asked_ops = {
    .name = "asked",
    .lossless = true,
    .poll = asked_poll,
    .interfaces = asked_interfaces,
    .interface = asked_interface,
    .drops = asked_drops,
    .stop = asked_stop,
};

struct asker {
    struct pipeline *pipeline;
    struct flow_query query;
    atomic_uint *answered; // by all askers
    unsigned refused, rows;
    pthread_t thread;
};

static void expect_order(const struct flow_page *page, const struct flow_query *query)
{
    cr_assert_leq(page->count, query->limit);
    cr_assert_geq(page->matched, page->count);
    cr_assert_geq(page->looked_at, page->matched);
    for (unsigned i = 0; i < page->count; i++)
        cr_assert(flow_selection_fits(query->selection, &page->rows[i].record));
    for (unsigned i = 1; i < page->count; i++)
        cr_assert_leq(flow_order_compare(query->order, &page->rows[i - 1].record, &page->rows[i].record), 0,
                      "place %u", i);
}

// Asks until it has its answers; before the run it is told that there is none.
static void *ask_always(void *argument)
{
    struct asker *asker = argument;
    for (unsigned answers = 0; answers < ANSWERS;) {
        struct error error = {0};
        struct question *question = pipeline_question(asker->pipeline, &asker->query, INT64_MAX, &error);
        if (!pipeline_ask(asker->pipeline, question, &error)) {
            cr_assert_not_null(strstr(error.text, "the run has not begun"), "%s", error.text);
            message_release(&question->message);
            asker->refused++;
            usleep(100);
            continue;
        }
        message_wait(&question->message, MESSAGE_FOR_EVER);
        struct flow_page *page = take_page(question);
        expect_order(page, &asker->query);
        asker->rows += page->count;
        flow_page_release(page);
        answers++;
        atomic_fetch_add(asker->answered, 1);
    }
    return NULL;
}

static void take_all(struct tick_consumer *consumer, struct pipeline_tick *tick)
{
    (void)consumer;
    for (const struct flow_record *record; (record = tick_next_ended(tick)) != NULL;)
        flow_names_free(record->names);
    while (tick_next_dns(tick) != NULL)
        ;
}

static struct pipeline *create_pipeline(struct source *source, unsigned workers)
{
    static struct tick_consumer consumer = {.tick = take_all};
    struct pipeline_setup setup = {
        .policy = test_policy(),
        .tick_ns = 50 * NS_PER_MS,
        .workers = workers,
        .threads = workers > 1 ? workers : 0,
        .batch = BATCH,
        .names = true,
    };
    struct error error = {0};
    struct pipeline *pipeline = pipeline_create(&setup, source, &consumer, &error);
    cr_assert_not_null(pipeline, "%s", error.text);
    return pipeline;
}

static void expect_nothing_runs(struct pipeline *pipeline)
{
    struct flow_query query = {.limit = 10};
    struct error error = {0};
    struct question *question = pipeline_question(pipeline, &query, INT64_MAX, &error);
    cr_expect_not(pipeline_ask(pipeline, question, &error));
    cr_expect(message_is_finished(&question->message));
    message_release(&question->message);
    cr_expect_eq(error.kind, ERROR_FAILED_PRECONDITION);
    cr_expect_str_eq(error.text, "nothing is captured: the run has not begun, or it has ended");
}

static void run_and_ask(unsigned workers, bool paused)
{
    enum { CHUNKS = 64 };
    atomic_uint answered = 0;
    struct chunk_pool *pool = chunk_pool_create(CHUNKS, 64 * 1024);
    struct made_traffic options = {
        .packets = UINT64_MAX, .flows = FLOWS, .start_ns = TEST_START_NS, .step_ns = 20000};
    struct asked_source source = {.source.ops = &asked_ops,
                                  .inside = made_source_create(&options, pool),
                                  .answered = &answered,
                                  .paused = paused};
    struct pipeline *pipeline = create_pipeline(&source.source, workers);
    struct flow_selection *to_server = select_server_port(CONVERSATION_SERVER_PORT);
    struct asker askers[ASKERS] = {
        {.query = {.limit = 100}},
        {.query = {.order.by = FLOWS_BY_RECENCY, .limit = 7, .selection = to_server}}};
    expect_nothing_runs(pipeline);
    for (unsigned i = 0; i < ASKERS; i++) {
        askers[i].pipeline = pipeline;
        askers[i].answered = &answered;
        cr_assert_eq(pthread_create(&askers[i].thread, NULL, ask_always, &askers[i]), 0);
    }
    struct error error = {0};
    cr_expect(pipeline_run(pipeline, &error), "%s", error.text);
    for (unsigned i = 0; i < ASKERS; i++) {
        pthread_join(askers[i].thread, NULL);
        cr_expect(paused || askers[i].rows > 0);
    }
    flow_selection_release(to_server);
    cr_expect_eq(atomic_load(&answered), ASKERS * ANSWERS);
    expect_nothing_runs(pipeline);
    cr_expect_eq(pipeline_totals(pipeline)->analysed, pipeline_totals(pipeline)->received);
    pipeline_destroy(pipeline);
    source_destroy(source.inside);
    chunk_pool_destroy(pool);
}

Test(question, is_answered_by_a_run_in_one_thread, .timeout = 60)
{
    run_and_ask(1, false);
}

Test(question, is_answered_by_a_run_in_threads, .timeout = 60)
{
    run_and_ask(SHARDS, false);
}

// Shards that sleep are woken for it.
Test(question, is_answered_while_no_packet_comes, .timeout = 60)
{
    run_and_ask(1, true);
    run_and_ask(SHARDS, true);
}

// Whoever asks while the run ends is answered or told, and never waits for ever.
struct late_asker {
    struct pipeline *pipeline;
    atomic_bool *ended;
    unsigned answered, refused;
};

static void *ask_to_the_end(void *argument)
{
    struct late_asker *asker = argument;
    bool ended;
    do {
        ended = atomic_load(asker->ended);
        struct flow_query query = {.limit = 3};
        struct error error;
        struct question *question = pipeline_question(asker->pipeline, &query, INT64_MAX, &error);
        if (pipeline_ask(asker->pipeline, question, &error)) {
            cr_assert(message_wait(&question->message, MESSAGE_FOR_EVER));
            asker->answered++;
            cr_assert_not(ended);
        } else {
            asker->refused++;
        }
        message_release(&question->message);
    } while (!ended);
    return NULL;
}

Test(question, at_the_end_of_a_run_is_answered_or_refused, .timeout = 60)
{
    enum { RUNS = 40, PACKETS = 2000 };
    for (unsigned i = 0; i < RUNS; i++) {
        struct chunk_pool *pool = chunk_pool_create(16, 64 * 1024);
        struct made_traffic options = {
            .packets = PACKETS, .flows = 100, .start_ns = TEST_START_NS, .step_ns = 20000};
        struct source *source = made_source_create(&options, pool);
        struct pipeline *pipeline = create_pipeline(source, i % 2 == 0 ? 1 : SHARDS);
        atomic_bool ended = false;
        struct late_asker asker = {.pipeline = pipeline, .ended = &ended};
        pthread_t thread;
        cr_assert_eq(pthread_create(&thread, NULL, ask_to_the_end, &asker), 0);
        struct error error = {0};
        cr_expect(pipeline_run(pipeline, &error), "%s", error.text);
        atomic_store(&ended, true);
        pthread_join(thread, NULL);
        cr_expect_gt(asker.refused, 0);
        cr_expect_eq(pipeline_totals(pipeline)->analysed, PACKETS);
        pipeline_destroy(pipeline);
        source_destroy(source);
        chunk_pool_destroy(pool);
    }
}
