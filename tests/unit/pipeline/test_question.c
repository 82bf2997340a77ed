#include "pipeline/question.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "../flow/packets.h"
#include "made_source.h"
#include "pipeline/pipeline.h"
#include "pipeline/shard.h"

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
        uint64_t hash = flow_hash(&item->key, test_policy().hash_seed, test_policy().index_seed);
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
        shard_begin_serving(shard[i]);
    }
    fill(shard, shards);
}

static void destroy_shards(struct shard *const shard[], unsigned shards)
{
    for (unsigned i = 0; i < shards; i++)
        shard_destroy(shard[i]);
}

// What a finished question holds; it is released.
static struct flow_page *take_page(struct question *question)
{
    cr_assert(message_is_finished(&question->message));
    cr_assert_eq(question->error.kind, ERROR_NONE, "%s", question->error.text);
    struct flow_page *page = flow_page_hold(question->page);
    message_release(&question->message);
    return page;
}

static void serve(struct shard *const shard[], unsigned shards, struct question *question)
{
    for (unsigned i = 0; i < shards; i++) {
        cr_assert_eq(shard_post(shard[i], &question->message), MAILBOX_POSTED);
        while (shard_serve(shard[i], 0))
            ;
    }
}

static struct flow_page *ask_shards(struct shard *const shard[], unsigned shards,
                                    const struct flow_query *query)
{
    struct question *question = question_create(query, shards, INT64_MAX);
    cr_assert_not_null(question);
    serve(shard, shards, question);
    return take_page(question);
}

static void expect_same_rows(const struct flow_page *page, const struct flow_page *expected)
{
    cr_assert_eq(page->count, expected->count);
    for (unsigned i = 0; i < page->count; i++) {
        const struct flow_record *row = &page->rows[i].record, *wanted = &expected->rows[i].record;
        cr_assert_eq(flow_record_compare_keys(row, wanted), 0, "place %u", i);
        cr_assert_eq(row->bytes[0] + row->bytes[1], wanted->bytes[0] + wanted->bytes[1], "place %u", i);
    }
}

static struct flow_selection *select_server_port(uint16_t port)
{
    struct error error;
    struct filter_ports ports = {port, port};
    struct flow_filter filter = {.end[FILTER_SERVER] = {.ports = &ports, .port_count = 1}};
    struct flow_selection *selection =
        flow_filter_prepare(&(struct flow_filters){.allow = &filter, .allow_count = 1}, &error);
    cr_assert_not_null(selection, "%s", error.text);
    return selection;
}

static void expect_same_answers(struct shard *const one[], struct shard *const three[],
                                const struct flow_query *query)
{
    struct flow_page *expected = ask_shards(one, 1, query), *page = ask_shards(three, SHARDS, query);
    cr_expect_eq(expected->matched, FLOWS);
    cr_assert_eq(page->matched, expected->matched);
    cr_assert_eq(page->looked_at, expected->looked_at);
    expect_same_rows(page, expected);
    flow_page_release(expected);
    flow_page_release(page);
}

Test(question, to_three_shards_gives_the_answer_of_one)
{
    struct shard *one[1], *three[SHARDS];
    create_shards(one, 1);
    create_shards(three, SHARDS);
    static const unsigned limits[] = {1, 10, FLOW_QUERY_LIMIT};
    struct flow_selection *selection = select_server_port(53);
    for (unsigned i = 0; i < sizeof limits / sizeof limits[0]; i++)
        for (enum flow_order order = 0; order < FLOW_ORDERS; order++)
            for (int ascending = 0; ascending < 2; ascending++)
                expect_same_answers(one, three,
                                    &(struct flow_query){.order = {order, ascending != 0},
                                                         .limit = limits[i],
                                                         .selection = selection});
    flow_selection_release(selection);
    destroy_shards(one, 1);
    destroy_shards(three, SHARDS);
}

// The next page of both listings has the same rows.
static void expect_same_pages(struct shard *const shard[], unsigned shards, struct flow_listings *listings,
                              struct flow_listing *listing, struct flow_page **page)
{
    struct question *question = question_create_page(listings, listing, shards, INT64_MAX);
    cr_assert_not_null(question);
    serve(shard, shards, question);
    *page = take_page(question);
}

