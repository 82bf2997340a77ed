#include "http/hosts.h"

#include <criterion/criterion.h>

#include "config/settings.h"

static char *allowed[] = {"sensor.example", "Other.Example:8443", "[2001:db8::5]", "https://page.example:9"};
static const struct string_list names = {allowed, 4}, none = {0};

static bool is_ours(const char *host, const char *here)
{
    struct address address = {0};
    cr_assert(here == NULL || address_parse(here, &address));
    return host_is_ours(host, &address, &names);
}

Test(hosts, are_the_address_localhost_and_the_names_that_are_allowed)
{
    cr_expect(is_ours("127.0.0.1", "127.0.0.1") && is_ours("127.0.0.1:8080", "127.0.0.1"));
    cr_expect(is_ours("[::1]:8080", "::1") && is_ours("[2001:db8:0::1]", "2001:db8::1"));
    cr_expect(is_ours("10.0.0.1", "::ffff:10.0.0.1"));
    cr_expect(is_ours("localhost", NULL) && is_ours("LocalHost:80", NULL));
    cr_expect(is_ours("sensor.example", NULL) && is_ours("SENSOR.example.:1", NULL) &&
              is_ours("other.example", NULL));
    cr_expect(is_ours("[2001:db8::5]:443", NULL) && is_ours("page.example", NULL));
}

Test(hosts, are_nothing_else)
{
    static const char *const wrong[] = {"",
                                        "127.0.0.2",
                                        "10.0.0.1",
                                        "evil.example",
                                        "localhost.evil",
                                        "sensor.example.evil",
                                        "xsensor.example",
                                        "127.0.0.1:80@evil",
                                        "[127.0.0.1",
                                        "[]",
                                        ":80",
                                        "localhost:x",
                                        "127.1",
                                        "0x7f000001",
                                        "[::1%lo]",
                                        "127.0.0.1 "};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        cr_expect_not(is_ours(wrong[i], "127.0.0.1"), "%s", wrong[i]);
    cr_expect_not(is_ours("127.0.0.1", NULL), "nobody comes to a unix socket by an address");
    char longest[400];
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    cr_expect_not(is_ours(longest, "127.0.0.1"));
}

Test(hosts, an_origin_is_the_page_of_this_host_or_of_a_name_that_is_allowed)
{
    cr_expect(origin_is_ours("http://10.0.0.1:8080", "10.0.0.1:8080", false, &none));
    cr_expect(origin_is_ours("https://Localhost", "localhost", true, &none));
    cr_expect_not(origin_is_ours("http://10.0.0.1:8080", "10.0.0.1:8080", true, &none),
                  "who is between may have made it");
    cr_expect_not(origin_is_ours("https://10.0.0.1:8080", "10.0.0.1:8080", false, &none));
    cr_expect(origin_is_ours("https://sensor.example", "Sensor.example", false, &names), "a proxy ended TLS");
    cr_expect_not(origin_is_ours("http://sensor.example", "sensor.example", true, &names));
    cr_expect_not(origin_is_ours("https://sensor.example:9", "sensor.example", false, &names),
                  "another service there");
    cr_expect_not(origin_is_ours("https://sensor.example:9", "10.0.0.1:8080", false, &names));
    cr_expect(origin_is_ours("HTTPS://page.example:9", "10.0.0.1:8080", false, &names), "as a whole origin");
    cr_expect_not(origin_is_ours("http://page.example:9", "10.0.0.1:8080", false, &names));
    cr_expect_not(origin_is_ours("http://10.0.0.1:8081", "10.0.0.1:8080", false, &none));
    cr_expect_not(origin_is_ours("null", "10.0.0.1", false, &names));
    cr_expect_not(origin_is_ours("", "10.0.0.1", false, &names));
    cr_expect_not(origin_is_ours("ftp://sensor.example", "10.0.0.1", false, &names));
    cr_expect_not(origin_is_ours("http://evil/?http://sensor.example", "10.0.0.1", false, &names));
    cr_expect_not(origin_is_ours("http://sensor.example@evil", "10.0.0.1", false, &names));
}
