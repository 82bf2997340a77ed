#include "wire.h"

#define BEFORE IPV4_HEADER("0000", "0000", "84", "5444")

Test(sctp, ports)
{
    struct packet packet = wire_decode(LINK_RAW, BEFORE "0007 0009 43232544 3adefb02 00070010");
    expect_fine(&packet);
    expect_flow(&packet, "10.0.0.1:7", "10.0.0.2:9");
    cr_expect(packet.has_transport);
    cr_expect_eq(packet.payload_length, 4);
}

Test(sctp, cut)
{
    struct packet packet = wire_decode(LINK_RAW, BEFORE "0007 0009 43");
    expect_error(&packet, DECODE_LAYER_TRANSPORT, DECODE_TRUNCATED);
    cr_expect(packet.ports_known);
    cr_expect_not(packet.has_transport);
}
