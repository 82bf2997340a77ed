#include "flow/dns_transaction.h"

#include <criterion/criterion.h>
#include <stdlib.h>

Test(dns_transaction, a_list_grows_and_keeps_what_counts)
{
    enum { ANSWERS = 1000 };
    struct dns_list list = {0};
    for (unsigned i = 0; i < ANSWERS; i++) {
        struct dns_transaction *place = dns_list_place(&list);
        cr_assert_not_null(place);
        place->number = i;
        cr_expect(dns_list_place(&list) == place, "it does not count yet");
        list.count++;
    }
    cr_expect_lt(list.room, 2 * ANSWERS + 64);
    for (unsigned i = 0; i < ANSWERS; i++)
        cr_expect_eq(list.items[i].number, i);
    free(list.items);
}
