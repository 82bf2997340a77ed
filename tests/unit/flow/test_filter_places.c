// Places of namespaces, what has to lie inside, and selections within others.
#include <stdio.h>

#include "filters.h"

static struct filter_place place(const char *prefix, bool hole)
{
    return (struct filter_place){prefix_of(prefix), hole};
}

static bool is_in(const struct filter_place *items, unsigned count, const char *address)
{
    const struct filter_places places = {items, count};
    struct flow_record record = known();
    struct flow_filter filter = {0};
    filter.end[FILTER_CLIENT].places = &places;
    cr_assert(address_parse(address, &record.endpoint[0].address));
    if (record.endpoint[0].address.version == 6)
        cr_assert(address_parse("2001:db8::1", &record.endpoint[1].address));
    return fits(filter, &record);
}

Test(filter_places, the_narrowest_network_decides)
{
    const struct filter_place items[] = {place("10.1.2.0/24", false), place("10.0.0.0/8", false),
                                         place("10.1.0.0/16", true), place("10.1.2.9", true),
                                         place("2001:db8::/32", false)};
    static const char *const in[] = {"10.0.0.0",       "10.0.255.255", "10.1.2.0",
                                     "10.1.2.8",       "10.1.2.10",    "10.2.0.0",
                                     "10.255.255.255", "2001:db8::",   "2001:db8:ffff::1"};
    static const char *const out[] = {"9.255.255.255", "11.0.0.0",     "10.1.0.0",   "10.1.1.255", "10.1.2.9",
                                      "10.1.3.0",      "10.1.255.255", "2001:db9::", "::1"};
    for (unsigned i = 0; i < sizeof in / sizeof in[0]; i++)
        cr_expect(is_in(items, 5, in[i]), "%s", in[i]);
    for (unsigned i = 0; i < sizeof out / sizeof out[0]; i++)
        cr_expect_not(is_in(items, 5, out[i]), "%s", out[i]);
}

Test(filter_places, reach_to_the_last_address)
{
    const struct filter_place all[] = {place("::/0", false), place("ffff:ffff::/32", true),
                                       place("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", false),
                                       place("0.0.0.0/0", false), place("255.255.255.255", true)};
    cr_expect(is_in(all, 5, "::"));
    cr_expect(is_in(all, 5, "ffff:fffe:ffff::"));
    cr_expect_not(is_in(all, 5, "ffff:ffff::"));
    cr_expect_not(is_in(all, 5, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe"));
    cr_expect(is_in(all, 5, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"));
    cr_expect(is_in(all, 5, "255.255.255.254"));
    cr_expect_not(is_in(all, 5, "255.255.255.255"));
}

Test(filter_places, of_none_fit_nothing)
{
    cr_expect_not(is_in(NULL, 0, "10.0.0.1"));
}

// By chance, against a look at all of them.
Test(filter_places, are_as_a_look_at_all_of_them)
{
    enum { PLACES = 40, ADDRESSES = 200 };
    struct filter_place items[PLACES];
    uint32_t numbers = 1;
    for (unsigned round = 0; round < 50; round++) {
        unsigned count = 0;
        while (count < PLACES) {
            numbers = numbers * 1664525 + 1013904223;
            char text[32];
            unsigned bits = 24 + numbers % 9, last = (numbers >> 8) & 0xff & (0xffu << (32 - bits));
            snprintf(text, sizeof text, "10.0.0.%u/%u", last, bits);
            struct filter_place made = place(text, (numbers >> 20) & 1);
            bool is_new = true;
            for (unsigned i = 0; i < count; i++)
                is_new &= items[i].prefix.bits != bits || items[i].prefix.address.bytes[3] != last;
            if (is_new)
                items[count++] = made;
        }
        for (unsigned last = 0; last < 256; last += 1 + round % 3) {
            char text[32];
            struct address address;
            int narrowest = -1;
            bool wanted = false;
            snprintf(text, sizeof text, "10.0.0.%u", last);
            cr_assert(address_parse(text, &address));
            for (unsigned i = 0; i < count; i++) {
                if (prefix_contains(&items[i].prefix, &address) && items[i].prefix.bits > narrowest) {
                    narrowest = items[i].prefix.bits;
                    wanted = !items[i].hole;
                }
            }
            cr_expect_eq(is_in(items, count, text), wanted, "%s in round %u", text, round);
        }
    }
}

Test(filter_places, count_only_inside)
{
    struct flow_record record = known();
    const struct filter_place server_place = place("10.0.0.2", false);
    const struct filter_places places = {&server_place, 1};
    struct prefix client = prefix_of("10.0.0.1"), server = prefix_of("10.0.0.2");
    struct filter_name name = {"a.com", false};
    struct flow_filter by_place = {0}, by_name = {.names = &name, .name_count = 1, .named = {&server, 1}};
    by_place.end[FILTER_ONE_END].places = &places;
    cr_expect(fits(by_place, &record));
    cr_expect(fits(by_name, &record));
    by_place.inside.networks = by_name.inside.networks = (struct filter_prefixes){&client, 1};
    cr_expect_not(fits(by_place, &record));
    cr_expect_not(fits(by_name, &record));
    by_place.inside.networks.items = by_name.inside.networks.items = &server;
    cr_expect(fits(by_place, &record));
    cr_expect(fits(by_name, &record));
    by_place.inside.places = by_name.inside.places = &(struct filter_places){0};
    cr_expect_not(fits(by_place, &record));
    cr_expect_not(fits(by_name, &record));
}

Test(filter_places, a_selection_may_lie_within_another)
{
    struct flow_record record = known();
    struct prefix client = prefix_of("10.0.0.1"), nobody = prefix_of("192.0.2.1");
    struct flow_filter mine = {0}, denied = {0};
    mine.end[FILTER_ONE_END].networks = (struct filter_prefixes){&client, 1};
    struct flow_selection *within = prepare(&(struct flow_filters){.allow = &mine, .allow_count = 1});
    cr_expect(lists_fit(&(struct flow_filters){.within = within}, &record));
    denied.end[FILTER_ONE_END].ports = &(struct filter_ports){443, 443};
    denied.end[FILTER_ONE_END].port_count = 1;
    cr_expect_not(
        lists_fit(&(struct flow_filters){.deny = &denied, .deny_count = 1, .within = within}, &record));
    flow_selection_release(within);
    mine.end[FILTER_ONE_END].networks.items = &nobody;
    within = prepare(&(struct flow_filters){.allow = &mine, .allow_count = 1});
    cr_expect_not(lists_fit(&(struct flow_filters){.within = within}, &record));
    flow_selection_release(within);
}
