// Filters made at random over flows of all kinds: what a selection says of a record is what reading the filter word by
// word says, and what it says of a node never contradicts that.
#include "random_filters.h"

#include <stdlib.h>

#include "flow/selection.h"

enum { FLOWS = 400, FILTERS = 3000 };

struct tally {
    unsigned yes, no, maybe, selected;
};

static void expect_same(const struct flow_table *table, const struct flow_faces *faces,
                        const struct lists *lists, const struct flow_selection *selection,
                        struct tally *tally)
{
    struct flow_fit fit = flow_selection_fits_faces(selection, faces);
    cr_assert_eq(fit.does & ~fit.may, 0);
    cr_assert_eq(fit.may & ~flow_faces_all(faces), 0);
    for (unsigned i = 0; i < faces->count; i++) {
        struct flow_record record;
        flow_table_peek(table, faces->id[i], &record);
        bool expected = plain_selects(&lists->filters, &record);
        bool may = fit.may >> i & 1, does = fit.does >> i & 1;
        cr_assert_eq(flow_selection_fits(selection, &record), expected, "flow %u", faces->id[i]);
        cr_assert(expected ? may : !does, "flow %u: %d %d", faces->id[i], may, does);
        tally->selected += expected;
        *(does ? &tally->yes : may ? &tally->maybe : &tally->no) += 1;
    }
}

static void expect_of_all(const struct flow_table *table, const struct lists *lists, struct tally *tally)
{
    struct error error;
    struct flow_selection *selection = flow_filter_prepare(&lists->filters, &error);
    if (selection == NULL) { // now and then one that denies has no field
        cr_assert_not_null(strstr(error.text, "denies every flow"), "%s", error.text);
        return;
    }
    for (int v6 = 0; v6 < 2; v6++) {
        const struct slab *slab = v6 ? &table->store.v6.slab : &table->store.v4.slab;
        for (uint32_t node = 0; node < slab->fresh;) {
            struct flow_faces faces;
            flow_faces_clear(&faces, v6 ? 6 : 4);
            while (node < slab->fresh && faces.count < 1 + node % FLOW_FACES)
                if (goes_on(table, ++node | (v6 ? (uint32_t)FLOW_ID_V6 : 0)))
                    flow_faces_add(&faces, table, node | (v6 ? (uint32_t)FLOW_ID_V6 : 0), FLOW_FACE_ALL);
            expect_same(table, &faces, lists, selection, tally);
        }
    }
    flow_selection_release(selection);
}

Test(filter_random, means_what_its_words_say, .timeout = 120)
{
    struct dice dice = {7};
    struct test_table test;
    struct tally tally = {0};
    test_table_init(&test, test_policy());
    for (int i = 0; i < FLOWS; i++)
        converse(&dice, &test, i * 100 * NS_PER_MS);
    while (ended(&test) > 0)
        flow_names_free(take(&test).names);
    struct lists *lists = calloc(1, sizeof *lists);
    for (int i = 0; i < FILTERS; i++) {
        struct flow_record some;
        flow_table_peek(&test.table, some_flow(&dice, &test.table), &some);
        make_lists(&dice, lists, &some);
        expect_of_all(&test.table, lists, &tally);
    }
    unsigned all = tally.yes + tally.no + tally.maybe;
    cr_expect_gt(all, 500000);
    cr_expect(
        tally.yes > all / 50 && tally.no > all / 50 && tally.maybe > all / 200 && tally.selected > all / 50,
        "of %u: yes %u, no %u, maybe %u, selected %u", all, tally.yes, tally.no, tally.maybe, tally.selected);
    free(lists);
    flow_table_done(&test.table);
}
