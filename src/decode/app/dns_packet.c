#include "decode/app/dns.h"
#include "decode/app/dns_message.h"

enum { PORT_DNS = 53, PORT_NETBIOS_NAMES = 137, PORT_MDNS = 5353, PORT_LLMNR = 5355 };
enum {
    OPCODE_MAX = 6,
    RCODE_BITS = 15,
    RCODE_MAX = 11,
    QUESTION_BYTES_MIN = 5,
    RECORD_BYTES_MIN = 11,
    TCP_PREFIX_BYTES = 2,
    RESERVED_BIT = 0x40
};
enum { CLASS_IN = 1, CLASS_CHAOS = 3, CLASS_HESIOD = 4, CLASS_NONE = 254, CLASS_ANY = 255 };

static bool is_dns_port(uint16_t port)
{
    return port == PORT_DNS || port == PORT_MDNS || port == PORT_LLMNR;
}

bool dns_is_on_port(const struct packet *packet)
{
    return is_dns_port(packet->source_port) || is_dns_port(packet->target_port);
}

static bool on_mdns_port(const struct packet *packet)
{
    return packet->source_port == PORT_MDNS || packet->target_port == PORT_MDNS;
}

// NetBIOS names travel in the DNS format, but they are not DNS.
static bool on_netbios_port(const struct packet *packet)
{
    return packet->source_port == PORT_NETBIOS_NAMES || packet->target_port == PORT_NETBIOS_NAMES;
}

// A known opcode and rcode, the reserved bit clear.
static bool has_usual_flags(const uint8_t *header)
{
    unsigned opcode = header[2] >> 3 & 15, rcode = header[3] & RCODE_BITS;
    return opcode <= OPCODE_MAX && rcode <= RCODE_MAX && (header[3] & RESERVED_BIT) == 0;
}

static bool fits_questions(const uint8_t *header, unsigned questions)
{
    bool response = (header[2] & 0x80) != 0;
    unsigned answers = (unsigned)header[6] << 8 | header[7];
    if (!has_usual_flags(header))
        return false;
    return response ? questions + answers > 0
                    : questions == 1 && answers == 0 && (header[3] & RCODE_BITS) == 0;
}

// A header as clients and servers send it: one question (a response may leave it out), usual flags, answers only in a
// response. What other protocols fail first is asked first.
static inline bool is_usual_header(const uint8_t *header)
{
    unsigned questions = (unsigned)header[4] << 8 | header[5];
    return questions <= 1 && fits_questions(header, questions);
}

static bool is_usual_class(uint16_t class)
{
    switch (class & 0x7fff) { // mDNS uses the top bit
    case CLASS_IN:
    case CLASS_CHAOS:
    case CLASS_HESIOD:
    case CLASS_NONE:
    case CLASS_ANY:
        return true;
    default:
        return false;
    }
}

// The strict judgement, for ports that do not promise DNS.
static bool is_dns_by_content(const uint8_t *bytes, size_t length, struct dns_message *out)
{
    return length >= DNS_HEADER_BYTES + QUESTION_BYTES_MIN && is_usual_header(bytes) &&
           dns_read(bytes, length, false, out) == DNS_FIT_EXACT && out->type != 0 &&
           is_usual_class(out->class);
}

static bool has_usual_question(const struct dns_message *message)
{
    return message->name.length > 0 && message->type != 0 && is_usual_class(message->class);
}

// Of a message whose later sections contradict themselves: its header and first question, when that is one that is asked.
// Of a million messages of noise at most one passes.
static bool read_question(const uint8_t *message, size_t length, bool utf8, struct dns_message *out)
{
    if (!has_usual_flags(message) || !dns_read_front(message, length, utf8, out))
        return false;
    out->damaged = true;
    return has_usual_question(out);
}

// Whose first question is broken, so that a header that stands alone has to be beyond doubt: as many records as its bytes
// may hold.
static bool read_header_alone(const uint8_t *message, size_t length, bool utf8, struct dns_message *out)
{
    if (!has_usual_flags(message) || dns_read_front(message, length, utf8, out))
        return false;
    bool usual = out->questions == 1 && (out->response || (out->answers == 0 && out->rcode == 0));
    unsigned records = (unsigned)out->answers + out->authorities + out->additionals;
    out->damaged = true;
    out->name.length = 0;
    out->name.text[0] = '\0';
    out->type = out->class = 0;
    return usual && records * RECORD_BYTES_MIN <= length - DNS_HEADER_BYTES;
}

static bool is_whole(const struct packet *packet)
{
    return packet->payload_captured >= packet->payload_length &&
           (packet->fragment == FRAGMENT_NONE || packet->fragment == FRAGMENT_WHOLE);
}

// On a port that promises DNS. Noise that says it was cut short by its server is none.
static bool is_message_of_port(const uint8_t *bytes, size_t length, bool whole, bool utf8,
                               struct dns_message *out)
{
    if (length < DNS_HEADER_BYTES)
        return false;
    enum dns_fit fit = dns_read(bytes, length, utf8, out);
    bool excused = !whole || (out->truncated && has_usual_flags(bytes) && has_usual_question(out));
    if (fit == DNS_FIT_EXACT || fit == DNS_FIT_TRAILER || (fit == DNS_FIT_CUT && excused))
        return true;
    return read_question(bytes, length, utf8, out) || read_header_alone(bytes, length, utf8, out);
}

