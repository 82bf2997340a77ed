#include <criterion/criterion.h>

#include "aggregate/naming.h"

static bool is_local(const struct naming *naming, const char *text)
{
    struct address address;
    cr_assert(address_parse(text, &address));
    return naming_is_local(naming, &address);
}

Test(naming, tells_local_addresses_by_any_network)
{
    char *items[] = {"172.16.0.0/12", "8.0.0.0/5", "fd00::/8", "2001:db8:0:ff80::/57", "192.0.2.1"};
    const struct names_settings settings = {.file = "", .local = {.items = items, .count = 5}};
    struct error error;
    struct naming *naming = naming_load(&settings, &error);
    cr_assert_not_null(naming);
    cr_expect(is_local(naming, "172.31.255.255"));
    cr_expect_not(is_local(naming, "172.32.0.0"));
    cr_expect(is_local(naming, "8.0.0.0") && is_local(naming, "15.255.255.255"));
    cr_expect_not(is_local(naming, "7.255.255.255") || is_local(naming, "16.0.0.0"));
    cr_expect(is_local(naming, "fdff::1"));
    cr_expect_not(is_local(naming, "fe00::") || is_local(naming, "253.0.0.1"));
    cr_expect(is_local(naming, "2001:db8:0:ffff::1"));
    cr_expect_not(is_local(naming, "2001:db8:0:ff7f::1"));
    cr_expect(is_local(naming, "192.0.2.1"));
    cr_expect_not(is_local(naming, "192.0.2.0"));
    naming_destroy(naming);
}

Test(naming, every_address_may_be_local)
{
    char *items[] = {"0.0.0.0/0"};
    const struct names_settings settings = {.file = "", .local = {.items = items, .count = 1}};
    struct error error;
    struct naming *naming = naming_load(&settings, &error);
    cr_assert_not_null(naming);
    cr_expect(is_local(naming, "0.0.0.0") && is_local(naming, "255.255.255.255"));
    cr_expect_not(is_local(naming, "ffff::"));
    naming_destroy(naming);
}
