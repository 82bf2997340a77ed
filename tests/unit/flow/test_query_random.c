// Questions made at random that join a walk at random: what the columns say together is what reading every flow's record
// word by word and sorting says.
#include "random_filters.h"

#include <stdlib.h>

#include "flow/page.h"

enum { FLOWS = 500, QUESTIONS = 1500 };

struct made_question {
    struct lists lists;
    struct flow_query query;
    struct flow_asked asked;
};

// Whether the lists are right; now and then one that denies has no field.
static bool make_question(struct dice *dice, const struct test_table *test, struct made_question *made)
{
    struct flow_record some;
    struct error error;
    flow_table_peek(&test->table, some_flow(dice, &test->table), &some);
    make_lists(dice, &made->lists, &some);
    made->query = (struct flow_query){.order = {(enum flow_order)roll(dice, FLOW_ORDERS), roll(dice, 2) == 0},
                                      .limit = 1 + roll(dice, roll(dice, 2) == 0 ? 5 : FLOWS),
                                      .selection = flow_filter_prepare(&made->lists.filters, &error)};
    if (made->query.selection == NULL)
        return false;
    cr_assert(flow_asked_init(&made->asked, &made->query));
    return true;
}

static int compare_records(const void *left, const void *right, void *ordering)
{
    return flow_order_compare(*(const struct flow_ordering *)ordering, left, right);
}

// The records of all flows that are selected, sorted; to be freed.
static struct flow_record *sort_selected(const struct flow_table *table, struct made_question *made,
                                         unsigned *count)
{
    struct flow_record *selected = calloc(2 * FLOWS, sizeof *selected);
    *count = 0;
    for (int v6 = 0; v6 < 2; v6++)
        for (uint32_t node = 1; node <= (v6 ? table->store.v6 : table->store.v4).slab.fresh; node++) {
            uint32_t id = node | (v6 ? (uint32_t)FLOW_ID_V6 : 0);
            if (!goes_on(table, id))
                continue;
            flow_table_peek(table, id, &selected[*count]);
            *count += plain_selects(&made->lists.filters, &selected[*count]);
        }
    qsort_r(selected, *count, sizeof *selected, compare_records, &made->query.order);
    return selected;
}

// Returns how many flows are selected.
static unsigned expect_answer(const struct flow_table *table, struct made_question *made)
{
    unsigned count;
    struct flow_record *selected = sort_selected(table, made, &count);
    struct flow_page *page = flow_page_merge(&made->query, &made->asked, 1);
    cr_assert_not_null(page);
    cr_assert(made->asked.answered);
    cr_assert_eq(page->looked_at, flow_table_active(table));
    cr_assert_eq(page->matched, count, "%lu of %u", page->matched, count);
    cr_assert_eq(page->count, count < made->query.limit ? count : made->query.limit);
    for (unsigned i = 0; i < page->count; i++)
        cr_assert_eq(flow_order_compare(made->query.order, &page->rows[i].record, &selected[i]), 0,
                     "order %d, place %u", made->query.order.by, i);
    flow_page_release(page);
    flow_asked_done(&made->asked);
    flow_selection_release(made->query.selection);
    free(selected);
    return count;
}

// Flows of which none ends while they are asked about.
static void fill(struct dice *dice, struct test_table *test)
{
    test_table_init(test, test_policy());
    for (int i = 0; i < FLOWS; i++)
        converse(dice, test, i * 100 * NS_PER_MS);
    while (ended(test) > 0)
        flow_names_free(take(test).names);
}

// The oldest of the questions on their way, which are the first to be answered.
struct waiting {
    struct made_question *made[QUESTIONS];
    unsigned asked, answered;
};

static void ask_one_more(struct dice *dice, const struct test_table *test, struct flow_round *round,
                         struct waiting *waiting)
{
    struct made_question *made = calloc(1, sizeof *made);
    if (!make_question(dice, test, made)) {
        free(made);
        return;
    }
    flow_round_add(round, &test->table, &made->asked);
    waiting->made[waiting->asked++] = made;
}

Test(query_random, means_what_its_words_say, .timeout = 120)
{
    struct dice dice = {11};
    struct test_table test;
    struct flow_round round = {0};
    struct waiting *waiting = calloc(1, sizeof *waiting);
    unsigned some = 0;
    fill(&dice, &test);
    while (waiting->asked < QUESTIONS || round.count > 0) {
        if (round.count < FLOW_ROUND && waiting->asked < QUESTIONS && roll(&dice, 2) == 0)
            ask_one_more(&dice, &test, &round, waiting);
        flow_table_answer(&test.table, &round, roll(&dice, 2000));
        for (; waiting->answered + round.count < waiting->asked; waiting->answered++) {
            some += expect_answer(&test.table, waiting->made[waiting->answered]) > 0;
            free(waiting->made[waiting->answered]);
        }
    }
    cr_expect(some > QUESTIONS / 4, "only %u of them select something", some);
    free(waiting);
    flow_table_done(&test.table);
}
