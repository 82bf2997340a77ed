// IPv4 (RFC 791), and in other IP packets (RFC 2003, RFC 2473).
#include "decode/decoders.h"
#include "decode/describe.h"
#include "decode/ip_extension.h"

enum { IPV4_BYTES = 20, OFFSET_MASK = 0x1fff, MORE_FRAGMENTS = 0x2000, DONT_FRAGMENT = 0x4000 };

// Adds the next eight bytes to a one's complement sum; which byte order does not matter.
static uint64_t add_eight(uint64_t sum, const uint8_t *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    sum += word;
    return sum + (sum < word);
}

// A header with a right checksum adds up to 0xffff; it has twenty bytes at least.
static bool checksum_holds(const uint8_t *header, unsigned header_bytes)
{
    uint64_t sum = add_eight(add_eight(0, header), header + 8);
    for (unsigned i = 16; i < header_bytes; i += 4) {
        uint32_t word;
        memcpy(&word, header + i, sizeof word);
        sum += word;
        sum += sum < word;
    }
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return sum == 0xffff;
}

// In place, into zeros: a copy of the whole struct would wait for the stores that made it.
static void fill_address(struct address *address, const uint8_t bytes[4])
{
    memcpy(address->bytes, bytes, 4);
    address->version = 4;
}

static void read_fragment(struct packet *packet, uint16_t id, uint16_t place)
{
    if ((place & (OFFSET_MASK | MORE_FRAGMENTS)) == 0)
        return;
    packet->fragment = place & OFFSET_MASK ? FRAGMENT_LATER : FRAGMENT_FIRST;
    packet->fragment_id = id;
    packet->fragment_place = place & OFFSET_MASK;
    packet->fragment_more = (place & MORE_FRAGMENTS) != 0;
    packet->fragment_protocol = packet->ip_protocol;
}

// Total length 0 is what segmentation offload leaves: then the frame's end counts.
static bool cut_to_total(struct decoding *decoding, struct packet *packet, uint32_t header_bytes,
                         uint16_t total)
{
    if (total != 0 && total < header_bytes)
        return false;
    if (total != 0 && !decoding_limit(decoding, total))
        decode_fail(packet, DECODE_LAYER_NETWORK, DECODE_BAD_LENGTH);
    return true;
}

static enum decoder_id after_header(struct decoding *decoding, struct packet *packet, unsigned header_bytes)
{
    const uint8_t *header = decoding->cursor.at;
    if (!decoding_skip(decoding, header_bytes))
        return decode_fail(packet, DECODE_LAYER_NETWORK, DECODE_TRUNCATED);
    if (!checksum_holds(header, header_bytes))
        packet->notes |= PACKET_NOTE_IPV4_CHECKSUM;
    if (packet->fragment != FRAGMENT_NONE)
        packet->fragment_at = decoding_offset(decoding, packet);
    if (packet->fragment == FRAGMENT_LATER)
        return DECODER_NONE;
    if (packet->ip_protocol == IP_PROTOCOL_AH && !ip_extensions_skip(decoding, packet, packet->ip_protocol))
        return DECODER_NONE;
    return decode_ip_protocol(packet->ip_protocol);
}

enum decoder_id decode_ipv4(struct decoding *decoding, struct packet *packet)
{
    struct cursor header = decoding_header(decoding, IPV4_BYTES);
    if (header.failed)
        return decode_fail(packet, DECODE_LAYER_NETWORK, DECODE_TRUNCATED);
    uint8_t version_and_words = cursor_u8(&header);
    uint32_t header_bytes = (version_and_words & 0xfU) * 4;
    if (version_and_words >> 4 != 4)
        return decode_fail(packet, DECODE_LAYER_NETWORK, DECODE_BAD_VERSION);
    cursor_skip(&header, 1);
    uint16_t total = cursor_u16(&header);
    uint16_t id = cursor_u16(&header);
    uint16_t place = cursor_u16(&header);
    uint8_t ttl = cursor_u8(&header);
    uint8_t protocol = cursor_u8(&header);
    cursor_skip(&header, 2);
    if (header_bytes < IPV4_BYTES || !cut_to_total(decoding, packet, header_bytes, total))
        return decode_fail(packet, DECODE_LAYER_NETWORK, DECODE_BAD_LENGTH);
    packet->ttl = ttl;
    packet->ip_protocol = protocol;
    fill_address(&packet->source, header.at);
    fill_address(&packet->target, header.at + 4);
    packet->tcp.ip_id = id;
    read_fragment(packet, id, place);
    return after_header(decoding, packet, header_bytes);
}

enum decoder_id decode_ipv4_in_ip(struct decoding *decoding, struct packet *packet)
{
    (void)decoding;
    decode_tunnel(packet, TUNNEL_IPIP, 0);
    return DECODER_IPV4;
}

static void describe_place(struct cursor *cursor, struct fields *fields)
{
    const uint8_t *at = cursor->at;
    uint16_t place = cursor_u16(cursor);
    if (cursor->failed)
        return;
    fields_add(fields, FIELD_TOP, "Flags", at, 2, "0x%x%s%s", (unsigned)place >> 13,
               place & DONT_FRAGMENT ? ", don't fragment" : "",
               place & MORE_FRAGMENTS ? ", more fragments" : "");
    fields_add(fields, FIELD_TOP, "Fragment offset", at, 2, "%u", (place & (unsigned)OFFSET_MASK) * 8);
}

static void describe_checksum(struct cursor *cursor, const uint8_t *header, unsigned header_bytes,
                              struct fields *fields)
{
    const uint8_t *at = cursor->at;
    uint16_t checksum = cursor_u16(cursor);
    bool whole = !cursor->failed && header_bytes <= (size_t)(cursor->end - header);
    if (whole && header_bytes >= IPV4_BYTES)
        fields_add(fields, FIELD_TOP, "Header checksum", at, 2, "0x%04x (%s)", checksum,
                   checksum_holds(header, header_bytes) ? "right" : "wrong");
}

void describe_ipv4(struct cursor layer, const struct packet *packet, struct fields *fields)
{
    (void)packet;
    const uint8_t *header = layer.at;
    unsigned header_bytes = (cursor_peek(&layer) & 0xfU) * 4;
    describe_layer(fields, "IPv4", &layer, header_bytes);
    cursor_skip(&layer, 1);
    if (!layer.failed)
        fields_add(fields, FIELD_TOP, "Header length", header, 1, "%u", header_bytes);
    describe_hex(fields, "Traffic class", &layer, 1);
    describe_number(fields, "Total length", &layer, 2);
    describe_hex(fields, "Identification", &layer, 2);
    describe_place(&layer, fields);
    describe_number(fields, "TTL", &layer, 1);
    uint8_t protocol = (uint8_t)describe_number_named(fields, "Protocol", &layer, 1, ip_protocol_title);
    describe_checksum(&layer, header, header_bytes, fields);
    describe_ipv4_address(fields, "Source", &layer);
    describe_ipv4_address(fields, "Destination", &layer);
    if (header_bytes > IPV4_BYTES)
        describe_bytes(fields, "Options", &layer, header_bytes - IPV4_BYTES);
    if (protocol == IP_PROTOCOL_AH)
        ip_extensions_describe(&layer, protocol, fields);
}
