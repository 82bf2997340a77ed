// SCTP (RFC 9260): the common header; chunks are payload.
#include "decode/decoders.h"
#include "decode/describe.h"

enum { SCTP_BYTES = 12 };

enum decoder_id decode_sctp(struct decoding *decoding, struct packet *packet)
{
    decode_ports(decoding, packet);
    if (cursor_left(&decoding->cursor) < SCTP_BYTES)
        return decode_fail(packet, DECODE_LAYER_TRANSPORT, DECODE_TRUNCATED);
    packet->has_transport = true;
    decoding->cursor.at += SCTP_BYTES;
    return DECODER_NONE;
}

void describe_sctp(struct cursor layer, const struct packet *packet, struct fields *fields)
{
    (void)packet;
    describe_layer(fields, "SCTP", &layer, SCTP_BYTES);
    describe_number(fields, "Source port", &layer, 2);
    describe_number(fields, "Destination port", &layer, 2);
    describe_hex(fields, "Verification tag", &layer, 4);
    describe_hex(fields, "Checksum", &layer, 4);
}
