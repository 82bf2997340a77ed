// TCP (RFC 9293) with its options: MSS, window scale and timestamps (RFC 7323), SACK (RFC 2018).
#include <string.h>

#include "decode/decoders.h"
#include "decode/describe.h"

enum { TCP_BYTES = 20 };
enum {
    OPTION_END = 0,
    OPTION_NOP,
    OPTION_MSS,
    OPTION_WSCALE,
    OPTION_SACK_OK,
    OPTION_SACK,
    OPTION_TIMESTAMP = 8
};

// The usual options of a data segment: NOP, NOP, timestamps.
static const uint8_t lone_timestamp[4] = {OPTION_NOP, OPTION_NOP, OPTION_TIMESTAMP, 10};

static void read_timestamp(struct cursor *body, struct packet_tcp *tcp)
{
    tcp->timestamp = cursor_u32(body);
    tcp->timestamp_echo = cursor_u32(body);
}

static void read_sack(const struct cursor *body, struct packet_tcp *tcp)
{
    size_t blocks = cursor_left(body) / 8;
    tcp->sacks = (uint8_t)(blocks < PACKET_SACKS ? blocks : PACKET_SACKS);
}

// Options of another length than theirs are passed over.
static void read_option(uint8_t kind, struct cursor *body, struct packet_tcp *tcp)
{
    size_t length = cursor_left(body);
    if (kind == OPTION_TIMESTAMP && length == 8) {
        read_timestamp(body, tcp);
    } else if (kind == OPTION_MSS && length == 2) {
        tcp->mss = cursor_u16(body);
    } else if (kind == OPTION_WSCALE && length == 1) {
        tcp->window_shift = cursor_u8(body);
        tcp->has_window_shift = true;
    } else if (kind == OPTION_SACK) {
        read_sack(body, tcp);
    }
}

// The next option's kind and body; false at the end or on a length that cannot be (`options` failed).
static bool next_option(struct cursor *options, uint8_t *kind, struct cursor *body)
{
    do {
        if (cursor_left(options) == 0)
            return false;
        *kind = cursor_u8(options);
        if (*kind == OPTION_END)
            return false;
    } while (*kind == OPTION_NOP);
    uint8_t length = cursor_u8(options);
    if (length < 2)
        options->failed = true;
    *body = cursor_sub(options, length < 2 ? 0 : length - 2U);
    return !options->failed;
}

// False when a length contradicts itself; what came before it is kept.
static bool read_options(struct cursor *options, struct packet_tcp *tcp)
{
    if (cursor_left(options) == 12 && memcmp(options->at, lone_timestamp, sizeof lone_timestamp) == 0) {
        cursor_skip(options, sizeof lone_timestamp);
        read_timestamp(options, tcp);
        return true;
    }
    uint8_t kind;
    struct cursor body;
    while (next_option(options, &kind, &body))
        read_option(kind, &body, tcp);
    return !options->failed;
}

// Of options that are cut, those at hand count.
static void take_options(struct decoding *decoding, struct packet *packet, uint32_t option_bytes)
{
    struct cursor options = decoding->cursor;
    cursor_limit(&options, option_bytes);
    bool whole = decoding_skip(decoding, option_bytes);
    bool sound = read_options(&options, &packet->tcp);
    if (!whole || !sound)
        decode_fail(packet, DECODE_LAYER_TRANSPORT, whole ? DECODE_BAD_HEADER : DECODE_TRUNCATED);
}

enum decoder_id decode_tcp(struct decoding *decoding, struct packet *packet)
{
    decode_ports(decoding, packet);
    struct cursor header = decoding_header(decoding, TCP_BYTES);
    if (header.failed)
        return decode_fail(packet, DECODE_LAYER_TRANSPORT, DECODE_TRUNCATED);
    cursor_skip(&header, 4);
    uint32_t sequence = cursor_u32(&header);
    uint32_t acknowledgement = cursor_u32(&header);
    uint32_t header_bytes = (cursor_u8(&header) >> 4) * 4U;
    if (header_bytes < TCP_BYTES)
        return decode_fail(packet, DECODE_LAYER_TRANSPORT, DECODE_BAD_HEADER);
    if (header_bytes > decoding_wire_left(decoding))
        return decode_fail(packet, DECODE_LAYER_TRANSPORT, DECODE_BAD_LENGTH);
    packet->tcp = (struct packet_tcp){
        .sequence = sequence, .acknowledgement = acknowledgement, .ip_id = packet->tcp.ip_id};
    packet->tcp.flags = cursor_u8(&header);
    packet->tcp.window = cursor_u16(&header);
    packet->has_transport = true;
    decoding->cursor.at += TCP_BYTES;
    if (header_bytes > TCP_BYTES)
        take_options(decoding, packet, header_bytes - TCP_BYTES);
    return DECODER_NONE;
}

