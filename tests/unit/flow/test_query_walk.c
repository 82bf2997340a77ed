// The walk that questions go with, while others join and leave it and flows come and go.
#include "query_world.h"

enum { FLOWS = 5000 };

// Questions that differ in all that a question has.
struct question_set {
    struct flow_asked asked[FLOW_ROUND];
    struct wanted wanted[FLOW_ROUND];
    struct flow_query query[FLOW_ROUND];
};

static struct question_set *question_set_create(void)
{
    struct question_set *set = calloc(1, sizeof *set);
    cr_assert_not_null(set);
    for (unsigned i = 0; i < FLOW_ROUND; i++) {
        set->wanted[i].protocol = i % 3 == 0 ? IP_PROTOCOL_TCP : 0;
        set->wanted[i].port = i % 2 == 0 ? 53 : 0;
        set->query[i] = (struct flow_query){.order = {(enum flow_order)(i % 5), i % 4 == 0},
                                            .limit = 1 + i * 60,
                                            .selection = select_wanted(&set->wanted[i])};
        cr_assert(flow_asked_init(&set->asked[i], &set->query[i]));
    }
    return set;
}

// Those that are answered are so as if each were alone.
static void expect_set(const struct world *world, struct question_set *set, unsigned answered)
{
    for (unsigned i = 0; i < FLOW_ROUND; i++) {
        struct flow_page *page = flow_page_merge(&set->query[i], &set->asked[i], 1);
        answered -= set->asked[i].answered;
        if (set->asked[i].answered)
            expect_rows(world, &set->wanted[i], &set->query[i], page);
        flow_page_release(page);
        flow_asked_done(&set->asked[i]);
        flow_selection_release(set->query[i].selection);
    }
    cr_expect_eq(answered, 0);
    free(set);
}

Test(query_walk, answers_many_who_go_together, .timeout = 60)
{
    struct world *world = make_flows(FLOWS);
    struct question_set *set = question_set_create();
    struct flow_round round = {0};
    for (unsigned i = 0; i < FLOW_ROUND; i++)
        flow_round_add(&round, &world->test.table, &set->asked[i]);
    flow_round_give_up(&round, 3);
    for (unsigned slices = 0; !flow_table_answer(&world->test.table, &round, 2048); slices++)
        if (slices == 2)
            flow_round_give_up(&round, 6); // 7, as 3 is no more
    cr_expect_not(set->asked[3].answered || set->asked[7].answered);
    expect_set(world, set, FLOW_ROUND - 2);
    world_destroy(world);
}

// One joins after every few slices, wherever the walk is, and each leaves when it has been round.
Test(query_walk, is_joined_anywhere, .timeout = 60)
{
    struct world *world = make_flows(FLOWS);
    static const unsigned slices[] = {3, 20, 100, 1000};
    for (unsigned i = 0; i < sizeof slices / sizeof slices[0]; i++) {
        struct question_set *set = question_set_create();
        struct flow_round round = {0};
        for (unsigned joined = 0, slice = 0; joined < FLOW_ROUND || round.count > 0; slice++) {
            if (slice % slices[i] == 0 && joined < FLOW_ROUND)
                flow_round_add(&round, &world->test.table, &set->asked[joined++]);
            flow_table_answer(&world->test.table, &round, 331);
        }
        expect_set(world, set, FLOW_ROUND);
    }
    world_destroy(world);
}

// Nobody waits for those who came later.
Test(query_walk, is_left_in_the_order_of_joining)
{
    struct world *world = make_flows(FLOWS);
    struct question_set *set = question_set_create();
    struct flow_round round = {0};
    for (unsigned i = 0; i < FLOW_ROUND; i++) {
        flow_round_add(&round, &world->test.table, &set->asked[i]);
        flow_table_answer(&world->test.table, &round, 700);
    }
    for (unsigned left = FLOW_ROUND; round.count > 0; left = round.count) {
        while (round.count == left)
            flow_table_answer(&world->test.table, &round, 700);
        for (unsigned i = 0; i < FLOW_ROUND; i++)
            cr_assert_eq(set->asked[i].answered, i < FLOW_ROUND - round.count);
    }
    expect_set(world, set, FLOW_ROUND);
    world_destroy(world);
}

