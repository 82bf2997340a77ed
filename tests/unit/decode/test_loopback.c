#include "wire.h"

#define FOUR IPV4_HEADER("001c", "0000", "11", "549b") UDP_HEADER("1000", "2000", "0008")
#define SIX  IPV6_HEADER("0008", "11") UDP_HEADER("1000", "2000", "0008")

Test(loopback, families_in_both_byte_orders)
{
    static const char *const frames[] = {"02000000" FOUR, "00000002" FOUR};
    for (unsigned i = 0; i < 2; i++) {
        struct packet packet = wire_decode(i == 0 ? LINK_NULL : LINK_LOOP, frames[i]);
        expect_flow(&packet, "10.0.0.1:4096", "10.0.0.2:8192");
        packet = wire_decode(LINK_NULL, frames[i]);
        expect_flow(&packet, "10.0.0.1:4096", "10.0.0.2:8192");
    }
}

Test(loopback, every_systems_ipv6)
{
    static const char *const frames[] = {"0a000000" SIX, "17000000" SIX, "18000000" SIX, "0000001c" SIX,
                                         "1e000000" SIX};
    for (unsigned i = 0; i < sizeof frames / sizeof frames[0]; i++) {
        struct packet packet = wire_decode(LINK_NULL, frames[i]);
        expect_flow(&packet, "[2001:db8::1]:4096", "[2001:db8::2]:8192");
    }
}

Test(loopback, other_families_and_cuts)
{
    struct packet packet = wire_decode(LINK_NULL, "07000000" FOUR);
    expect_error(&packet, DECODE_LAYER_LINK, DECODE_UNSUPPORTED_TYPE);
    packet = wire_decode(LINK_NULL, "0200");
    expect_error(&packet, DECODE_LAYER_LINK, DECODE_TRUNCATED);
}

Test(raw_ip, goes_by_the_version)
{
    struct packet packet = wire_decode(LINK_RAW, SIX);
    cr_expect_eq(packet.source.version, 6);
    packet = wire_decode(LINK_RAW, "75000000");
    expect_error(&packet, DECODE_LAYER_LINK, DECODE_BAD_VERSION);
    packet = wire_decode(LINK_RAW, "");
    expect_error(&packet, DECODE_LAYER_LINK, DECODE_TRUNCATED);
}

#define TYPED_DATAGRAM IPV4_HEADER("001c", "0000", "11", "549b") UDP_HEADER("1000", "2000", "0008")

Test(null, ether_type_in_place_of_the_family)
{
    static const char *const frames[] = {"00080000 " TYPED_DATAGRAM, "00000800 " TYPED_DATAGRAM,
                                         "ff030021 " TYPED_DATAGRAM};
    for (unsigned i = 0; i < sizeof frames / sizeof frames[0]; i++) {
        struct packet packet = wire_decode(LINK_NULL, frames[i]);
        expect_fine(&packet);
        expect_flow(&packet, "10.0.0.1:4096", "10.0.0.2:8192");
    }
    struct packet packet = wire_decode(LINK_NULL, "34120000 00");
    expect_error(&packet, DECODE_LAYER_LINK, DECODE_UNSUPPORTED_TYPE);
}
