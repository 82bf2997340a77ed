// IPv6 (RFC 8200), and in other IP packets (RFC 4213, RFC 2473). A payload length of 0 belongs to jumbograms (RFC 2675) and to segmentation offload:
// then the frame's end counts.
#include "decode/decoders.h"
#include "decode/describe.h"
#include "decode/ip_extension.h"

enum { IPV6_BYTES = 40 };

static void cut_to_payload(struct decoding *decoding, struct packet *packet, uint16_t payload, uint8_t next)
{
    if (payload == 0 && next != IP_PROTOCOL_NO_NEXT)
        return;
    if (!decoding_limit(decoding, payload))
        decode_fail(packet, DECODE_LAYER_NETWORK, DECODE_BAD_LENGTH);
}

enum decoder_id decode_ipv6(struct decoding *decoding, struct packet *packet)
{
    struct cursor header = decoding_header(decoding, IPV6_BYTES);
    if (header.failed)
        return decode_fail(packet, DECODE_LAYER_NETWORK, DECODE_TRUNCATED);
    if (cursor_u32(&header) >> 28 != 6)
        return decode_fail(packet, DECODE_LAYER_NETWORK, DECODE_BAD_VERSION);
    uint16_t payload = cursor_u16(&header);
    uint8_t next = cursor_u8(&header);
    packet->ttl = cursor_u8(&header);
    packet->tcp.ip_id = 0;
    packet->source = address_v6(header.at);
    packet->target = address_v6(header.at + 16);
    decoding->cursor.at += IPV6_BYTES;
    cut_to_payload(decoding, packet, payload, next);
    if (!ip_extensions_skip(decoding, packet, next))
        return DECODER_NONE;
    return decode_ip_protocol(packet->ip_protocol);
}

enum decoder_id decode_ipv6_in_ip(struct decoding *decoding, struct packet *packet)
{
    (void)decoding;
    decode_tunnel(packet, TUNNEL_IPIP, 0);
    return DECODER_IPV6;
}

static void describe_first_word(struct cursor *cursor, struct fields *fields)
{
    const uint8_t *at = cursor->at;
    uint32_t word = cursor_u32(cursor);
    if (cursor->failed)
        return;
    fields_add(fields, FIELD_TOP, "Traffic class", at, 2, "0x%02x", word >> 20 & 0xff);
    fields_add(fields, FIELD_TOP, "Flow label", at + 1, 3, "0x%05x", word & 0xfffff);
}

void describe_ipv6(struct cursor layer, const struct packet *packet, struct fields *fields)
{
    (void)packet;
    describe_layer(fields, "IPv6", &layer, IPV6_BYTES);
    describe_first_word(&layer, fields);
    describe_number(fields, "Payload length", &layer, 2);
    uint8_t next = (uint8_t)describe_number_named(fields, "Next header", &layer, 1, ip_protocol_title);
    describe_number(fields, "Hop limit", &layer, 1);
    describe_ipv6_address(fields, "Source", &layer);
    describe_ipv6_address(fields, "Destination", &layer);
    if (!layer.failed)
        ip_extensions_describe(&layer, next, fields);
}
