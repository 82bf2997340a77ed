#include "capture/live/interfaces.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/strbuf.h"
#include "capture/live/link_watch.h"

Test(interfaces, the_table_has_the_loopback_with_its_address)
{
    struct strbuf table;
    strbuf_init(&table, 1 << 20);
    struct error error;
    cr_assert(interfaces_list(&table, &error));
    cr_assert_eq(strncmp(table.text, "INTERFACE", 9), 0);
    const char *line = strstr(table.text, "\nlo ");
    cr_assert_not_null(line, "%s", table.text);
    strbuf_done(&table);
}

Test(interfaces, links_are_read_without_privilege)
{
    struct error error;
    struct link_watch *watch = link_watch_open(&error);
    cr_assert_not_null(watch, "%s", error.text);
    const struct link *lo = link_by_name(watch, "lo");
    cr_assert_not_null(lo);
    cr_assert(lo->loopback);
    cr_assert_eq(link_by_index(watch, lo->index), lo);
    cr_assert_null(link_by_name(watch, "no-such-link"));
    link_watch_read(watch);
    cr_assert_not_null(link_by_name(watch, "lo"));
    link_watch_close(watch);
}
