#include "http/login_guard.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "base/time.h"

static struct login_guard guard;
static const int64_t start_ns = 1000 * NS_PER_S;

static void setup(void)
{
    login_guard_init(&guard, 7);
}

TestSuite(login_guard, .init = setup);

static struct address address_of(const char *text)
{
    struct address address;
    cr_assert(address_parse(text, &address));
    return address;
}

// How many of so many tries with wrong credentials were looked at, `apart_ns` apart.
static unsigned try_wrong(const char *from, unsigned tries, int64_t apart_ns)
{
    struct address address = address_of(from);
    unsigned looked = 0;
    for (unsigned i = 0; i < tries; i++) {
        int64_t now_ns = start_ns + i * apart_ns;
        if (!login_may_try(&guard, &address, "wrong", now_ns))
            continue;
        login_tried(&guard, &address, "wrong", false, now_ns);
        looked++;
    }
    return looked;
}

Test(login_guard, gives_an_address_so_many_tries_and_then_one_now_and_then)
{
    cr_expect_eq(try_wrong("10.0.0.1", 1000, 0), LOGIN_BURST);
    struct address other = address_of("10.0.0.2");
    cr_expect(login_may_try(&guard, &other, "x", start_ns), "others pay for it");
}

Test(login_guard, gives_more_with_time)
{
    unsigned looked = try_wrong("10.0.0.1", 1000, LOGIN_EACH_MS * NS_PER_MS / 10);
    cr_expect(looked >= 100 && looked <= 100 + LOGIN_BURST, "%u", looked);
}

Test(login_guard, counts_an_ipv6_network_as_one)
{
    unsigned looked = 0;
    for (unsigned i = 0; i < 100; i++) {
        char text[ADDRESS_TEXT_BYTES];
        snprintf(text, sizeof text, "2001:db8:0:%x::1", i);
        looked += try_wrong(text, 1, 0);
    }
    cr_expect_eq(looked, LOGIN_BURST);
}

Test(login_guard, has_one_budget_for_all)
{
    unsigned looked = 0;
    for (unsigned i = 0; i < 500; i++) {
        char text[ADDRESS_TEXT_BYTES];
        snprintf(text, sizeof text, "10.1.%u.%u", i / 250, i % 250);
        looked += try_wrong(text, 1, 0);
    }
    cr_expect_eq(looked, LOGIN_BURST_ALL);
}

Test(login_guard, lets_in_who_was_right_before)
{
    struct address address = address_of("10.0.0.1");
    login_tried(&guard, &address, "right", true, start_ns);
    cr_expect_eq(try_wrong("10.0.0.1", 1000, 0), LOGIN_BURST);
    cr_expect(login_may_try(&guard, &address, "right", start_ns));
    login_tried(&guard, &address, "right", false, start_ns); // it was changed
    cr_expect_not(login_may_try(&guard, &address, "right", start_ns));
}

Test(login_guard, remembers_a_few_behind_one_address)
{
    static const char *const users[] = {"ann", "bob", "cat", "dan", "eve"};
    struct address address = address_of("10.0.0.1");
    for (unsigned i = 0; i < 5; i++)
        login_tried(&guard, &address, users[i], true, start_ns);
    login_tried(&guard, &address, "bob", true, start_ns); // the latest again
    cr_expect_eq(try_wrong("10.0.0.1", 1000, 0), LOGIN_BURST);
    for (unsigned i = 1; i < 5; i++)
        cr_expect(login_may_try(&guard, &address, users[i], start_ns), "%s", users[i]);
    cr_expect_not(login_may_try(&guard, &address, "ann", start_ns), "the oldest");
    login_tried(&guard, &address, "dan", false, start_ns); // withdrawn
    cr_expect_not(login_may_try(&guard, &address, "dan", start_ns));
    cr_expect(login_may_try(&guard, &address, "eve", start_ns));
}

// As many networks as there are places try one password each, slowly: who was right is remembered.
Test(login_guard, forgets_nobody_who_was_right_over_others_who_are_wrong)
{
    struct address address = address_of("10.0.0.1");
    login_tried(&guard, &address, "right", true, start_ns);
    for (unsigned i = 0; i < 20 * LOGIN_PLACES; i++) {
        char text[ADDRESS_TEXT_BYTES];
        snprintf(text, sizeof text, "10.%u.%u.7", 1 + i / 250, i % 250);
        struct address other = address_of(text);
        login_tried(&guard, &other, "wrong", false, start_ns);
    }
    cr_expect(login_may_try(&guard, &address, "right", start_ns));
    cr_expect_not(login_may_try(&guard, &address, "wrong", start_ns));
    struct address other = address_of("10.1.0.7");
    cr_expect_not(login_may_try(&guard, &other, "right", start_ns), "they are right from there only");
}
