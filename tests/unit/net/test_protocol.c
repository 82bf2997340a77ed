#include "net/protocol.h"

#include <criterion/criterion.h>

Test(protocol, names_the_usual_ones)
{
    cr_expect_str_eq(ip_protocol_name(6), "tcp");
    cr_expect_str_eq(ip_protocol_name(17), "udp");
    cr_expect_str_eq(ip_protocol_name(58), "icmpv6");
    cr_expect_str_eq(ip_protocol_name(132), "sctp");
    cr_expect_null(ip_protocol_name(253));
}

Test(protocol, always_has_a_text)
{
    char text[16];
    cr_expect_str_eq(ip_protocol_text(1, text), "icmp");
    cr_expect_str_eq(ip_protocol_text(253, text), "ip-proto-253");
    for (unsigned number = 0; number < 256; number++)
        cr_expect_gt(strlen(ip_protocol_text((uint8_t)number, text)), 0);
}

Test(protocol, ports_and_icmp)
{
    for (unsigned number = 0; number < 256; number++) {
        bool ports = number == 6 || number == 17 || number == 132;
        cr_expect_eq(ip_protocol_has_ports((uint8_t)number), ports, "%u", number);
        cr_expect_eq(ip_protocol_is_icmp((uint8_t)number), number == 1 || number == 58, "%u", number);
    }
}
