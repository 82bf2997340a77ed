// The parts of a TLS ClientHello, found and checked but not yet interpreted: what names and
// fingerprints are made from. Borrows the message's bytes. Used by the TLS files of this folder only.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"

// A longer hello, or one with more extensions, is read as far as that, but gets no fingerprints: more is never
// reassembled either.
enum { HELLO_BYTES_MAX = 16384, HELLO_HEADER_BYTES = 4, HELLO_EXTENSIONS_MAX = 255 };

// Lists are cursors over their elements; those of 16-bit numbers have an even length.
struct hello {
    char transport; // 't', 'q', 'd'
    bool complete;  // the whole message was at hand and every part of it could be read
    size_t bytes;   // at hand, header included
    bool has_sni_extension, has_ech, has_versions;
    uint16_t legacy_version;
    uint16_t highest_version;  // of supported_versions but GREASE, else the legacy one: what JA4 tells
    uint16_t version;          // the same among the versions that there are
    struct cursor ciphers;     // u16
    struct cursor extensions;  // type u16, length u16, body
    struct cursor groups;      // u16
    struct cursor signatures;  // u16
    struct cursor formats;     // u8
    struct cursor protocols;   // ALPN: length u8, bytes
    struct cursor server_name; // the first host name
};

// False: no ClientHello, or a whole one whose fixed part contradicts itself.
bool hello_read(const uint8_t *bytes, size_t length, char transport, struct hello *hello);

// Values that RFC 8701 reserves to keep servers tolerant: 0x0a0a, 0x1a1a ... 0xfafa.
static inline bool is_grease(uint16_t number)
{
    return (number & 0x0f0f) == 0x0a0a && number >> 8 == (number & 0xff);
}

// The next protocol of an ALPN list that is not GREASE; false at the end.
bool hello_next_protocol(struct cursor *protocols, struct cursor *protocol);
