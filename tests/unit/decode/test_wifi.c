#include "wire.h"

enum { LINK_WIFI = 105, LINK_RADIOTAP = 127 };

#define ADDRESSES  "020000000001 020000000002 020000000003 1000 "
#define LLC_IPV4   "aaaa03 000000 0800 "
#define DATAGRAM   IPV4_HEADER("001c", "0000", "11", "549b") UDP_HEADER("1000", "2000", "0008")
#define DATA_FRAME "0802 0000 " ADDRESSES LLC_IPV4 DATAGRAM

static void expect_datagram(const struct packet *packet)
{
    expect_fine(packet);
    expect_flow(packet, "10.0.0.1:4096", "10.0.0.2:8192");
    cr_expect_eq(packet->ether_type, 0x0800);
}

Test(wifi, data_frames)
{
    struct packet packet = wire_decode(LINK_WIFI, DATA_FRAME);
    expect_datagram(&packet);
    packet = wire_decode(LINK_WIFI, "8801 0000 " ADDRESSES "0000 " LLC_IPV4 DATAGRAM); // quality of service
    expect_datagram(&packet);
    packet = wire_decode(LINK_WIFI, "8881 0000 " ADDRESSES "0000 00000000 " LLC_IPV4 DATAGRAM); // HT control
    expect_datagram(&packet);
    packet =
        wire_decode(LINK_WIFI, "0803 0000 " ADDRESSES "020000000004 " LLC_IPV4 DATAGRAM); // four addresses
    expect_datagram(&packet);
}

Test(wifi, of_frames_put_together_the_first_is_read)
{
    struct packet packet = wire_decode(LINK_WIFI, "8801 0000 " ADDRESSES "8000 " MACS
                                                  "0024 " LLC_IPV4 DATAGRAM "020000000002 020000000001 0000");
    expect_datagram(&packet);
}

Test(wifi, radiotap_tells_of_checksum_and_padding)
{
    struct packet packet = wire_decode(LINK_RADIOTAP, "00000800 00000000 " DATA_FRAME);
    expect_datagram(&packet);
    packet = wire_decode(LINK_RADIOTAP, "00000900 02000000 10 " DATA_FRAME "deadbeef");
    expect_datagram(&packet);
    cr_expect_eq(packet.payload_length, 0);
    packet = wire_decode(LINK_RADIOTAP, "00001100 03000000 0011223344556677 20 8801 0000 " ADDRESSES
                                        "0000 0000 " LLC_IPV4 DATAGRAM); // padded to 28 bytes
    expect_datagram(&packet);
    packet = wire_decode(LINK_RADIOTAP,
                         "00001900 03000080 00000000 00000000 0011223344556677 20 8801 0000 " ADDRESSES
                         "0000 0000 " LLC_IPV4 DATAGRAM);
    expect_datagram(&packet);
}

Test(wifi, what_has_nothing_to_read)
{
    struct packet packet = wire_decode(LINK_WIFI, "8000 0000 " ADDRESSES); // a beacon
    expect_error(&packet, DECODE_LAYER_LINK, DECODE_UNSUPPORTED_TYPE);
    packet = wire_decode(LINK_WIFI, "4801 0000 " ADDRESSES); // no data
    expect_error(&packet, DECODE_LAYER_LINK, DECODE_UNSUPPORTED_TYPE);
    packet = wire_decode(LINK_WIFI, "0842 0000 " ADDRESSES "0011223344556677");
    expect_error(&packet, DECODE_LAYER_LINK, DECODE_ENCRYPTED);
}

Test(wifi, broken_headers)
{
    struct packet packet = wire_decode(LINK_RADIOTAP, "01000800 00000000 " DATA_FRAME);
    expect_error(&packet, DECODE_LAYER_LINK, DECODE_BAD_VERSION);
    packet = wire_decode(LINK_RADIOTAP, "00000700 00000000 " DATA_FRAME);
    expect_error(&packet, DECODE_LAYER_LINK, DECODE_BAD_LENGTH);
    packet = wire_decode(LINK_RADIOTAP, "0000ff00 00000000 " DATA_FRAME);
    expect_error(&packet, DECODE_LAYER_LINK, DECODE_TRUNCATED);
    packet = wire_decode(LINK_WIFI, "0b02 0000 " ADDRESSES);
    expect_error(&packet, DECODE_LAYER_LINK, DECODE_BAD_VERSION);
}

Test(wifi, any_cut_is_told)
{
    struct packet whole = wire_keep(wire_hex(LINK_RADIOTAP, "00000900 02000000 10 " DATA_FRAME "deadbeef"));
    for (uint32_t captured = 0; captured < whole.captured - 4; captured++) {
        struct packet packet = wire_cut(&whole, captured);
        decode_packet(&packet, &(struct decode_options){.tunnels = true});
        cr_expect_eq(packet.error_reason, DECODE_TRUNCATED, "%u bytes", captured);
    }
}