Test(question, of_a_listing_turns_its_pages_alike_for_any_number_of_shards)
{
    struct shard *shard[2][SHARDS];
    static const unsigned shards[2] = {1, SHARDS};
    struct flow_listings *listings[2];
    struct flow_listing *listing[2];
    struct flow_page *page[2], *again;
    struct error error;
    struct flow_query query = {.limit = 700};
    unsigned shown = 0;
    for (int i = 0; i < 2; i++) {
        create_shards(shard[i], shards[i]);
        listings[i] = flow_listings_create(1, 2, shards[i]);
        listing[i] = flow_listings_begin(listings[i], &query, &error);
    }
    for (bool more = true; more;) {
        for (int i = 0; i < 2; i++)
            expect_same_pages(shard[i], shards[i], listings[i], listing[i], &page[i]);
        expect_same_rows(page[1], page[0]);
        shown += page[0]->count;
        more = page[0]->next[0] != '\0';
        for (int i = 0; i < 2; i++) {
            if (more)
                cr_assert(flow_listings_resume(listings[i], page[i]->next, &listing[i], &again, &error));
            flow_page_release(page[i]);
        }
    }
    cr_expect_eq(shown, FLOWS);
    for (int i = 0; i < 2; i++) {
        flow_listings_destroy(listings[i]);
        destroy_shards(shard[i], shards[i]);
    }
}

Test(question, of_a_listing_that_is_cancelled_leaves_the_page_to_be_asked_again)
{
    struct shard *shard[1];
    create_shards(shard, 1);
    struct flow_listings *listings = flow_listings_create(1, 2, 1);
    struct flow_listing *listing;
    struct flow_page *again, *first, *second;
    struct error error;
    listing = flow_listings_begin(listings, &(struct flow_query){.limit = 10}, &error);
    expect_same_pages(shard, 1, listings, listing, &first);
    cr_assert(flow_listings_resume(listings, first->next, &listing, &again, &error));
    struct question *question = question_create_page(listings, listing, 1, INT64_MAX);
    cr_assert_eq(shard_post(shard[0], &question->message), MAILBOX_POSTED);
    cr_assert(shard_serve(shard[0], 0), "a slice of it");
    message_cancel(&question->message);
    while (shard_serve(shard[0], 0))
        ;
    cr_assert(flow_listings_resume(listings, first->next, &listing, &again, &error), "%s", error.text);
    expect_same_pages(shard, 1, listings, listing, &second);
    cr_expect_eq(second->matched, FLOWS - 10);
    flow_page_release(first);
    flow_page_release(second);
    flow_listings_destroy(listings);
    destroy_shards(shard, 1);
}

static bool hold_names(struct flow_record *record, const char *name)
{
    struct flow_names names = flow_names_none;
    names.text[FLOW_TEXT_SNI] = name;
    record->names = flow_names_copy(&names);
    return record->names != NULL;
}

static void add_row(struct flow_asked *asked, uint64_t bytes, const char *name)
{
    struct flow_row *row = &asked->answer.rows[asked->answer.count++];
    row->record.bytes[0] = bytes;
    cr_assert(hold_names(&row->record, name));
}

// Rows that are left over when answers are merged free their names, those that win keep them: ASan tells.
Test(question, moves_the_names_of_the_winners)
{
    struct flow_query query = {.limit = 2};
    struct question *question = question_create(&query, SHARDS, INT64_MAX);
    static const char *const names[SHARDS][2] = {{"one", "two"}, {"three", "four"}, {"five", "six"}};
    for (unsigned i = 0; i < SHARDS; i++) {
        for (unsigned row = 0; row < 2; row++)
            add_row(&question->asked[i], 10 * i + row, names[i][row]);
        question->asked[i].answered = true;
        message_arrive(&question->message);
    }
    struct flow_page *page = take_page(question);
    cr_assert_eq(page->count, 2);
    cr_expect_str_eq(page->rows[0].record.names->text[FLOW_TEXT_SNI], "six");
    cr_expect_str_eq(page->rows[1].record.names->text[FLOW_TEXT_SNI], "five");
    cr_expect_eq(page->rows[1].shard, 2);
    flow_page_release(page);
}