static void describe_flags(struct cursor *cursor, struct fields *fields)
{
    static const char *const names[8] = {"FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"};
    const uint8_t *at = cursor->at;
    uint8_t flags = cursor_u8(cursor);
    if (cursor->failed)
        return;
    char text[40] = "";
    for (unsigned bit = 0; bit < 8; bit++)
        if (flags >> bit & 1) {
            strcat(text, text[0] != '\0' ? " " : "");
            strcat(text, names[bit]);
        }
    fields_add(fields, FIELD_TOP, "Flags", at, 1, "0x%02x (%s)", flags, text);
}

static void describe_option(uint8_t kind, struct cursor body, const uint8_t *at, struct fields *fields)
{
    struct packet_tcp tcp = {0};
    size_t length = (size_t)(body.end - at);
    read_option(kind, &body, &tcp);
    if (kind == OPTION_MSS)
        fields_add(fields, FIELD_INNER, "Maximum segment size", at, length, "%u", tcp.mss);
    else if (kind == OPTION_WSCALE)
        fields_add(fields, FIELD_INNER, "Window scale", at, length, "%u", tcp.window_shift);
    else if (kind == OPTION_SACK_OK)
        fields_add(fields, FIELD_INNER, "SACK permitted", at, length, "yes");
    else if (kind == OPTION_SACK)
        fields_add(fields, FIELD_INNER, "SACK blocks", at, length, "%u", tcp.sacks);
    else if (kind == OPTION_TIMESTAMP)
        fields_add(fields, FIELD_INNER, "Timestamps", at, length, "%u, echo %u", tcp.timestamp,
                   tcp.timestamp_echo);
    else
        fields_add(fields, FIELD_INNER, "Option", at, length, "kind %u, %zu bytes", kind, length);
}

static void describe_options(struct cursor options, struct fields *fields)
{
    fields_add(fields, FIELD_TOP, "Options", options.at, cursor_left(&options), "%zu bytes",
               cursor_left(&options));
    uint8_t kind;
    struct cursor body;
    const uint8_t *at = options.at;
    while (next_option(&options, &kind, &body)) {
        describe_option(kind, body, body.at - 2, fields);
        at = options.at;
    }
    if (options.failed)
        fields_add(fields, FIELD_INNER, "Broken option", at, (size_t)(options.end - at),
                   "a length that cannot be");
}

void describe_tcp(struct cursor layer, const struct packet *packet, struct fields *fields)
{
    (void)packet;
    struct cursor ahead = layer;
    cursor_skip(&ahead, 12);
    uint32_t header_bytes = (cursor_peek(&ahead) >> 4) * 4U;
    describe_layer(fields, "TCP", &layer, header_bytes);
    describe_number(fields, "Source port", &layer, 2);
    describe_number(fields, "Destination port", &layer, 2);
    describe_number(fields, "Sequence number", &layer, 4);
    describe_number(fields, "Acknowledgement number", &layer, 4);
    const uint8_t *at = layer.at;
    if (cursor_skip(&layer, 1))
        fields_add(fields, FIELD_TOP, "Header length", at, 1, "%u", header_bytes);
    describe_flags(&layer, fields);
    describe_number(fields, "Window", &layer, 2);
    describe_hex(fields, "Checksum", &layer, 2);
    describe_number(fields, "Urgent pointer", &layer, 2);
    if (header_bytes <= TCP_BYTES)
        return;
    struct cursor options = cursor_sub(&layer, header_bytes - TCP_BYTES);
    if (!options.failed)
        describe_options(options, fields);
}
