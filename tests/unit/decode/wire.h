// Packets for the decoders' tests: from hex, or from a capture bundled with the project. The bytes lie
// at the end of a buffer, so that a read past them is seen by the address sanitizer.
#pragma once

#include <criterion/criterion.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "decode/decode.h"

enum { WIRE_BYTES = 4096, WIRE_FRAMES = 8 };
enum {
    LINK_NULL = 0,
    LINK_ETHERNET = 1,
    LINK_PPP = 9,
    LINK_RAW = 101,
    LINK_CISCO_HDLC = 104,
    LINK_FRAME_RELAY = 107,
    LINK_LOOP = 108,
    LINK_SLL = 113,
    LINK_IPV4 = 228,
    LINK_SLL2 = 276
};

// Ethernet up to the type.
#define MACS "020000000002 020000000001 "
// IPv4 10.0.0.1 > 10.0.0.2, identification 0x1234, TTL 64; the caller gives the rest.
#define IPV4_HEADER(total, place, protocol, checksum)                                                        \
    "4500" total "1234" place "40" protocol checksum "0a000001 0a000002 "
#define IPV6_HEADER(payload, next)                                                                           \
    "60000000" payload next "40 20010db8000000000000000000000001 20010db8000000000000000000000002 "
#define TCP_SYN_HEADER                     "3039 01bb 00000001 00000000 5002 ffff 0000 0000 "
#define UDP_HEADER(source, target, length) source target length "0000 "

static inline uint8_t *wire_place(size_t length)
{
    static uint8_t frames[WIRE_FRAMES][WIRE_BYTES];
    static unsigned next;
    cr_assert_leq(length, WIRE_BYTES);
    return frames[next++ % WIRE_FRAMES] + WIRE_BYTES - length;
}

// What the decoder must fill in itself is set to nonsense.
static inline struct packet wire_frame(uint16_t link_type, const uint8_t *bytes, uint32_t captured,
                                       uint32_t length)
{
    struct packet packet;
    memset(&packet, 0xa5, sizeof packet);
    packet.time_ns = packet.now_ns = 0;
    packet.number = 1;
    packet.interface = 0;
    packet.bytes = bytes;
    packet.captured = captured;
    packet.length = length;
    packet.link_type = link_type;
    return packet;
}

static inline uint8_t wire_digit(char digit)
{
    return (uint8_t)(isdigit((unsigned char)digit) ? digit - '0' : digit - 'a' + 10);
}

static inline struct packet wire_hex(uint16_t link_type, const char *hex)
{
    uint8_t bytes[WIRE_BYTES];
    uint32_t digits = 0;
    for (const char *at = hex; *at != '\0'; at++) {
        if (*at == ' ')
            continue;
        cr_assert(isxdigit((unsigned char)*at) && digits < 2 * WIRE_BYTES);
        bytes[digits / 2] =
            (uint8_t)(digits % 2 == 0 ? wire_digit(*at) << 4 : bytes[digits / 2] | wire_digit(*at));
        digits++;
    }
    cr_assert_eq(digits % 2, 0, "half a byte");
    uint8_t *place = wire_place(digits / 2);
    memcpy(place, bytes, digits / 2);
    return wire_frame(link_type, place, digits / 2, digits / 2);
}

static inline struct packet wire_decode(uint16_t link_type, const char *hex)
{
    struct packet packet = wire_hex(link_type, hex);
    decode_packet(&packet, &(struct decode_options){.tunnels = true});
    return packet;
}

// The packet with its bytes in a place that other packets leave alone; one a test.
static inline struct packet wire_keep(struct packet packet)
{
    static uint8_t kept[WIRE_BYTES];
    memcpy(kept, packet.bytes, packet.captured);
    packet.bytes = kept;
    return packet;
}

// The same packet with only its first `captured` bytes at hand; not yet decoded.
static inline struct packet wire_cut(const struct packet *whole, uint32_t captured)
{
    cr_assert_leq(captured, whole->captured);
    uint8_t *place = wire_place(captured);
    memcpy(place, whole->bytes, captured);
    return wire_frame(whole->link_type, place, captured, whole->length);
}

static inline struct packet wire_decode_cut(uint16_t link_type, const char *hex, uint32_t captured)
{
    struct packet whole = wire_hex(link_type, hex);
    struct packet packet = wire_cut(&whole, captured);
    decode_packet(&packet, &(struct decode_options){.tunnels = true});
    return packet;
}

static inline uint32_t wire_le32(FILE *file)
{
    uint8_t bytes[4];
    cr_assert_eq(fread(bytes, 1, 4, file), 4, "no such frame");
    return (uint32_t)bytes[3] << 24 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[1] << 8 | bytes[0];
}

// Frame `number` (from 1) of tests/captures/`name`, a little-endian pcap file; not yet decoded.
static inline struct packet wire_capture(const char *name, unsigned number)
{
    char path[512];
    snprintf(path, sizeof path, "%s/tests/captures/%s", NETSCOPE_SOURCE_DIR, name);
    FILE *file = fopen(path, "rb");
    cr_assert_not_null(file, "%s", path);
    fseek(file, 20, SEEK_SET);
    uint16_t link_type = (uint16_t)wire_le32(file);
    struct packet packet;
    for (unsigned i = 0; i < number; i++) {
        uint32_t seconds = wire_le32(file), microseconds = wire_le32(file);
        uint32_t captured = wire_le32(file), length = wire_le32(file);
        uint8_t *bytes = wire_place(captured);
        cr_assert_eq(fread(bytes, 1, captured, file), captured);
        packet = wire_frame(link_type, bytes, captured, length);
        packet.time_ns = packet.now_ns = seconds * INT64_C(1000000000) + microseconds * INT64_C(1000);
        packet.number = i + 1;
    }
    fclose(file);
    return packet;
}

static inline struct packet wire_decode_capture(const char *name, unsigned number)
{
    struct packet packet = wire_capture(name, number);
    decode_packet(&packet, &(struct decode_options){.tunnels = true});
    return packet;
}

static inline void expect_address(const struct address *address, const char *expected)
{
    char text[ADDRESS_TEXT_BYTES];
    cr_expect_str_eq(address_format(address, text), expected);
}

// Both addresses and ports as text.
static inline void expect_flow(const struct packet *packet, const char *source, const char *target)
{
    char text[ENDPOINT_TEXT_BYTES];
    cr_expect(packet->ports_known);
    cr_expect_str_eq(endpoint_format(&(struct endpoint){packet->source, packet->source_port}, text), source);
    cr_expect_str_eq(endpoint_format(&(struct endpoint){packet->target, packet->target_port}, text), target);
}

static inline void expect_error(const struct packet *packet, enum decode_layer layer,
                                enum decode_reason reason)
{
    cr_expect_str_eq(decode_layer_name(packet->error_layer), decode_layer_name(layer));
    cr_expect_str_eq(decode_reason_name(packet->error_reason), decode_reason_name(reason));
}

static inline void expect_fine(const struct packet *packet)
{
    expect_error(packet, DECODE_LAYER_NONE, DECODE_OK);
}
