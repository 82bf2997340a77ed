#include "decode/app/tls_records.h"

#include <assert.h>
#include <string.h>

#include "base/cursor.h"
#include "decode/app/openvpn.h"
#include "decode/app/tls.h"

enum {
    RECORD_CHANGE_CIPHER_SPEC = 20,
    RECORD_HANDSHAKE = 22,
    RECORD_HEADER_BYTES = 5,
    CHANGE_CIPHER_SPEC_BYTES = 6, // its record with the one byte it carries
    CLIENT_HELLO = 1,
    MAJOR_VERSION = 3,
    MINOR_VERSION_MAX = 4,
};

// The second hello, after a HelloRetryRequest, comes behind a change cipher spec (RFC 8446 D.4).
static size_t change_cipher_spec_bytes(const uint8_t *bytes, size_t length)
{
    bool there = length > CHANGE_CIPHER_SPEC_BYTES && bytes[0] == RECORD_CHANGE_CIPHER_SPEC &&
                 bytes[1] == MAJOR_VERSION && bytes[3] == 0 && bytes[4] == 1;
    return there ? CHANGE_CIPHER_SPEC_BYTES : 0;
}

bool tls_records_begin(const uint8_t *bytes, size_t length)
{
    size_t skip = change_cipher_spec_bytes(bytes, length);
    bytes += skip;
    length -= skip;
    return length > 0 && bytes[0] == RECORD_HANDSHAKE && (length < 2 || bytes[1] == MAJOR_VERSION) &&
           (length < 3 || bytes[2] <= MINOR_VERSION_MAX) &&
           (length <= RECORD_HEADER_BYTES || bytes[RECORD_HEADER_BYTES] == CLIENT_HELLO);
}

size_t tls_sslv2_bytes(const uint8_t *bytes, size_t length)
{
    enum { HEADER_BYTES = 11, CHALLENGE_MIN = 16, CHALLENGE_MAX = 32, SESSION_BYTES = 16, CIPHER_BYTES = 3 };
    if (length < HEADER_BYTES || (bytes[0] & 0x80) == 0 || bytes[2] != CLIENT_HELLO)
        return 0;
    uint16_t version = bytes_u16(bytes + 3);
    size_t ciphers = bytes_u16(bytes + 5), session = bytes_u16(bytes + 7), challenge = bytes_u16(bytes + 9);
    bool usual = (version == 0x0002 || (version >= 0x0300 && version <= 0x0304)) && ciphers > 0 &&
                 ciphers % CIPHER_BYTES == 0 && (session == 0 || session == SESSION_BYTES) &&
                 challenge >= CHALLENGE_MIN && challenge <= CHALLENGE_MAX;
    size_t whole = 2 + (bytes_u16(bytes) & 0x7fffu);
    return usual && whole == length && whole == HEADER_BYTES + ciphers + session + challenge ? whole : 0;
}

// The fragment of the record at the cursor, as far as it is at hand. False: the bytes end before it begins, or
// (`ended`) no handshake's record can be like that.
static bool next_fragment(struct cursor *stream, struct cursor *fragment, bool *ended)
{
    size_t left = cursor_left(stream);
    if (left > 0 && stream->at[0] != RECORD_HANDSHAKE)
        *ended = true;
    if (*ended || left < RECORD_HEADER_BYTES)
        return false;
    cursor_skip(stream, 1);
    *ended = cursor_u8(stream) != MAJOR_VERSION;
    cursor_skip(stream, 1);
    size_t length = cursor_u16(stream), at_hand = cursor_left(stream);
    *ended |= length == 0;
    *fragment = cursor_sub(stream, length < at_hand ? length : at_hand);
    return !*ended;
}

// What the message's header says it takes; 0 while that is not at hand.
static size_t wanted_bytes(const uint8_t *message, size_t length)
{
    return length < HELLO_HEADER_BYTES
               ? 0
               : HELLO_HEADER_BYTES + ((size_t)message[1] << 16 | (size_t)message[2] << 8 | message[3]);
}

// The message that records carry, a record at a time.
struct walk {
    struct cursor stream;
    uint8_t header[HELLO_HEADER_BYTES]; // of the message, as far as it was met
    size_t bytes;                       // of the message so far
    unsigned records;
    bool whole; // the message is there
    bool ended; // by what cannot be: no more of the stream would help
};

static struct walk walk_of(const uint8_t *bytes, size_t length)
{
    size_t skip = change_cipher_spec_bytes(bytes, length);
    return (struct walk){.stream = cursor_of(bytes + skip, length - skip)};
}

// The next part of the message; false: there is none, or none is needed.
static bool walk_on(struct walk *walk, struct cursor *fragment)
{
    if (walk->whole || !next_fragment(&walk->stream, fragment, &walk->ended))
        return false;
    walk->ended = walk->records == TLS_RECORDS_MAX;
    if (walk->ended)
        return false;
    walk->records++;
    for (size_t i = 0; walk->bytes + i < sizeof walk->header && i < cursor_left(fragment); i++)
        walk->header[walk->bytes + i] = fragment->at[i];
    walk->bytes += cursor_left(fragment);
    size_t wanted = wanted_bytes(walk->header, walk->bytes);
    walk->whole = wanted > 0 && walk->bytes >= wanted;
    return true;
}

static void join(struct tls_records *out, const struct cursor *fragment)
{
    size_t take = cursor_left(fragment);
    if (take > sizeof out->joined - out->length)
        take = sizeof out->joined - out->length;
    memcpy(out->joined + out->length, fragment->at, take);
    out->length += take;
    assert(out->length <= sizeof out->joined);
}

void tls_records_read(const uint8_t *bytes, size_t length, struct tls_records *out)
{
    struct walk walk = walk_of(bytes, length);
    struct cursor fragment;
    out->message = out->joined;
    out->length = 0;
    while (walk_on(&walk, &fragment)) {
        if (walk.records == 1 && (walk.whole || cursor_left(&walk.stream) == 0)) {
            out->message = fragment.at;
            out->length = cursor_left(&fragment);
            return;
        }
        join(out, &fragment);
    }
}

static enum tls_extent extent_of_other(const uint8_t *bytes, size_t length)
{
    if (openvpn_may_begin(bytes, length))
        return openvpn_hello_extent(bytes, length);
    return tls_sslv2_bytes(bytes, length) > 0 ? TLS_EXTENT_WHOLE : TLS_EXTENT_NONE;
}

enum tls_extent tls_hello_extent(const uint8_t *bytes, size_t length)
{
    if (!tls_records_begin(bytes, length))
        return extent_of_other(bytes, length);
    if (length >= TLS_STREAM_BYTES_MAX)
        return TLS_EXTENT_WHOLE;
    struct walk walk = walk_of(bytes, length);
    struct cursor fragment;
    while (walk_on(&walk, &fragment))
        continue;
    return walk.whole || walk.ended ? TLS_EXTENT_WHOLE : TLS_EXTENT_PART;
}
