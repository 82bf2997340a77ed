#include "hellos.h"

static struct packet carried(const uint8_t *bytes, size_t length)
{
    struct packet packet;
    memset(&packet, 0, sizeof packet);
    packet.bytes = bytes;
    packet.captured = packet.length = packet.payload_captured = packet.payload_length = (uint32_t)length;
    packet.ip_protocol = IP_PROTOCOL_TCP;
    packet.has_transport = true;
    return packet;
}

static void add_record(struct message *segment, const uint8_t *bytes, size_t length)
{
    add(segment, "16 0301 0000");
    set_length(segment, segment->length - 2, 2, length);
    memcpy(segment->bytes + segment->length, bytes, length);
    segment->length += length;
}

Test(tls_records, joins_the_records_of_a_segment)
{
    struct message message = hello("0303", "1301 1302", SERVER_NAME ALPN_H2 VERSIONS);
    struct message whole = {.length = 0}, split = {.length = 0};
    add_record(&whole, message.bytes, message.length);
    for (size_t at = 0; at < message.length; at += 7)
        add_record(&split, message.bytes + at, message.length - at < 7 ? message.length - at : 7);
    struct packet packets[2] = {carried(whole.bytes, whole.length), carried(split.bytes, split.length)};
    struct tls_hello out[2];
    cr_assert(tls_hello_of_packet(&packets[0], &out[0]) && tls_hello_of_packet(&packets[1], &out[1]));
    cr_expect(out[1].complete);
    cr_expect_str_eq(ja4(&out[1]), ja4(&out[0]));
    cr_expect_str_eq(out[1].sni, "example.com");
}

Test(tls_records, needs_a_tcp_segment_that_begins_with_a_record)
{
    struct message message = hello("0303", "1301", ""), segment = {.length = 0};
    struct tls_hello out;
    add_record(&segment, message.bytes, message.length);
    struct packet packet = carried(segment.bytes, segment.length);
    cr_expect(tls_hello_of_packet(&packet, &out));
    packet.ip_protocol = IP_PROTOCOL_UDP;
    cr_expect_not(tls_hello_of_packet(&packet, &out));
    packet = carried(segment.bytes + 1, segment.length - 1);
    cr_expect_not(tls_hello_of_packet(&packet, &out));
    packet = carried(segment.bytes, 5);
    cr_expect_not(tls_hello_of_packet(&packet, &out));
    packet = carried(segment.bytes, segment.length);
    packet.has_transport = false;
    cr_expect_not(tls_hello_of_packet(&packet, &out));
}

// The whole segment has to be one, to the last byte.
Test(tls_records, sees_an_sslv2_hello)
{
    struct packet bytes = wire_hex(LINK_RAW, "802e 01 0301 0015 0000 0010"
                                             "000005 000004 00000a 000009 000064 000062 000003"
                                             "000102030405060708090a0b0c0d0e0f");
    struct packet packet = carried(bytes.bytes, bytes.captured);
    struct tls_hello out;
    cr_assert(tls_hello_of_packet(&packet, &out));
    cr_expect_eq(out.sni_status, SNI_ABSENT);
    cr_expect_eq(out.version, 0x0301);
    cr_expect_str_empty(out.offer);
    packet = carried(bytes.bytes, bytes.captured - 1);
    cr_expect_not(tls_hello_of_packet(&packet, &out));
}

Test(tls_records, says_whether_more_of_a_hello_is_needed)
{
    struct message message = hello("0303", "1301 1302", SERVER_NAME ALPN_H2 VERSIONS),
                   segment = {.length = 0};
    add_record(&segment, message.bytes, message.length / 2);
    add_record(&segment, message.bytes + message.length / 2, message.length - message.length / 2);
    for (size_t length = 1; length < segment.length; length++)
        cr_expect_eq(tls_hello_extent(segment.bytes, length), TLS_EXTENT_PART, "%zu", length);
    cr_expect_eq(tls_hello_extent(segment.bytes, segment.length), TLS_EXTENT_WHOLE);
    segment.bytes[5 + message.length / 2] = 23; // application data where the second record was
    cr_expect_eq(tls_hello_extent(segment.bytes, segment.length), TLS_EXTENT_WHOLE, "more would not help");
    segment.bytes[0] = 23;
    cr_expect_eq(tls_hello_extent(segment.bytes, segment.length), TLS_EXTENT_NONE);
}
