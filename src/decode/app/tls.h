// TLS ClientHello (RFC 8446, RFC 6066 SNI, RFC 7301 ALPN, RFC 8701 GREASE, RFC 9849 ECH) from one segment or from what
// was put together of several, also inside OpenVPN's control channel, and the JA3 and JA4 fingerprints. Pure, bounded, no
// allocation.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decode/packet.h"

enum { TLS_SNI_BYTES = 256, TLS_ALPN_BYTES = 64, TLS_OFFER_BYTES = 2048 };
enum { JA3_TEXT_BYTES = 33, JA4_TEXT_BYTES = 37 };

// What a ClientHello and its records may take of a stream; longer ones are read as far as that.
enum { TLS_STREAM_BYTES_MAX = 16 * 1024 + 512 };

// Numbered as in messages, where 5 was another status once.
enum sni_status {
    SNI_UNKNOWN = 0,     // no ClientHello seen
    SNI_COMPLETE = 1,    // the whole name, even when the hello goes on behind the bytes at hand
    SNI_REASSEMBLED = 2, // the hello came in several segments, and as a whole
    SNI_TRUNCATED = 3,   // the hello ended before the name, and not where it says
    SNI_GAP = 4,         // bytes of it were never captured, though others behind them were
    SNI_ABSENT = 6,      // a whole hello without a name
};

struct tls_hello {
    uint16_t legacy_version;
    uint16_t version;          // the highest offered of those that there are; 0 unless complete
    uint8_t sni_status;        // enum sni_status
    bool complete;             // the whole hello was read without a contradiction
    bool ech_offered;          // real or GREASE: by design nobody can tell (RFC 9849 6.2)
    uint8_t sni_length;        // of the text
    char sni[TLS_SNI_BYTES];   // escaped as name_text.h tells, as much as fits; terminated
    char alpn[TLS_ALPN_BYTES]; // the same of the protocols offered, joined with commas, as many as fit
    char offer
        [TLS_OFFER_BYTES]; // for tls_ja3() and tls_ja4(): no text for people; empty unless complete and short enough
};

// A handshake message that begins at `bytes` (type, 24-bit length, body; for DTLS as one fragment that
// holds it all): a ClientHello. `transport` is 't' for TCP, 'q' for QUIC, 'd' for DTLS: JA4's first
// letter. False when it is none; `out` is filled on success only. Hellos over 16 KiB, with over 255 extensions or with
// more than some 670 numbers in their lists offer nothing. Costs a microsecond or two, whatever the bytes are.
bool tls_hello_parse(const uint8_t *bytes, size_t length, char transport, struct tls_hello *out);

// What the front of a stream (or of a segment of one) is. Cheap when it is no hello (six bytes are looked at).
enum tls_extent {
    TLS_EXTENT_NONE,
    TLS_EXTENT_PART, // the beginning of a ClientHello's records or of OpenVPN's packets with them, and more is needed
    TLS_EXTENT_WHOLE, // all of one; or more than may be, or records that go on as none can: more would not help
};
enum tls_extent tls_hello_extent(const uint8_t *bytes, size_t length);

// Whether those bytes, at least one, may be other than TLS_EXTENT_NONE. What is asked before all else: the records of a
// handshake or of a change of ciphers, an SSLv2 hello, a packet of OpenVPN behind its length.
static inline bool tls_may_begin(const uint8_t *bytes, size_t length)
{
    uint8_t first = bytes[0];
    if (first == 22 || first == 20 || length < 3)
        return true;
    return first >= 0x80 ? bytes[2] == 1 : first < 0x10 && bytes[2] >> 4 == 2;
}

// The hello at the front of a stream, as far as it is at hand; false: none. Reads across records and behind a change
// cipher spec; an SSLv2 hello only as a whole.
bool tls_hello_of_stream(const uint8_t *bytes, size_t length, struct tls_hello *out);

// Whether a datagram with bytes at hand may hold a hello, as OpenVPN's control data. What is asked before all else.
static inline bool tls_may_be_in_datagram(const struct packet *packet)
{
    return packet_payload(packet)[0] >> 3 == 4;
}

// The same of a TCP segment's payload, or of a datagram's, for who sees one packet only.
bool tls_hello_of_packet(const struct packet *packet, struct tls_hello *out);

// The fingerprints of what a hello offered: JA3 (an MD5 of it in its order) and JA4 (FoxIO's public description; counts,
// and SHA-256 of sorted lists). "" when there is no offer, or when the library refuses the digest (MD5 in FIPS mode).
// A microsecond or three each: for where a record is written.
void tls_ja3(const char *offer, char into[JA3_TEXT_BYTES]);
void tls_ja4(const char *offer, char into[JA4_TEXT_BYTES]);

const char *tls_version_name(uint16_t version, char into[12]); // "TLS 1.3"
bool tls_version_parse(const char *text, uint32_t *version);   // false: it is the name of none
const char *sni_status_name(enum sni_status status);
