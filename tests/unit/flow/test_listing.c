// Pages while flows come, go and change.
#include "listing_world.h"

static void expect_order(const struct flow_page *page, const struct flow_query *query)
{
    cr_assert_leq(page->count, query->limit);
    for (unsigned i = 1; i < page->count; i++)
        cr_assert_leq(flow_order_compare(query->order, &page->rows[i - 1].record, &page->rows[i].record), 0);
}

static void note_page(struct world *world, const struct flow_page *page, const struct flow_query *query)
{
    expect_order(page, query);
    for (unsigned i = 0; i < page->count; i++) {
        unsigned key = key_of(&page->rows[i].record), found = MOST;
        for (unsigned k = 0; k < world->count; k++) // also of flows that have ended meanwhile
            if (world->known[k].key == key && world->known[k].first_ns == page->rows[i].record.first_seen_ns)
                found = k;
        cr_assert_lt(found, MOST, "a flow that never was");
        cr_assert_eq(world->known[found].shown++, 0, "twice");
    }
}

// No flow twice, none left out that was there all along.
static void list_to_the_end(struct flow_query query, int64_t between_pages_ns, int64_t between_slices_ns)
{
    struct world *world = world_create();
    unsigned pages = 1, all = 0, stayed = 0;
    for (unsigned i = 0; i < world->count; i++)
        world->known[i].since_begin = true;
    struct flow_page *page = turn(world, begin(world, &query), between_slices_ns);
    for (;; pages++) {
        note_page(world, page, &query);
        all += page->count;
        char token[FLOW_TOKEN_TEXT_BYTES];
        memcpy(token, page->next, sizeof token);
        flow_page_release(page);
        if (token[0] == '\0')
            break;
        cr_assert_lt(pages, 500, "it does not end");
        if (between_pages_ns != 0)
            live_on(world, between_pages_ns);
        page = next(world, token, between_slices_ns);
    }
    for (unsigned i = 0; i < world->count; i++) {
        if (between_slices_ns == 0)
            cr_assert(world->known[i].since_begin || world->known[i].shown == 0, "flow %u began later", i);
        if (!world->known[i].since_begin || !world->known[i].alive)
            continue;
        stayed++;
        cr_assert_eq(world->known[i].shown, 1, "flow %u was there all along", i);
    }
    cr_expect_geq(all, stayed);
    cr_expect_gt(pages, 8);
    if (between_pages_ns == 0)
        cr_expect(all == AT_FIRST && stayed == AT_FIRST);
    else
        cr_expect(stayed > 50 && stayed < AT_FIRST - 50, "%u of %u", stayed, AT_FIRST);
    world_destroy(world);
}

static void list_in_every_order(int64_t between_pages_ns, int64_t between_slices_ns)
{
    for (enum flow_order order = 0; order < FLOW_ORDERS; order++)
        for (int ascending = 0; ascending < 2; ascending++)
            list_to_the_end((struct flow_query){.order = {order, ascending != 0}, .limit = 25},
                            between_pages_ns, between_slices_ns);
}

Test(listing, of_a_table_at_rest_shows_all_in_order, .timeout = 60)
{
    list_in_every_order(0, 0);
}

Test(listing, is_right_while_flows_come_go_and_change, .timeout = 120)
{
    list_in_every_order(5 * NS_PER_S, 0);
}

Test(listing, is_right_while_they_do_so_within_a_page, .timeout = 120)
{
    list_in_every_order(4 * NS_PER_S, 500 * NS_PER_MS);
}

static void expect_same_rows(const struct flow_page *one, const struct flow_page *other)
{
    cr_assert_eq(one->count, other->count);
    cr_assert_str_eq(one->next, other->next);
    for (unsigned i = 0; i < one->count; i++)
        cr_assert_eq(flow_record_compare_keys(&one->rows[i].record, &other->rows[i].record), 0);
}

Test(listing, gives_the_last_page_again)
{
    struct world *world = world_create();
    struct flow_query query = {.limit = 50};
    struct flow_page *first = turn(world, begin(world, &query), 0);
    struct flow_page *second = next(world, first->next, 0);
    live_on(world, NS_PER_S);
    struct flow_page *again = next(world, first->next, 0);
    expect_same_rows(second, again);
    flow_page_release(again);
    struct flow_page *third = next(world, second->next, 0);
    expect_refused(world, first->next, ERROR_FAILED_PRECONDITION, "only the last one is kept");
    again = next(world, second->next, 0);
    expect_same_rows(third, again);
    flow_page_release(again);
    flow_page_release(first);
    flow_page_release(second);
    flow_page_release(third);
    world_destroy(world);
}

