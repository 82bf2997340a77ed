#include "pipeline/question.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "../flow/packets.h"
#include "capture/synthetic_source.h"
#include "pipeline/pipeline.h"

enum { SHARDS = 3, FLOWS = 3000, BATCH = 64 };

// Shards without threads, asked one after the other.

static struct packet packet_of(unsigned number)
{
    struct packet packet =
        udp_packet((uint8_t)(number % 50), (uint16_t)(1024 + number), 2, 53, number * NS_PER_MS);
    if (number % 4 == 0) {
        packet.source = host_v6((uint8_t)(number % 50));
        packet.target = host_v6(200);
    }
    packet.length += number * 7919 % 500;
    return packet;
}

static void fill(struct shard *const shard[], unsigned shards)
{
    struct batch batch;
    cr_assert(batch_init(&batch, BATCH));
    for (unsigned i = 0; i < FLOWS; i++) {
        struct batch_item *item = batch_place(&batch);
        *item = (struct batch_item){.packet = packet_of(i), .has_flow = true};
        cr_assert(flow_key_of_packet(&item->packet, &item->key, &item->sender));
        uint64_t hash = flow_key_hash(&item->key, test_policy().hash_seed);
        batch_add(&batch, hash, partition_of(hash, FLOW_PARTITIONS) % shards, NULL);
        if (batch.count < BATCH && i + 1 < FLOWS)
            continue;
        for (unsigned s = 0; s < shards; s++)
            shard_batch(shard[s], &batch);
        batch_clear(&batch);
    }
    batch_done(&batch);
}

static void create_shards(struct shard *shard[], unsigned shards)
{
    for (unsigned i = 0; i < shards; i++) {
        struct shard_setup setup = {.policy = test_policy(), .number = i, .shards = shards};
        shard[i] = shard_create(&setup);
        cr_assert_not_null(shard[i]);
        shard_begin_answering(shard[i]);
    }
    fill(shard, shards);
}

static void destroy_shards(struct shard *const shard[], unsigned shards)
{
    for (unsigned i = 0; i < shards; i++)
        shard_destroy(shard[i]);
}

static struct flow_answer ask_shards(struct shard *const shard[], unsigned shards,
                                     const struct flow_query *query)
{
    struct question *question = question_create(query, shards);
    cr_assert_not_null(question);
    for (unsigned i = 0; i < shards; i++) {
        cr_assert_eq(shard_ask(shard[i], question), MAILBOX_POSTED);
        while (shard_answer(shard[i]))
            ;
    }
    struct flow_answer answer;
    question_await(question, &answer);
    question_destroy(question);
    return answer;
}

static void expect_same(const struct flow_answer *answer, const struct flow_answer *expected)
{
    cr_assert_eq(answer->matched, expected->matched);
    cr_assert_eq(answer->looked_at, expected->looked_at);
    cr_assert_eq(answer->count, expected->count);
    for (unsigned i = 0; i < answer->count; i++) {
        const struct flow_record *row = &answer->rows[i], *wanted = &expected->rows[i];
        cr_assert_eq(flow_record_compare_keys(row, wanted), 0, "place %u", i);
        cr_assert_eq(row->bytes[0] + row->bytes[1], wanted->bytes[0] + wanted->bytes[1], "place %u", i);
    }
}

Test(question, to_three_shards_gives_the_answer_of_one)
{
    struct shard *one[1], *three[SHARDS];
    create_shards(one, 1);
    create_shards(three, SHARDS);
    static const unsigned limits[] = {1, 10, FLOW_QUERY_LIMIT};
    for (unsigned i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        for (enum flow_order order = FLOWS_BY_BYTES; order <= FLOWS_BY_RECENCY; order++) {
            struct flow_query query = {.order = order, .limit = limits[i], .port = 53};
            struct flow_answer expected = ask_shards(one, 1, &query),
                               answer = ask_shards(three, SHARDS, &query);
            cr_expect_eq(expected.matched, FLOWS);
            expect_same(&answer, &expected);
            flow_answer_done(&expected);
            flow_answer_done(&answer);
        }
    }
    destroy_shards(one, 1);
    destroy_shards(three, SHARDS);
}

static bool hold_names(struct flow_record *record, const char *name)
{
    struct flow_names names = flow_names_none;
    names.text[FLOW_TEXT_SNI] = name;
    record->names = flow_names_copy(&names);
    return record->names != NULL;
}

// Rows that are left over when answers are merged free their names, those that win keep them: ASan tells.
Test(question, moves_the_names_of_the_winners)
{
    struct flow_query query = {.limit = 2};
    struct question *question = question_create(&query, SHARDS);
    static const char *const names[SHARDS][2] = {{"one", "two"}, {"three", "four"}, {"five", "six"}};
    for (unsigned i = 0; i < SHARDS; i++) {
        for (unsigned row = 0; row < 2; row++) {
            struct flow_record record = {.bytes = {10 * i + row, 0}};
            cr_assert(hold_names(&record, names[i][row]));
            flow_answer_offer(&question->answers[i], &query, &record);
        }
        question_arrive(question);
    }
    struct flow_answer answer;
    question_await(question, &answer);
    question_destroy(question);
    cr_assert_eq(answer.count, 2);
    cr_expect_str_eq(answer.rows[0].names->text[FLOW_TEXT_SNI], "six");
    cr_expect_str_eq(answer.rows[1].names->text[FLOW_TEXT_SNI], "five");
    flow_answer_done(&answer);
}