static enum decode_reason dns_of_datagram(const struct packet *packet, struct dns_message *out, bool *found)
{
    const uint8_t *bytes = packet_payload(packet);
    if (!dns_is_on_port(packet)) {
        *found = is_whole(packet) && !on_netbios_port(packet) &&
                 is_dns_by_content(bytes, packet->payload_captured, out);
        return DECODE_OK;
    }
    if (packet->payload_captured < DNS_HEADER_BYTES && packet->payload_length >= DNS_HEADER_BYTES)
        return DECODE_TRUNCATED;
    *found = is_message_of_port(bytes, packet->payload_captured, is_whole(packet), on_mdns_port(packet), out);
    return (*found && !out->damaged) || packet->payload_length == 0 ? DECODE_OK : DECODE_BAD_MESSAGE;
}

static size_t length_in_front(const uint8_t *bytes)
{
    return (size_t)bytes[0] << 8 | bytes[1];
}

// A segment from the middle of a message must not pass for one, so the header has to be a usual one.
static bool is_message(const uint8_t *message, size_t length, bool whole, struct dns_message *out)
{
    return dns_parse(message, length, whole, out) ? out->name.length > 0 && is_usual_class(out->class)
                                                  : read_question(message, length, false, out);
}

enum dns_step dns_of_stream(const uint8_t *bytes, size_t at_hand, bool last, struct dns_message *out,
                            size_t *taken)
{
    enum dns_step part = last ? DNS_STEP_NONE : DNS_STEP_PART;
    if (at_hand < TCP_PREFIX_BYTES)
        return part;
    size_t length = length_in_front(bytes);
    if (length < DNS_HEADER_BYTES)
        return DNS_STEP_NONE;
    if (at_hand < TCP_PREFIX_BYTES + DNS_HEADER_BYTES)
        return part;
    if (!is_usual_header(bytes + TCP_PREFIX_BYTES))
        return DNS_STEP_NONE;
    bool whole = at_hand - TCP_PREFIX_BYTES >= length;
    if (!whole && !last)
        return DNS_STEP_PART;
    *taken = whole ? TCP_PREFIX_BYTES + length : at_hand;
    bool read = is_message(bytes + TCP_PREFIX_BYTES, *taken - TCP_PREFIX_BYTES, whole, out);
    return read ? DNS_STEP_MESSAGE : DNS_STEP_SKIP;
}

// Whether lengths lead from message to message to the exact end.
static bool is_tiled(const uint8_t *bytes, size_t length)
{
    enum { MESSAGES_MAX = 32 };
    for (unsigned i = 0; i < MESSAGES_MAX && length >= TCP_PREFIX_BYTES + DNS_HEADER_BYTES; i++) {
        size_t message = TCP_PREFIX_BYTES + length_in_front(bytes);
        if (message >= length)
            return message == length;
        bytes += message;
        length -= message;
    }
    return false;
}

enum dns_step dns_of_other_stream(const uint8_t *bytes, size_t length, struct dns_message *out, size_t *taken)
{
    if (length < TCP_PREFIX_BYTES + DNS_HEADER_BYTES)
        return DNS_STEP_NONE;
    *taken = TCP_PREFIX_BYTES + length_in_front(bytes);
    if (*taken > length || !is_usual_header(bytes + TCP_PREFIX_BYTES) || !is_tiled(bytes, length))
        return DNS_STEP_NONE;
    bool read = is_dns_by_content(bytes + TCP_PREFIX_BYTES, *taken - TCP_PREFIX_BYTES, out);
    return read ? DNS_STEP_MESSAGE : DNS_STEP_NONE;
}

static void dns_of_segment(const struct packet *packet, struct dns_message *out, bool *found)
{
    const uint8_t *bytes = packet_payload(packet);
    size_t taken;
    if (!dns_is_on_port(packet)) {
        *found = is_whole(packet) &&
                 dns_of_other_stream(bytes, packet->payload_captured, out, &taken) == DNS_STEP_MESSAGE;
        return;
    }
    *found = dns_of_stream(bytes, packet->payload_captured, true, out, &taken) == DNS_STEP_MESSAGE ||
             (is_whole(packet) &&
              is_dns_by_content(bytes, packet->payload_captured, out)); // its length went ahead
}

enum decode_reason dns_of_packet(const struct packet *packet, struct dns_message *out, bool *found)
{
    *found = false;
    if (!packet->has_transport)
        return DECODE_OK;
    if (packet->ip_protocol == IP_PROTOCOL_UDP)
        return dns_of_datagram(packet, out, found);
    if (packet->ip_protocol == IP_PROTOCOL_TCP)
        dns_of_segment(packet, out, found);
    return *found && out->damaged ? DECODE_BAD_MESSAGE : DECODE_OK;
}
