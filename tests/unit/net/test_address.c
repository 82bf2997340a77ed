#include "net/address.h"

#include <criterion/criterion.h>

#include "base/strbuf.h"

static struct address parsed(const char *text)
{
    struct address address;
    cr_assert(address_parse(text, &address), "%s", text);
    return address;
}

static void expect_text(const char *text, const char *expected)
{
    struct address address = parsed(text);
    char written[ADDRESS_TEXT_BYTES];
    cr_expect_str_eq(address_format(&address, written), expected);
}

Test(address, writes_ipv4)
{
    expect_text("10.0.0.1", "10.0.0.1");
    expect_text("255.255.255.255", "255.255.255.255");
    expect_text("0.0.0.0", "0.0.0.0");
}

// RFC 5952, sections 4 and 5.
Test(address, writes_ipv6_canonically)
{
    expect_text("2001:0db8:0000:0000:0000:0000:0002:0001", "2001:db8::2:1");
    expect_text("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1");
    expect_text("2001:0:0:1:0:0:0:1", "2001:0:0:1::1");
    expect_text("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1");
    expect_text("2001:DB8::AbCd", "2001:db8::abcd");
    expect_text("::", "::");
    expect_text("::1", "::1");
    expect_text("fe80::", "fe80::");
    expect_text("::ffff:192.0.2.1", "::ffff:192.0.2.1");
    expect_text("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
}

Test(address, refuses_what_is_no_address)
{
    static const char *const wrong[] = {"",     "10.0.0",  "10.0.0.256", "10.0.0.1 ",
                                        "host", "1::2::3", "12345::"};
    struct address address;
    for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        cr_expect_not(address_parse(wrong[i], &address), "%s", wrong[i]);
}

Test(address, none_is_a_dash)
{
    struct address none = {.version = 0};
    char text[ADDRESS_TEXT_BYTES];
    cr_expect_str_eq(address_format(&none, text), "-");
}

Test(address, orders_by_version_then_bytes)
{
    struct address low = parsed("9.255.255.255"), high = parsed("10.0.0.0"), six = parsed("::1");
    cr_expect_lt(address_compare(&low, &high), 0);
    cr_expect_gt(address_compare(&six, &high), 0);
    cr_expect_eq(address_compare(&low, &low), 0);
}

Test(address, knows_multicast_and_broadcast)
{
    struct address group = parsed("224.0.0.251"), all = parsed("255.255.255.255"), six = parsed("ff02::fb"),
                   host = parsed("223.255.255.255"), experimental = parsed("240.0.0.1");
    cr_expect(address_is_multicast(&group));
    cr_expect(address_is_multicast(&six));
    cr_expect_not(address_is_multicast(&host));
    cr_expect_not(address_is_multicast(&experimental));
    cr_expect(address_is_broadcast(&all));
    cr_expect_not(address_is_broadcast(&group));
}

Test(address, writes_endpoints)
{
    char text[ENDPOINT_TEXT_BYTES];
    struct endpoint four = {parsed("10.0.0.1"), 443};
    struct endpoint six = {parsed("2001:db8::1"), 65535};
    cr_expect_str_eq(endpoint_format(&four, text), "10.0.0.1:443");
    cr_expect_str_eq(endpoint_format(&six, text), "[2001:db8::1]:65535");
}

Test(address, appends_to_a_buffer)
{
    struct strbuf text;
    struct address address = parsed("192.0.2.33");
    strbuf_init(&text, 100);
    strbuf_add(&text, "from ");
    address_add(&text, &address);
    cr_expect_str_eq(text.text, "from 192.0.2.33");
    strbuf_done(&text);
}

static bool contains(const char *prefix_text, const char *address_text)
{
    struct prefix prefix;
    struct address address = parsed(address_text);
    cr_assert(prefix_parse(prefix_text, &prefix), "%s", prefix_text);
    return prefix_contains(&prefix, &address);
}

Test(prefix, contains_its_addresses)
{
    cr_expect(contains("10.0.0.0/8", "10.255.0.1"));
    cr_expect_not(contains("10.0.0.0/8", "11.0.0.1"));
    cr_expect(contains("100.64.0.0/10", "100.127.255.255"));
    cr_expect_not(contains("100.64.0.0/10", "100.128.0.0"));
    cr_expect(contains("fc00::/7", "fdff::1"));
    cr_expect_not(contains("fc00::/7", "fe00::1"));
    cr_expect(contains("0.0.0.0/0", "203.0.113.9"));
    cr_expect_not(contains("0.0.0.0/0", "::1"));
    cr_expect(contains("192.0.2.1", "192.0.2.1"));
    cr_expect_not(contains("192.0.2.1/32", "192.0.2.2"));
}

Test(prefix, refuses_host_bits_and_nonsense)
{
    static const char *const wrong[] = {"10.0.0.1/8",
                                        "10.0.0.0/33",
                                        "10.0.0.0/",
                                        "10.0.0.0/-1",
                                        "10.0.0.0/8x",
                                        "/8",
                                        "fc00::/129",
                                        "2001:db8::1/64",
                                        "10.0.0.0/0008",
                                        "10.0.0.0/8/8",
                                        "2001:db8:1111:2222:3333:4444:5555:6666:7777:8888/1"};
    struct prefix prefix;
    for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        cr_expect_not(prefix_parse(wrong[i], &prefix), "%s", wrong[i]);
}

Test(address, ipv4_in_ipv6_is_ipv4)
{
    struct address mapped, six, four;
    cr_assert(address_parse("::ffff:10.0.0.1", &mapped) && address_parse("::fffe:10.0.0.1", &six) &&
              address_parse("10.0.0.1", &four));
    struct address plain = address_plain(&mapped);
    cr_expect_eq(address_compare(&plain, &four), 0);
    plain = address_plain(&six);
    cr_expect_eq(address_compare(&plain, &six), 0);
    plain = address_plain(&four);
    cr_expect_eq(address_compare(&plain, &four), 0);
}
