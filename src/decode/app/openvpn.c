#include "decode/app/openvpn.h"

#include <assert.h>
#include <string.h>

#include "base/cursor.h"
#include "decode/app/tls_records.h"

enum {
    OPCODE_CONTROL = 4,
    SESSION_BYTES = 8,
    ACKNOWLEDGED_AT = 1 + SESSION_BYTES, // where there is no signature
    MESSAGE_ID_BYTES = 4,
    ACKNOWLEDGED_MAX = 8,
    FIRST_MESSAGE = 1, // of those that carry TLS
    PACKETS_MAX = 64,
    RECORD_HANDSHAKE = 22,
    TLS_BYTES_TOLD_BY = 6, // a record's header and the handshake's type
};

// What tls-auth puts behind the session id: nothing, or the HMAC of any digest, a packet id and a time.
static const uint8_t signature_bytes[] = {0, 20 + 8, 32 + 8, 64 + 8, 16 + 8, 28 + 8, 48 + 8};

// A control packet's parts behind its opcode.
struct packet_parts {
    const uint8_t *session;
    uint32_t message;
    struct cursor tls;
};

// The TLS bytes of a hello's messages.
struct tls_bytes {
    size_t length;
    bool ended; // more packets would not help
    uint8_t bytes[OPENVPN_HELLO_BYTES_MAX];
};

static bool read_parts(struct cursor packet, size_t signature, struct packet_parts *parts)
{
    cursor_skip(&packet, 1);
    parts->session = cursor_bytes(&packet, SESSION_BYTES);
    cursor_skip(&packet, signature);
    unsigned acknowledged = cursor_u8(&packet);
    if (acknowledged > ACKNOWLEDGED_MAX)
        return false;
    if (acknowledged > 0)
        cursor_skip(&packet, (size_t)acknowledged * MESSAGE_ID_BYTES + SESSION_BYTES);
    parts->message = cursor_u32(&packet);
    parts->tls = packet;
    return !packet.failed;
}

static bool begins_hello(const struct packet_parts *parts)
{
    size_t length = cursor_left(&parts->tls);
    return parts->message == FIRST_MESSAGE && length >= TLS_BYTES_TOLD_BY &&
           parts->tls.at[0] == RECORD_HANDSHAKE && tls_records_begin(parts->tls.at, length);
}

// Nothing tells whether there is a signature and how long it is, but that a hello stands behind it.
static bool find_hello(const struct cursor *packet, struct packet_parts *parts, size_t *signature)
{
    size_t length = cursor_left(packet);
    for (size_t i = 0; i < sizeof signature_bytes; i++) {
        size_t at = ACKNOWLEDGED_AT + (size_t)signature_bytes[i];
        *signature = signature_bytes[i];
        if (at < length && packet->at[at] <= ACKNOWLEDGED_MAX && read_parts(*packet, *signature, parts) &&
            begins_hello(parts))
            return true;
    }
    return false;
}

static bool is_control(const struct cursor *packet)
{
    return cursor_left(packet) > 0 && packet->at[0] >> 3 == OPCODE_CONTROL;
}

// The packet at the cursor, as far as it is at hand. False: the bytes end, or no packet of these can be like that.
static bool next_packet(struct cursor *stream, struct cursor *packet, bool *ended)
{
    enum { LENGTH_BYTES = 2 };
    if (cursor_left(stream) <= LENGTH_BYTES)
        return false;
    *ended = !openvpn_may_begin(stream->at, cursor_left(stream));
    if (*ended)
        return false;
    size_t length = cursor_u16(stream), at_hand = cursor_left(stream);
    *packet = cursor_sub(stream, length < at_hand ? length : at_hand);
    return length > 0;
}

static void join(struct tls_bytes *out, const struct cursor *tls)
{
    size_t take = cursor_left(tls);
    if (take > sizeof out->bytes - out->length)
        take = sizeof out->bytes - out->length;
    memcpy(out->bytes + out->length, tls->at, take);
    out->length += take;
    out->ended = out->length == sizeof out->bytes;
}

// The first message of a hello, behind acknowledgements.
static bool begin_reading(struct cursor *stream, struct packet_parts *parts, size_t *signature)
{
    struct cursor packet;
    bool ended = false;
    for (unsigned packets = 0; packets < PACKETS_MAX && next_packet(stream, &packet, &ended); packets++)
        if (is_control(&packet))
            return find_hello(&packet, parts, signature);
    return false;
}

// What follows is taken in order; what was sent again is passed by.
static bool read_stream(const uint8_t *bytes, size_t length, struct tls_bytes *out)
{
    struct cursor stream = cursor_of(bytes, length), packet;
    struct packet_parts first, next;
    size_t signature;
    out->length = 0;
    if (!begin_reading(&stream, &first, &signature))
        return false;
    join(out, &first.tls);
    uint32_t message = FIRST_MESSAGE;
    for (unsigned packets = 0; !out->ended && next_packet(&stream, &packet, &out->ended); packets++) {
        out->ended = packets == PACKETS_MAX;
        if (!is_control(&packet) || !read_parts(packet, signature, &next))
            continue;
        out->ended |= memcmp(next.session, first.session, SESSION_BYTES) != 0 || next.message > message + 1;
        if (out->ended || next.message <= message)
            continue;
        join(out, &next.tls);
        message++;
    }
    return true;
}

enum tls_extent openvpn_hello_extent(const uint8_t *bytes, size_t length)
{
    struct tls_bytes tls;
    if (!read_stream(bytes, length, &tls))
        return TLS_EXTENT_NONE;
    enum tls_extent extent = tls_hello_extent(tls.bytes, tls.length);
    bool ended = tls.ended || length >= TLS_STREAM_BYTES_MAX;
    assert(extent != TLS_EXTENT_NONE);
    return extent == TLS_EXTENT_PART && ended ? TLS_EXTENT_WHOLE : extent;
}

bool openvpn_hello_of_stream(const uint8_t *bytes, size_t length, struct tls_hello *out)
{
    struct tls_bytes tls;
    return read_stream(bytes, length, &tls) && tls_hello_of_stream(tls.bytes, tls.length, out);
}

bool openvpn_hello_of_datagram(const uint8_t *bytes, size_t length, struct tls_hello *out)
{
    struct cursor packet = cursor_of(bytes, length);
    struct packet_parts parts;
    size_t signature;
    return is_control(&packet) && find_hello(&packet, &parts, &signature) &&
           tls_hello_of_stream(parts.tls.at, cursor_left(&parts.tls), out);
}
