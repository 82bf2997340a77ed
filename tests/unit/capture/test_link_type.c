#include "capture/link_type.h"

#include <criterion/criterion.h>
#include <pcap/dlt.h>

Test(link_type, raw_ip_differs_and_most_do_not)
{
    cr_assert_eq(link_type_to_dlt(101), DLT_RAW);
    cr_assert_eq(link_type_of_dlt(DLT_RAW), 101);
    cr_assert_eq(link_type_to_dlt(1), DLT_EN10MB);
    for (uint16_t type = 0; type < 300; type++)
        if (type != 11 && type != 12 && type != 15 && type != 16 && type != 18 && type != 19)
            cr_assert_eq(link_type_of_dlt(link_type_to_dlt(type)), type, "%u", type);
}
