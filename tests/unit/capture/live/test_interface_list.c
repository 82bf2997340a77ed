#include "capture/live/interface_list.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct interface_list list;

static uint16_t add(const char *name, uint16_t link_type)
{
    struct source_interface wanted = {.link_type = link_type};
    snprintf(wanted.name, sizeof wanted.name, "%s", name);
    uint16_t index;
    cr_assert(interface_list_add(&list, &wanted, &index));
    return index;
}

Test(interface_list, equal_interfaces_share_a_row)
{
    cr_assert_eq(add("eth0", 1), 0);
    cr_assert_eq(add("eth1", 1), 1);
    cr_assert_eq(add("eth0", 113), 2);
    cr_assert_eq(add("eth0", 1), 0);
    cr_assert_eq(interface_list_count(&list), 3);
    interface_list_done(&list);
}

Test(interface_list, a_full_list_shares_its_last_row)
{
    char name[16];
    for (unsigned i = 0; i < SOURCE_INTERFACES_MAX + 10; i++) {
        snprintf(name, sizeof name, "if%u", i);
        unsigned expected = i < SOURCE_INTERFACES_MAX ? i : SOURCE_INTERFACES_MAX - 1;
        cr_assert_eq(add(name, 1), expected);
    }
    cr_assert_eq(interface_list_count(&list), SOURCE_INTERFACES_MAX);
    interface_list_done(&list);
}
