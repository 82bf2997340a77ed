#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/connection.h"
#include "ctl/source.h"
#include "words.h"

Test(connection, addresses_are_completed)
{
    static const struct {
        const char *written, *complete;
    } good[] = {
        {"10.0.0.1", "10.0.0.1:9871"},
        {"10.0.0.1:1", "10.0.0.1:1"},
        {"::1", "[::1]:9871"},
        {"[::1]", "[::1]:9871"},
        {"[::1]:5", "[::1]:5"},
        {"sensor.example", "sensor.example:9871"},
        {"unix:/run/x", "unix:///run/x"},
        {"unix:///run/x", "unix:///run/x"},
        {"unix:x", "unix:x"},
        {"dns:///a.example", "dns:///a.example:9871"},
        {"dns:///a:1", "dns:///a:1"},
    };
    static const char *const bad[] = {"",    ":1",    "a:",       "a:0",     "a:65536",
                                      "a:b", "unix:", "http://a", "dns:///", "a b"};
    struct error error;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        char *address = address_complete(good[i].written, &error);
        cr_assert_not_null(address, "%s", good[i].written);
        cr_expect_str_eq(address, good[i].complete);
        free(address);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_expect_null(address_complete(bad[i], &error), "%s", bad[i]);
}

Test(connection, what_stays_on_this_host)
{
    cr_expect(address_is_local("127.0.0.53:1"));
    cr_expect(address_is_local("[::1]:1"));
    cr_expect(address_is_local("unix:///x"));
    cr_expect(address_is_local("localhost:9871"));
    cr_expect_not(address_is_local("localhost.example:1"));
    cr_expect_not(address_is_local("10.0.0.1:1"));
    cr_expect_not(address_is_local("1270.example:1"));
}

Test(connection, options_go_before_the_environment)
{
    struct connection connection;
    struct error error;
    setenv("NETSCOPE_SERVER", "a, b:1", 1);
    setenv("NETSCOPE_TOKEN", "secret", 1);
    setenv("NETSCOPE_TLS_CA", "/ca.pem", 1);
    cr_assert(connection_read(&connection, taken(LINE("status")), &error), "%s", error.text);
    cr_assert_eq(connection.count, 2);
    cr_expect_str_eq(connection.addresses[1], "b:1");
    cr_expect_str_eq(connection.token, "secret");
    cr_expect(connection.uses_tls);
    connection_done(&connection);
    cr_assert(connection_read(&connection,
                              taken(LINE("status", "-s", "c", "--tls-ca", "/x", "--timeout", "2s")), &error));
    cr_assert_eq(connection.count, 1);
    cr_expect_str_eq(connection.addresses[0], "c:9871");
    cr_expect_str_eq(connection.tls.ca_file, "/x");
    cr_expect_eq(connection.timeout_ns, 2000000000);
    connection_done(&connection);
}

Test(connection, pods_have_addresses)
{
    char namespace[256], name[256];
    cr_assert(place_is_pod("pod:watching/netscope-x", namespace, name));
    cr_expect_str_eq(namespace, "watching");
    cr_expect_str_eq(name, "netscope-x");
    cr_expect_not(place_is_pod("10.0.0.1:9871", namespace, name));
}
