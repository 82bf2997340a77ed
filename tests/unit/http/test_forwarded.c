#include "http/forwarded.h"

#include <criterion/criterion.h>
#include <string.h>

#include "config/settings.h"

static char *trusted[] = {"127.0.0.1", "10.0.0.0/8", "2001:db8:1::/48"};
static const struct string_list list = {trusted, 3};
static struct proxies proxies;

static void begin(void)
{
    struct error error;
    cr_assert(proxies_parse(&list, &proxies, &error), "%s", error.text);
}

static void end(void)
{
    proxies_done(&proxies);
}

TestSuite(forwarded, .init = begin, .fini = end);

static const char unknown[] = "-"; // as an address of no version is written

static struct forwarded read_from(const char *peer, struct forwarded_headers headers)
{
    struct forwarded found = {0};
    cr_assert(address_parse(peer, &found.from));
    forwarded_read(&headers, &proxies, &found);
    return found;
}

static void expect_from(const char *peer, struct forwarded_headers headers, const char *from)
{
    char text[ADDRESS_TEXT_BYTES];
    struct forwarded found = read_from(peer, headers);
    cr_expect_str_eq(address_format(&found.from, text), from, "%s, %s: %s", headers.x_for, headers.forwarded,
                     text);
}

Test(forwarded, counts_from_trusted_proxies_only)
{
    struct forwarded found =
        read_from("192.0.2.1",
                  (struct forwarded_headers){.x_for = "198.51.100.1", .x_host = "evil", .x_proto = "https"});
    cr_expect_eq(found.host[0], '\0');
    cr_expect_not(found.secure);
    expect_from("192.0.2.1", (struct forwarded_headers){.x_for = "198.51.100.1"}, "192.0.2.1");
    expect_from("192.0.2.1", (struct forwarded_headers){.forwarded = "for=198.51.100.1"}, "192.0.2.1");
    expect_from("127.0.0.1", (struct forwarded_headers){.x_for = "198.51.100.1"}, "198.51.100.1");
    expect_from("::ffff:10.1.2.3", (struct forwarded_headers){.x_for = "198.51.100.1"}, "198.51.100.1");
}

Test(forwarded, stops_at_the_first_who_is_not_trusted)
{
    expect_from("127.0.0.1", (struct forwarded_headers){.x_for = "1.1.1.1, 198.51.100.1, 10.0.0.9"},
                "198.51.100.1");
    expect_from("127.0.0.1", (struct forwarded_headers){.x_for = "1.1.1.1,unknown,10.0.0.9"}, unknown);
    expect_from("127.0.0.1", (struct forwarded_headers){.x_for = "10.0.0.8,10.0.0.9"}, "10.0.0.8");
    expect_from("127.0.0.1", (struct forwarded_headers){.x_for = ""}, "127.0.0.1");
    expect_from("127.0.0.1", (struct forwarded_headers){.x_for = " , ,"}, "127.0.0.1");
    char many[2048] = "192.0.2.1";
    for (unsigned i = 0; i < 30; i++)
        strcat(many, ",10.0.0.1");
    expect_from("127.0.0.1", (struct forwarded_headers){.x_for = many}, "10.0.0.1");
}

Test(forwarded, takes_addresses_as_proxies_write_them)
{
    static const char *const same[] = {"2001:db8:2::1", "[2001:db8:2::1]", "[2001:DB8:2::1]:4711"};
    for (unsigned i = 0; i < 3; i++)
        expect_from("10.0.0.1", (struct forwarded_headers){.x_for = same[i]}, "2001:db8:2::1");
    expect_from("10.0.0.1", (struct forwarded_headers){.x_for = "192.0.2.1:4711"}, "192.0.2.1");
    expect_from("10.0.0.1",
                (struct forwarded_headers){.forwarded = "For=\"[2001:db8:2::1]:4711\"; proto=http"},
                "2001:db8:2::1");
    static const char *const none[] = {"[",
                                       "[]",
                                       ":",
                                       "_hidden",
                                       "192.0.2",
                                       "\"192.0.2.1",
                                       "1:2:3:4:5:6:7:8:9:10:11:12:13:14:15:16:17:18:19:20"};
    for (unsigned i = 0; i < sizeof none / sizeof none[0]; i++)
        expect_from("10.0.0.1", (struct forwarded_headers){.x_for = none[i]}, unknown);
    expect_from("10.0.0.1", (struct forwarded_headers){.forwarded = "for=_hidden;proto=https"}, unknown);
    expect_from("10.0.0.1", (struct forwarded_headers){.forwarded = "proto=https"}, "10.0.0.1");
}

// A client's own words stand first; with quotes among them the proxy's are no less the last.
Test(forwarded, a_client_hides_nothing_that_the_proxy_adds)
{
    expect_from("10.0.0.1", (struct forwarded_headers){.x_for = "\"x, 192.0.2.1"}, "192.0.2.1");
    expect_from("10.0.0.1", (struct forwarded_headers){.x_for = "\"\"\", a\\\", 192.0.2.1 , 10.0.0.2"},
                "192.0.2.1");
    cr_expect_str_eq(read_from("10.0.0.1", (struct forwarded_headers){.x_host = "\"a, b.example"}).host,
                     "b.example");
}

Test(forwarded, tells_host_and_protocol)
{
    struct forwarded found = read_from(
        "10.0.0.1", (struct forwarded_headers){
                        .x_for = "192.0.2.1", .x_host = "a.example, b.example:8443", .x_proto = "HTTPS"});
    cr_expect_str_eq(found.host, "b.example:8443");
    cr_expect(found.secure);
    found = read_from("10.0.0.1", (struct forwarded_headers){.x_host = "c.example"});
    cr_expect_str_eq(found.host, "c.example");
    // The nearest proxy was asked by another trusted one, whose word counts then, and no further.
    found = read_from("10.0.0.1",
                      (struct forwarded_headers){
                          .forwarded = "for=1.1.1.1;host=evil, for=192.0.2.1;proto=https;host=\"d.example\", "
                                       "for=10.0.0.2;host=inner;proto=http"});
    cr_expect_str_eq(found.host, "d.example");
    cr_expect(found.secure);
    found = read_from("10.0.0.1", (struct forwarded_headers){.forwarded = "for=\"a,b\";host=e.example"});
    cr_expect_str_eq(found.host, "e.example");
    char longest[600];
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    cr_expect_eq(read_from("10.0.0.1", (struct forwarded_headers){.x_host = longest}).host[0], '\0');
}

// A proxy that sets one of them passes the other on as its client wrote it.
Test(forwarded, counts_not_at_all_where_both_kinds_are_there)
{
    struct forwarded found = read_from(
        "10.0.0.1",
        (struct forwarded_headers){.x_for = "192.0.2.1", .x_host = "evil", .forwarded = "for=192.0.2.2"});
    cr_expect_eq(found.host[0], '\0');
    expect_from("10.0.0.1", (struct forwarded_headers){.x_for = "192.0.2.1", .forwarded = "for=192.0.2.2"},
                "10.0.0.1");
}

Test(forwarded, proxies_are_addresses_and_networks)
{
    static const char *const wrong[] = {"", "proxy.example", "10.0.0.1/8", "10.0.0.0/33", "[::1]"};
    for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char *items[] = {"10.0.0.0/8", (char *)wrong[i]};
        struct proxies parsed;
        struct error error;
        cr_expect_not(proxies_parse(&(struct string_list){items, 2}, &parsed, &error), "%s", wrong[i]);
        cr_expect(strstr(error.text, "web.trusted_proxies") != NULL);
    }
}
