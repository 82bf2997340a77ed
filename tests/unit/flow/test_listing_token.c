// Tokens of pages, and what becomes of them.
#include "listing_world.h"

Test(listing_token, comes_back_as_it_was)
{
    struct flow_token token = {0x0123456789abcdef, 0xfedcba9876543210, 7}, parsed;
    char text[FLOW_TOKEN_TEXT_BYTES];
    cr_expect_str_eq(flow_token_format(&token, text), text);
    cr_expect_eq(strlen(text), 48);
    cr_assert(flow_token_parse(text, &parsed));
    cr_expect(parsed.instance == token.instance && parsed.listing == token.listing &&
              parsed.page == token.page);
}

Test(listing_token, that_was_changed_is_none)
{
    struct flow_token token = {1, 2, 3};
    char text[FLOW_TOKEN_TEXT_BYTES + 1];
    for (unsigned i = 0; i < FLOW_TOKEN_TEXT_BYTES - 1; i++) {
        flow_token_format(&token, text);
        text[i] = text[i] == '7' ? '8' : '7';
        cr_expect_not(flow_token_parse(text, &token), "at %u", i);
        text[i] = 'G';
        cr_expect_not(flow_token_parse(text, &token));
        text[i] = '\0';
        cr_expect_not(flow_token_parse(text, &token));
    }
    flow_token_format(&token, text);
    strcat(text, "0");
    cr_expect_not(flow_token_parse(text, &token));
    cr_expect_not(flow_token_parse("", &token));
}

Test(listing_token, of_another_run_or_listing_is_told)
{
    struct world *world = world_create();
    struct flow_page *page = turn(world, begin(world, &(struct flow_query){.limit = 50}), 0);
    struct flow_token token;
    char text[FLOW_TOKEN_TEXT_BYTES];
    cr_assert(flow_token_parse(page->next, &token));
    cr_expect(token.instance == INSTANCE && token.page == 1);
    expect_refused(world, "nonsense", ERROR_INVALID_ARGUMENT, "none of ours");
    expect_refused(world, "", ERROR_INVALID_ARGUMENT, "none of ours");
    token.instance++;
    expect_refused(world, flow_token_format(&token, text), ERROR_FAILED_PRECONDITION, "is gone");
    token.instance--;
    token.listing++;
    expect_refused(world, flow_token_format(&token, text), ERROR_FAILED_PRECONDITION, "is gone");
    token.listing--;
    token.page = 2;
    expect_refused(world, flow_token_format(&token, text), ERROR_INVALID_ARGUMENT, "nobody was offered");
    token.page = 0;
    expect_refused(world, flow_token_format(&token, text), ERROR_INVALID_ARGUMENT, "nobody was offered");
    flow_page_release(page);
    world_destroy(world);
}