Test(question, frees_answers_that_nobody_took)
{
    struct flow_query query = {.limit = 2};
    struct question *question = question_create(&query, SHARDS);
    struct flow_record record = {.bytes = {10, 0}};
    cr_assert(hold_names(&record, "nobody"));
    flow_answer_offer(&question->answers[1], &query, &record);
    question_destroy(question);
    question_destroy(NULL);
}

// A shard answers in slices, several questions in their order, and what was asked before the end.
Test(question, waits_its_turn_and_is_answered_at_the_end)
{
    struct shard *shard[1];
    create_shards(shard, 1);
    struct flow_query query = {.limit = 1};
    struct question *questions[MAILBOX_ITEMS];
    for (unsigned i = 0; i < MAILBOX_ITEMS; i++) {
        questions[i] = question_create(&query, 1);
        cr_assert_eq(shard_ask(shard[0], questions[i]), MAILBOX_POSTED);
    }
    while (!latch_is_open(&questions[0]->answered))
        cr_assert(shard_answer(shard[0]), "there is more");
    cr_expect_not(latch_is_open(&questions[1]->answered));
    shard_end_answering(shard[0]);
    cr_expect_eq(shard_ask(shard[0], questions[0]), MAILBOX_CLOSED);
    for (unsigned i = 0; i < MAILBOX_ITEMS; i++) {
        struct flow_answer answer;
        cr_assert(latch_is_open(&questions[i]->answered));
        question_await(questions[i], &answer);
        cr_expect_eq(answer.looked_at, FLOWS);
        flow_answer_done(&answer);
        question_destroy(questions[i]);
    }
    destroy_shards(shard, 1);
}

// A run, and threads that ask it meanwhile.

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

static void asked_drops(struct source *source, unsigned interface, struct source_drops *out)
{
    struct source *inside = asked_of(source)->inside;
    inside->ops->drops(inside, interface, out);
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

static void expect_order(const struct flow_answer *answer, const struct flow_query *query)
{
    cr_assert_leq(answer->count, query->limit);
    cr_assert_geq(answer->matched, answer->count);
    cr_assert_geq(answer->looked_at, answer->matched);
    cr_assert(answer->count == query->limit || answer->count == answer->matched);
    for (unsigned i = 1; i < answer->count; i++)
        cr_assert_leq(flow_query_compare(query, &answer->rows[i - 1], &answer->rows[i]), 0, "place %u", i);
    for (unsigned i = 0; i < answer->count && query->protocol != 0; i++)
        cr_assert_eq(answer->rows[i].protocol, query->protocol);
}

// Asks until it has its answers; before the run it is told that there is none.
static void *ask_always(void *argument)
{
    struct asker *asker = argument;
    for (unsigned answers = 0; answers < ANSWERS;) {
        struct flow_answer answer;
        struct error error = {0};
        if (!pipeline_ask(asker->pipeline, &asker->query, &answer, &error)) {
            cr_assert_not_null(strstr(error.text, "the run has not begun"), "%s", error.text);
            asker->refused++;
            usleep(100);
            continue;
        }
        expect_order(&answer, &asker->query);
        asker->rows += answer.count;
        flow_answer_done(&answer);
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
    struct flow_answer answer;
    struct error error = {0};
    cr_expect_not(pipeline_ask(pipeline, &query, &answer, &error));
    cr_expect_eq(error.kind, ERROR_FAILED_PRECONDITION);
    cr_expect_str_eq(error.text, "nothing is captured: the run has not begun, or it has ended");
}

static void run_and_ask(unsigned workers, bool paused)
{
    enum { CHUNKS = 64 };
    atomic_uint answered = 0;
    struct chunk_pool *pool = chunk_pool_create(CHUNKS, 64 * 1024);
    struct synthetic_options options = {
        .seed = 1, .packets = UINT64_MAX, .flows = FLOWS, .start_ns = TEST_START_NS, .step_ns = 20000};
    struct asked_source source = {.source.ops = &asked_ops,
                                  .inside = synthetic_source_create(&options, pool),
                                  .answered = &answered,
                                  .paused = paused};
    struct pipeline *pipeline = create_pipeline(&source.source, workers);
    struct asker askers[ASKERS] = {
        {.query = {.limit = 100}},
        {.query = {.order = FLOWS_BY_RECENCY, .limit = 7, .protocol = IP_PROTOCOL_TCP}}};
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
        struct flow_answer answer;
        struct error error;
        if (pipeline_ask(asker->pipeline, &query, &answer, &error)) {
            flow_answer_done(&answer);
            asker->answered++;
            cr_assert_not(ended);
        } else {
            asker->refused++;
        }
    } while (!ended);
    return NULL;
}

Test(question, at_the_end_of_a_run_is_answered_or_refused, .timeout = 60)
{
    enum { RUNS = 40, PACKETS = 2000 };
    for (unsigned i = 0; i < RUNS; i++) {
        struct chunk_pool *pool = chunk_pool_create(16, 64 * 1024);
        struct synthetic_options options = {
            .seed = i + 1, .packets = PACKETS, .flows = 100, .start_ns = TEST_START_NS, .step_ns = 20000};
        struct source *source = synthetic_source_create(&options, pool);
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
