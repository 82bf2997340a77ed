// The records that carry a ClientHello on a TCP stream (RFC 8446 5.1, SSLv2's header of draft-hickman-netscape-ssl). Used
// by the TLS files of this folder only. Pure.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decode/app/hello.h"

// A hello in more records than that is read as far as they go.
enum { TLS_RECORDS_MAX = 64 };

// The handshake message that records carry, or as much of it as is at hand.
struct tls_records {
    const uint8_t *message; // in the records where one holds all of it, else in `joined`
    size_t length;
    uint8_t joined[HELLO_BYTES_MAX];
};

// Whether the bytes, of which there may be fewer than it takes to tell, are or may become a ClientHello's records.
bool tls_records_begin(const uint8_t *bytes, size_t length);
// The bytes of a whole SSLv2 ClientHello at the front; 0: none.
size_t tls_sslv2_bytes(const uint8_t *bytes, size_t length);
void tls_records_read(const uint8_t *bytes, size_t length, struct tls_records *out);
