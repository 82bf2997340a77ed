// TLS ClientHello (RFC 8446, RFC 6066 SNI, RFC 7301 ALPN, RFC 8701 GREASE) from one segment, with the
// JA3 and JA4 fingerprints. Pure, bounded, no allocation.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decode/packet.h"

enum { TLS_SNI_BYTES = 256, TLS_ALPN_BYTES = 64, JA3_TEXT_BYTES = 33, JA4_TEXT_BYTES = 37 };

enum sni_status {
    SNI_UNKNOWN,     // no ClientHello seen
    SNI_COMPLETE,    // the whole name, even when the hello goes on behind the bytes at hand
    SNI_REASSEMBLED, // from several segments
    SNI_TRUNCATED,   // the hello ended before the name, and not where it says
    SNI_GAP,         // bytes of it were never captured
    SNI_ECH_OUTER,   // the name is the public one of an encrypted ClientHello (or its GREASE twin)
    SNI_ABSENT,      // a whole hello without a name
};

struct tls_hello {
    uint16_t legacy_version;
    uint16_t version;          // the highest offered (supported_versions), GREASE left out
    uint8_t sni_status;        // enum sni_status
    bool complete;             // the whole hello was read without a contradiction
    uint8_t sni_length;        // at most 255 bytes of the name are kept
    char sni[TLS_SNI_BYTES];   // bytes as they came, terminated
    char alpn[TLS_ALPN_BYTES]; // the protocols offered, joined with commas, as many as fit; terminated
    char ja3[JA3_TEXT_BYTES];  // md5 in hex; empty unless complete
    char ja4[JA4_TEXT_BYTES];  // "t13d1516h2_8daaf6152771_b186095e22b6"; empty unless complete
};

// A handshake message that begins at `bytes` (type, 24-bit length, body; for DTLS as one fragment that
// holds it all): a ClientHello. `transport` is 't' for TCP, 'q' for QUIC, 'd' for DTLS: JA4's first
// letter. False when it is none; `out` is filled on success only. Hellos over 16 KiB get no
// fingerprints, nor do any when the digest is refused (MD5 in FIPS mode). Costs 3 microseconds.
bool tls_hello_parse(const uint8_t *bytes, size_t length, char transport, struct tls_hello *out);

// Whether this TCP payload begins with a TLS record that holds a ClientHello, or with a change cipher
// spec and then one; reads across the records that are at hand in the segment. An SSLv2 hello is none.
// Cheap when it is not (six bytes are looked at).
bool tls_hello_of_packet(const struct packet *packet, struct tls_hello *out);

const char *tls_version_name(uint16_t version, char into[12]); // "TLS 1.3"
const char *sni_status_name(enum sni_status status);
