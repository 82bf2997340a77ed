#include "http/tickets.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"

static struct tickets tickets;
static const struct caller ann = {.identity = "ann", .role = ROLE_PACKETS};

static bool takes(const char *text, int64_t now_ns)
{
    struct caller caller;
    bool taken = tickets_take(&tickets, text, now_ns, &caller);
    if (taken)
        cr_expect_str_eq(caller.identity, "ann");
    return taken;
}

Test(tickets, are_good_once_and_for_a_while)
{
    char text[TICKET_TEXT_BYTES], other[TICKET_TEXT_BYTES];
    cr_assert(tickets_make(&tickets, &ann, NS_PER_S, text) && tickets_make(&tickets, &ann, NS_PER_S, other));
    cr_expect_eq(strlen(text), TICKET_TEXT_BYTES - 1);
    cr_expect_neq(strcmp(text, other), 0);
    cr_expect(takes(text, 2 * NS_PER_S));
    cr_expect_not(takes(text, 2 * NS_PER_S));
    cr_expect_not(takes(other, (TICKET_S + 1) * NS_PER_S));
    cr_expect_not(takes("", 0));
    cr_expect_not(takes("00000000000000000000000000000000", 0), "an empty place is no ticket");
}

Test(tickets, are_so_many_and_the_oldest_of_who_has_his_share_goes)
{
    static const struct caller bob = {.identity = "bob", .role = ROLE_VIEWER};
    char first[TICKET_TEXT_BYTES], second[TICKET_TEXT_BYTES], text[TICKET_TEXT_BYTES];
    cr_assert(tickets_make(&tickets, &ann, 0, first) && tickets_make(&tickets, &ann, 1, second));
    for (unsigned i = 0; i < 2 * TICKETS; i++)
        cr_assert(tickets_make(&tickets, &bob, 2, text));
    cr_expect(takes(first, 2), "what others fetch takes nobody's");
    for (unsigned i = 0; i < TICKETS_EACH; i++)
        cr_assert(tickets_make(&tickets, &ann, 3, text));
    cr_expect_not(takes(second, 3));
    cr_expect(takes(text, 3));
    tickets_done(&tickets);
}

Test(tickets, are_bounded_whoever_fetches_them)
{
    char first[TICKET_TEXT_BYTES], text[TICKET_TEXT_BYTES];
    cr_assert(tickets_make(&tickets, &ann, 0, first));
    for (unsigned i = 0; i < TICKETS; i++) {
        static char name[TICKETS][16];
        snprintf(name[i], sizeof name[i], "user%u", i);
        struct caller other = {.identity = name[i], .role = ROLE_VIEWER};
        cr_assert(tickets_make(&tickets, &other, 1, text));
    }
    cr_expect_not(takes(first, 2));
    tickets_done(&tickets);
}