Test(listing, keeps_its_last_page_when_it_has_ended)
{
    struct world *world = world_create();
    struct flow_page *first = turn(world, begin(world, &(struct flow_query){.limit = 400}), 0);
    struct flow_page *last = next(world, first->next, 0), *again = next(world, first->next, 0);
    cr_expect_str_eq(last->next, "");
    cr_expect_eq(last->count, AT_FIRST - 400);
    expect_same_rows(last, again);
    flow_page_release(first);
    flow_page_release(last);
    flow_page_release(again);
    world_destroy(world);
}

Test(listing, is_asked_for_one_page_at_a_time)
{
    struct world *world = world_create();
    struct flow_page *first = turn(world, begin(world, &(struct flow_query){.limit = 50}), 0);
    struct flow_listing *listing;
    struct flow_page *again;
    struct error error;
    cr_assert(flow_listings_resume(world->listings, first->next, &listing, &again, &error));
    expect_refused(world, first->next, ERROR_UNAVAILABLE, "on its way");
    flow_listings_give_up(world->listings, listing);
    struct flow_page *second = next(world, first->next, 0); // may be asked for again
    cr_expect_eq(second->count, 50);
    cr_expect_neq(flow_record_compare_keys(&first->rows[0].record, &second->rows[0].record), 0);
    flow_page_release(first);
    flow_page_release(second);
    world_destroy(world);
}

Test(listing, without_a_first_page_is_gone)
{
    struct world *world = world_create();
    size_t before = flow_listings_bytes(world->listings);
    struct flow_listing *listing = begin(world, &(struct flow_query){.limit = 50});
    cr_expect_gt(flow_listings_bytes(world->listings), before);
    flow_listings_give_up(world->listings, listing);
    cr_expect_eq(flow_listings_bytes(world->listings), before);
    world_destroy(world);
}

Test(listing, that_was_not_used_for_longest_goes_first)
{
    struct world *world = world_create();
    struct flow_query query = {.limit = 50};
    char token[FLOW_LISTINGS + 1][FLOW_TOKEN_TEXT_BYTES];
    for (unsigned i = 0; i <= FLOW_LISTINGS; i++) {
        struct flow_page *page = turn(world, begin(world, &query), 0);
        memcpy(token[i], page->next, sizeof token[i]);
        flow_page_release(page);
        if (i > 0) // the first one is used again and again
            flow_page_release(next(world, token[0], 0));
    }
    expect_refused(world, token[1], ERROR_FAILED_PRECONDITION, "begin again");
    flow_page_release(next(world, token[0], 0));
    flow_page_release(next(world, token[2], 0));
    cr_expect_lt(flow_listings_bytes(world->listings), FLOW_LISTINGS_BYTES);
    world_destroy(world);
}

Test(listing, is_refused_when_as_many_are_being_asked)
{
    struct world *world = world_create();
    struct flow_listing *listing[FLOW_LISTINGS];
    struct error error = {0};
    for (unsigned i = 0; i < FLOW_LISTINGS; i++)
        listing[i] = begin(world, &(struct flow_query){.limit = 50});
    cr_expect_null(flow_listings_begin(world->listings, &(struct flow_query){.limit = 50}, &error));
    cr_expect_eq(error.kind, ERROR_EXHAUSTED);
    for (unsigned i = 0; i < FLOW_LISTINGS; i++)
        flow_listings_give_up(world->listings, listing[i]);
    world_destroy(world);
}

Test(listing, holds_its_selection)
{
    struct world *world = world_create();
    static const uint32_t udp = IP_PROTOCOL_UDP;
    struct flow_filter filter = {.field[FILTER_PROTOCOL] = {&udp, 1}};
    struct error error;
    struct flow_query query = {.limit = 50};
    query.selection = flow_filter_prepare(&(struct flow_filters){.allow = &filter, .allow_count = 1}, &error);
    struct flow_page *page = turn(world, begin(world, &query), 0);
    flow_selection_release(query.selection);
    unsigned all = page->count;
    while (page->next[0] != '\0') {
        struct flow_page *before = page;
        page = next(world, before->next, 0);
        flow_page_release(before);
        for (unsigned i = 0; i < page->count; i++)
            cr_assert_eq(page->rows[i].record.protocol, udp);
        all += page->count;
    }
    cr_expect_eq(all, AT_FIRST / 2);
    flow_page_release(page);
    world_destroy(world);
}