Test(question, frees_answers_that_nobody_took)
{
    struct question *question = question_create(&(struct flow_query){.limit = 2}, SHARDS, INT64_MAX);
    add_row(&question->asked[1], 10, "nobody");
    message_cancel(&question->message);
    for (unsigned i = 0; i < SHARDS; i++)
        message_arrive(&question->message);
}

// Nobody waits for it any more: a shard does not look at a single flow for it.
Test(question, is_given_up_when_it_is_cancelled_or_late)
{
    struct shard *shard[1];
    create_shards(shard, 1);
    struct flow_query query = {.limit = 1};
    struct question *late = question_create(&query, 1, 100),
                    *cancelled = question_create(&query, 1, INT64_MAX);
    atomic_fetch_add(&cancelled->message.holders, 1); // to look at it afterwards
    message_cancel(&cancelled->message);
    cr_assert_eq(shard_post(shard[0], &late->message), MAILBOX_POSTED);
    cr_assert_eq(shard_post(shard[0], &cancelled->message), MAILBOX_POSTED);
    while (shard_serve(shard[0], 100))
        ;
    cr_expect(message_is_finished(&late->message) && message_is_finished(&cancelled->message));
    cr_expect_not(late->asked[0].answered || cancelled->asked[0].answered);
    cr_expect_eq(late->asked[0].answer.looked_at, 0);
    cr_expect_eq(late->error.kind, ERROR_CANCELLED);
    cr_expect_null(late->page);
    message_release(&late->message);
    message_release(&cancelled->message);
    destroy_shards(shard, 1);
}

// A shard answers in slices: a round of questions at once, those that came later in the next one, and all of them before
// the end.
Test(question, waits_for_its_round_and_is_answered_at_the_end)
{
    struct shard *shard[1];
    create_shards(shard, 1);
    struct flow_query query = {.limit = 1};
    struct question *questions[MAILBOX_MESSAGES];
    for (unsigned i = 0; i < MAILBOX_MESSAGES; i++) {
        questions[i] = question_create(&query, 1, INT64_MAX);
        cr_assert_eq(shard_post(shard[0], &questions[i]->message), MAILBOX_POSTED);
    }
    while (!message_is_finished(&questions[0]->message))
        cr_assert(shard_serve(shard[0], 0), "there is more");
    for (unsigned i = 0; i < MAILBOX_MESSAGES; i++)
        cr_expect_eq(message_is_finished(&questions[i]->message), i < FLOW_ROUND, "question %u", i);
    shard_end_serving(shard[0]);
    cr_expect_eq(shard_post(shard[0], &questions[0]->message), MAILBOX_CLOSED);
    for (unsigned i = 0; i < MAILBOX_MESSAGES; i++) {
        struct flow_page *page = take_page(questions[i]);
        cr_expect_eq(page->looked_at, FLOWS);
        flow_page_release(page);
    }
    destroy_shards(shard, 1);
}

// One that comes while a round is walked, one of the round that is given up: the others are answered all the same.
Test(question, may_be_given_up_within_its_round)
{
    struct shard *shard[1];
    create_shards(shard, 1);
    struct flow_query query = {.limit = 5};
    struct question *questions[3];
    for (unsigned i = 0; i < 3; i++) {
        questions[i] = question_create(&query, 1, INT64_MAX);
        cr_assert_eq(shard_post(shard[0], &questions[i]->message), MAILBOX_POSTED);
        if (i == 1)
            cr_assert(shard_serve(shard[0], 0));
    }
    message_cancel(&questions[0]->message);
    while (shard_serve(shard[0], 0))
        ;
    for (unsigned i = 1; i < 3; i++) {
        struct flow_page *page = take_page(questions[i]);
        cr_expect_eq(page->looked_at, FLOWS);
        cr_expect_eq(page->count, 5);
        flow_page_release(page);
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
