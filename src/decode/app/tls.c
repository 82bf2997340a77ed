#include "decode/app/tls.h"

#include <assert.h>
#include <stdio.h>

#include "decode/app/hello.h"
#include "decode/app/ja.h"

enum {
    RECORD_CHANGE_CIPHER_SPEC = 20,
    RECORD_HANDSHAKE = 22,
    RECORD_HEADER_BYTES = 5,
    CHANGE_CIPHER_SPEC_BYTES = 6, // its record with the one byte it carries
    CLIENT_HELLO = 1,
    MAJOR_VERSION = 3,
    MINOR_VERSION_MAX = 4,
};

static void take_server_name(const struct hello *hello, struct tls_hello *out)
{
    size_t length = cursor_left(&hello->server_name);
    if (length >= TLS_SNI_BYTES)
        length = TLS_SNI_BYTES - 1;
    assert(length < sizeof out->sni && length <= UINT8_MAX);
    memcpy(out->sni, hello->server_name.at, length);
    out->sni[length] = '\0';
    out->sni_length = (uint8_t)length;
}

static enum sni_status sni_status_of(const struct hello *hello)
{
    if (cursor_left(&hello->server_name) == 0)
        return hello->complete ? SNI_ABSENT : SNI_TRUNCATED;
    return hello->has_ech_outer ? SNI_ECH_OUTER : SNI_COMPLETE;
}

// As many whole names as fit.
static void join_protocols(const struct hello *hello, char into[TLS_ALPN_BYTES])
{
    struct cursor protocols = hello->protocols, protocol;
    size_t length = 0;
    while (hello_next_protocol(&protocols, &protocol)) {
        size_t comma = length > 0, name = cursor_left(&protocol);
        if (length + comma + name >= TLS_ALPN_BYTES)
            break;
        into[length] = ',';
        memcpy(into + length + comma, protocol.at, name);
        length += comma + name;
    }
    assert(length < TLS_ALPN_BYTES);
    into[length] = '\0';
}

bool tls_hello_parse(const uint8_t *bytes, size_t length, char transport, struct tls_hello *out)
{
    struct hello hello;
    if (!hello_read(bytes, length, transport, &hello))
        return false;
    out->legacy_version = hello.legacy_version;
    out->version = hello.version;
    out->complete = hello.complete;
    out->sni_status = (uint8_t)sni_status_of(&hello);
    take_server_name(&hello, out);
    join_protocols(&hello, out->alpn);
    out->ja3[0] = out->ja4[0] = '\0';
    if (hello.complete && hello.bytes <= HELLO_BYTES_MAX) {
        ja3_of_hello(&hello, out->ja3);
        ja4_of_hello(&hello, out->ja4);
    }
    return true;
}

// The fragment of the handshake record at the cursor, as far as it is at hand; failed when there is
// no such record.
static struct cursor next_fragment(struct cursor *segment)
{
    uint8_t type = cursor_u8(segment);
    uint8_t major = cursor_u8(segment);
    cursor_skip(segment, 1);
    size_t length = cursor_u16(segment);
    if (segment->failed || type != RECORD_HANDSHAKE || major != MAJOR_VERSION)
        return (struct cursor){.at = segment->at, .end = segment->at, .failed = true};
    size_t at_hand = cursor_left(segment);
    return cursor_sub(segment, length < at_hand ? length : at_hand);
}

static size_t message_bytes(struct cursor message)
{
    cursor_skip(&message, 1);
    size_t body = cursor_u24(&message);
    return message.failed ? 0 : HELLO_HEADER_BYTES + body;
}

// A hello that several records share: their fragments put together first.
static bool parse_across_records(struct cursor fragment, struct cursor segment, struct tls_hello *out)
{
    uint8_t message[HELLO_BYTES_MAX];
    size_t length = 0;
    while (!fragment.failed) {
        size_t take = cursor_left(&fragment);
        if (take > sizeof message - length)
            take = sizeof message - length;
        memcpy(message + length, fragment.at, take);
        length += take;
        assert(length <= sizeof message);
        fragment = next_fragment(&segment);
    }
    return tls_hello_parse(message, length, 't', out);
}

// What a ClientHello's record begins with; the rest of the segment is not touched before this is true.
static bool begins_hello(const uint8_t *bytes)
{
    return bytes[0] == RECORD_HANDSHAKE && bytes[1] == MAJOR_VERSION && bytes[2] <= MINOR_VERSION_MAX &&
           bytes[RECORD_HEADER_BYTES] == CLIENT_HELLO;
}

// The second hello, after a HelloRetryRequest, comes behind a change cipher spec (RFC 8446 D.4).
static size_t change_cipher_spec_bytes(const uint8_t *bytes, size_t length)
{
    bool there = length > CHANGE_CIPHER_SPEC_BYTES + RECORD_HEADER_BYTES &&
                 bytes[0] == RECORD_CHANGE_CIPHER_SPEC && bytes[1] == MAJOR_VERSION && bytes[3] == 0 &&
                 bytes[4] == 1;
    return there ? CHANGE_CIPHER_SPEC_BYTES : 0;
}

static bool parse_records(const uint8_t *bytes, size_t length, struct tls_hello *out)
{
    struct cursor segment = cursor_of(bytes, length);
    struct cursor fragment = next_fragment(&segment);
    size_t at_hand = cursor_left(&fragment);
    if (cursor_left(&segment) == 0 || (at_hand >= HELLO_HEADER_BYTES && message_bytes(fragment) <= at_hand))
        return tls_hello_parse(fragment.at, at_hand, 't', out);
    return parse_across_records(fragment, segment, out);
}

bool tls_hello_of_packet(const struct packet *packet, struct tls_hello *out)
{
    if (packet->payload_captured <= RECORD_HEADER_BYTES || packet->ip_protocol != IP_PROTOCOL_TCP ||
        !packet->has_transport)
        return false;
    const uint8_t *bytes = packet_payload(packet);
    size_t skip = change_cipher_spec_bytes(bytes, packet->payload_captured);
    return begins_hello(bytes + skip) && parse_records(bytes + skip, packet->payload_captured - skip, out);
}
