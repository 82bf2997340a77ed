// Questions to shards without threads, asked one after the other.
#include "questions.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "pipeline/shard.h"

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

// A shard answers in slices: many questions together, those that came later when there is room, and all of them before
// the end.
Test(question, waits_for_room_and_is_answered_at_the_end)
{
    struct shard *shard[1];
    create_shards(shard, 1);
    struct flow_query query = {.limit = 1};
    struct question *questions[MAILBOX_MESSAGES];
    for (unsigned i = 0; i < MAILBOX_MESSAGES; i++) {
        questions[i] = question_create(&query, 1, INT64_MAX);
        cr_assert_eq(shard_post(shard[0], &questions[i]->message), MAILBOX_POSTED);
    }
    while (!message_is_finished(&questions[FLOW_ROUND - 1]->message))
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

// One that comes on the way, one that is given up on the way: the others are answered all the same.
Test(question, may_be_given_up_on_the_way)
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
