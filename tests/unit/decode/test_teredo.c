#include "wire.h"

#define INNER IPV6_HEADER("0008", "11") UDP_HEADER("1000", "2000", "0008")
#define OUTER "4500 0000 0001 0000 40 11 0000 c0000201 c6336401 "

Test(teredo, indications_in_front)
{
    static const char *const frames[] = {
        OUTER UDP_HEADER("ffff", "0dd8", "0000") INNER,
        OUTER UDP_HEADER("0dd8", "ffff", "0000") "0000 efff 3f57fefd" INNER,
        OUTER UDP_HEADER("ffff", "0dd8", "0000") "0001 00 00 0102030405060708 00 0000 efff 3f57fefd" INNER,
    };
    for (unsigned i = 0; i < sizeof frames / sizeof frames[0]; i++) {
        struct packet packet = wire_decode(LINK_RAW, frames[i]);
        expect_fine(&packet);
        expect_flow(&packet, "[2001:db8::1]:4096", "[2001:db8::2]:8192");
        cr_expect_eq(packet.tunnel.kind, TUNNEL_TEREDO);
    }
}

Test(teredo, the_length_must_fit)
{
    struct packet packet = wire_decode(LINK_RAW, OUTER UDP_HEADER("ffff", "0dd8", "0000") INNER "00");
    expect_fine(&packet);
    expect_flow(&packet, "192.0.2.1:65535", "198.51.100.1:3544");
    packet = wire_decode(LINK_RAW, OUTER UDP_HEADER("ffff", "0dd8", "0000") "0001ffff00");
    cr_expect_eq(packet.tunnel.kind, TUNNEL_NONE);
}
