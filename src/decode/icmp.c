// ICMP (RFC 792) and ICMPv6 (RFC 4443). Type and code take the place of the ports.
#include "decode/decoders.h"
#include "decode/describe.h"

enum { ICMP_BYTES = 8 };
enum { ECHO_REPLY = 0, ECHO_REQUEST = 8, ECHO_REQUEST_V6 = 128, ECHO_REPLY_V6 = 129 };

enum decoder_id decode_icmp(struct decoding *decoding, struct packet *packet)
{
    struct cursor header = decoding->cursor;
    uint8_t type = cursor_u8(&header);
    uint8_t code = cursor_u8(&header);
    if (!header.failed) {
        packet->source_port = type;
        packet->target_port = code;
        packet->ports_known = true;
    }
    if (!cursor_skip(&header, ICMP_BYTES - 2))
        return decode_fail(packet, DECODE_LAYER_TRANSPORT, DECODE_TRUNCATED);
    packet->has_transport = true;
    decoding->cursor.at += ICMP_BYTES;
    return DECODER_NONE;
}

enum decoder_id decode_icmpv6(struct decoding *decoding, struct packet *packet)
{
    return decode_icmp(decoding, packet);
}

static const char *icmp_type_name(uint64_t type)
{
    switch (type) {
    case ECHO_REPLY:
        return "echo reply";
    case 3:
        return "destination unreachable";
    case 4:
        return "source quench";
    case 5:
        return "redirect";
    case ECHO_REQUEST:
        return "echo request";
    case 9:
        return "router advertisement";
    case 10:
        return "router solicitation";
    case 11:
        return "time exceeded";
    case 12:
        return "parameter problem";
    case 13:
        return "timestamp request";
    case 14:
        return "timestamp reply";
    default:
        return NULL;
    }
}

static const char *icmpv6_type_name(uint64_t type)
{
    switch (type) {
    case 1:
        return "destination unreachable";
    case 2:
        return "packet too big";
    case 3:
        return "time exceeded";
    case 4:
        return "parameter problem";
    case ECHO_REQUEST_V6:
        return "echo request";
    case ECHO_REPLY_V6:
        return "echo reply";
    case 130:
        return "multicast listener query";
    case 131:
    case 143:
        return "multicast listener report";
    case 132:
        return "multicast listener done";
    case 133:
        return "router solicitation";
    case 134:
        return "router advertisement";
    case 135:
        return "neighbour solicitation";
    case 136:
        return "neighbour advertisement";
    case 137:
        return "redirect";
    default:
        return NULL;
    }
}

static uint64_t describe_common(struct cursor *layer, struct fields *fields, const char *name,
                                const char *(*type_name)(uint64_t))
{
    describe_layer(fields, name, layer, ICMP_BYTES);
    uint64_t type = describe_number_named(fields, "Type", layer, 1, type_name);
    describe_number(fields, "Code", layer, 1);
    describe_hex(fields, "Checksum", layer, 2);
    return type;
}

static void describe_rest(struct cursor *layer, struct fields *fields, bool echo)
{
    if (!echo) {
        describe_hex(fields, "Rest of header", layer, 4);
        return;
    }
    describe_number(fields, "Identifier", layer, 2);
    describe_number(fields, "Sequence number", layer, 2);
}

void describe_icmp(struct cursor layer, const struct packet *packet, struct fields *fields)
{
    (void)packet;
    uint64_t type = describe_common(&layer, fields, "ICMP", icmp_type_name);
    describe_rest(&layer, fields, type == ECHO_REQUEST || type == ECHO_REPLY);
}

void describe_icmpv6(struct cursor layer, const struct packet *packet, struct fields *fields)
{
    (void)packet;
    uint64_t type = describe_common(&layer, fields, "ICMPv6", icmpv6_type_name);
    if (type == 135 || type == 136) {
        describe_hex(fields, "Flags", &layer, 4);
        describe_ipv6_address(fields, "Target", &layer);
        return;
    }
    describe_rest(&layer, fields, type == ECHO_REQUEST_V6 || type == ECHO_REPLY_V6);
}
