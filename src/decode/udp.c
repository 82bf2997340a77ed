// UDP (RFC 768).
#include "decode/decoders.h"
#include "decode/describe.h"

enum { UDP_BYTES = 8 };

// Length 0 stands for jumbograms (RFC 2675) and offload; a first fragment ends before its datagram does.
static void cut_to_length(struct decoding *decoding, struct packet *packet, uint16_t length)
{
    if (length == 0)
        return;
    if (length < UDP_BYTES || (!decoding_limit(decoding, length) && packet->fragment == FRAGMENT_NONE))
        decode_fail(packet, DECODE_LAYER_TRANSPORT, DECODE_BAD_LENGTH);
}

enum decoder_id decode_udp(struct decoding *decoding, struct packet *packet)
{
    decode_ports(decoding, packet);
    struct cursor header = decoding_header(decoding, UDP_BYTES);
    if (header.failed)
        return decode_fail(packet, DECODE_LAYER_TRANSPORT, DECODE_TRUNCATED);
    cursor_skip(&header, 4);
    uint16_t length = cursor_u16(&header);
    packet->has_transport = true;
    cut_to_length(decoding, packet, length);
    decoding->cursor.at += UDP_BYTES;
    return decode_udp_port(packet->source_port, packet->target_port);
}

void describe_udp(struct cursor layer, const struct packet *packet, struct fields *fields)
{
    (void)packet;
    describe_layer(fields, "UDP", &layer, UDP_BYTES);
    describe_number(fields, "Source port", &layer, 2);
    describe_number(fields, "Destination port", &layer, 2);
    describe_number(fields, "Length", &layer, 2);
    describe_hex(fields, "Checksum", &layer, 2);
}
