#include "capture/own_connections.h"

#include <criterion/criterion.h>

static struct endpoint endpoint_of(const char *address, unsigned port)
{
    struct endpoint endpoint = {.port = (uint16_t)port};
    cr_assert(address_parse(address, &endpoint.address));
    return endpoint;
}

Test(own_connections, come_and_go_in_either_order)
{
    struct own_connections *own = own_connections_create(true);
    struct endpoint here = endpoint_of("10.0.0.1", 9871), there = endpoint_of("10.0.0.2", 40000);
    struct endpoint mapped = endpoint_of("::ffff:10.0.0.1", 9871), other = endpoint_of("10.0.0.2", 40001);
    cr_expect_not(own_connections_any(own));
    cr_assert(own_connections_add(own, &mapped, &there));
    cr_expect(own_connections_any(own));
    cr_expect(own_connections_hold(own, &here, &there));
    cr_expect(own_connections_hold(own, &there, &here));
    cr_expect_not(own_connections_hold(own, &here, &other));
    own_connections_remove(own, &here, &other);
    cr_expect(own_connections_any(own), "what was not there is not taken");
    own_connections_remove(own, &there, &here);
    cr_expect_not(own_connections_any(own));
    cr_expect_not(own_connections_hold(own, &here, &there));
    own_connections_destroy(own);
}

Test(own_connections, many_find_a_place_and_more_are_refused)
{
    enum { MANY = 512, ALL = 20000 };
    struct own_connections *own = own_connections_create(true);
    struct endpoint here = endpoint_of("2001:db8::1", 9871);
    unsigned added = 0;
    for (unsigned port = 1; port <= ALL; port++) {
        struct endpoint there = endpoint_of("2001:db8::2", port);
        bool good = own_connections_add(own, &here, &there);
        cr_expect(good || port > MANY);
        cr_expect_eq(own_connections_hold(own, &there, &here), good);
        added += good;
    }
    cr_expect_leq(added, 8192);
    for (unsigned port = 1; port <= ALL; port++) {
        struct endpoint there = endpoint_of("2001:db8::2", port);
        own_connections_remove(own, &here, &there);
    }
    cr_expect_not(own_connections_any(own));
    own_connections_destroy(own);
}

Test(own_connections, remembers_nothing_when_it_is_off)
{
    struct own_connections *own = own_connections_create(false);
    struct endpoint here = endpoint_of("10.0.0.1", 9871), there = endpoint_of("10.0.0.2", 40000);
    cr_expect(own_connections_add(own, &here, &there));
    cr_expect_not(own_connections_any(own));
    cr_expect_not(own_connections_hold(own, &here, &there));
    own_connections_remove(own, &here, &there);
    own_connections_destroy(own);
}