// A node without the memory for its ends is none: a question, which walks over all nodes, must not meet it.
Test(query_walk, passes_by_flows_that_found_no_memory)
{
    struct world *world = make_flows(10);
    struct flow_table *table = &world->test.table;
    struct arena *ends = &table->store.v4.ends, whole = *ends;
    ends->reserved = ends->usable = table->store.v4.slab.fresh * sizeof(struct flow_ends); // they cannot grow
    struct packet packet = udp_packet(1, 65000, 2, 65001, 0);
    cr_expect_null(feed(&world->test, &packet).flow);
    cr_expect_eq(table->counts.refused, 1);
    struct flow_query query = {.limit = FLOW_QUERY_LIMIT};
    struct flow_page *page = ask(world, &query, 1000);
    cr_expect_eq(page->looked_at, 10);
    cr_expect_eq(page->matched, 10);
    flow_page_release(page);
    *ends = whole;
    world_destroy(world);
}

Test(query_walk, names_no_flow_that_has_ended, .timeout = 60)
{
    struct world *world = world_create(test_policy());
    for (unsigned i = 0; i < 800; i++)
        make_flow(world, i * 100 * NS_PER_MS);
    struct flow_query query = {.limit = FLOW_QUERY_LIMIT};
    tick(&world->test, 100 * NS_PER_S); // some 400 have been idle for a minute
    struct flow_page *ended_and_not_taken = ask(world, &query, 7);
    cr_expect_eq(ended_and_not_taken->looked_at, flow_table_active(&world->test.table));
    unsigned taken = take_ended(world);
    cr_expect_gt(taken, 100);
    cr_expect_gt(flow_table_active(&world->test.table), 100);
    struct wanted all = {0};
    expect_rows(world, &all, &query, ended_and_not_taken);
    expect_answer(world, &all, query); // their nodes are free
    for (unsigned i = 0; i < taken / 2; i++)
        make_flow(world, 100 * NS_PER_S);
    expect_answer(world, &all, query); // some of the nodes are used again
    flow_page_release(ended_and_not_taken);
    world_destroy(world);
}

// Between two slices: a tick that ends flows, then new ones.
static void live_on(struct world *world, int64_t at_ns)
{
    tick(&world->test, at_ns);
    take_ended(world);
    for (unsigned i = 0; i < 3; i++)
        make_flow(world, at_ns);
}

static const struct flow_record *row_of(const struct flow_page *page, const struct known *known)
{
    for (unsigned i = 0; i < page->count; i++)
        if (is_of(&page->rows[i].record, known))
            return &page->rows[i].record;
    return NULL;
}

// Who lived through the whole walk is named with its figures; whoever is named has lived.
Test(query_walk, bears_flows_that_come_and_go_between_slices, .timeout = 60)
{
    enum { BEFORE = 700, STEP_MS = 600 };
    struct world *world = world_create(test_policy());
    for (unsigned i = 0; i < BEFORE; i++)
        make_flow(world, i * 100 * NS_PER_MS);
    struct flow_query query = {.limit = FLOW_QUERY_LIMIT};
    struct flow_asked asked;
    struct flow_round round = {0};
    cr_assert(flow_asked_init(&asked, &query));
    flow_round_add(&round, &world->test.table, &asked);
    int64_t at_ns = BEFORE * 100 * NS_PER_MS;
    while (!flow_table_answer(&world->test.table, &round, 14))
        live_on(world, at_ns += STEP_MS * NS_PER_MS);
    struct flow_page *page = flow_page_merge(&query, &asked, 1);
    unsigned survived = 0, known = 0;
    for (unsigned i = 0; i < BEFORE; i++) {
        if (!world->known[i].alive)
            continue;
        survived++;
        const struct flow_record *row = row_of(page, &world->known[i]);
        cr_assert_not_null(row, "flow %u", i);
        expect_row(row, &world->known[i], i);
    }
    for (unsigned i = 0; i < world->count; i++)
        known += row_of(page, &world->known[i]) != NULL;
    cr_expect_eq(known, page->count, "every row is of a flow that was there");
    cr_expect_geq(page->matched, page->count, "some ended before they were copied");
    cr_expect(survived > 50 && survived < BEFORE - 50, "%u", survived);
    flow_page_release(page);
    flow_asked_done(&asked);
    world_destroy(world);
}
