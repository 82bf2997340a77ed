// What a ClientHello offers, as one short text without NUL: all that its fingerprints are made of, kept with the flow so
// that digests are made only where a record is written. GREASE is left out. Used by the TLS files of this folder only.
// Pure; making one costs some 2 ns a number, and the numbers are bounded.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decode/app/hello.h"
#include "decode/app/tls.h"

enum offer_list {
    OFFER_CIPHERS,
    OFFER_EXTENSIONS,
    OFFER_GROUPS,
    OFFER_FORMATS,
    OFFER_SIGNATURES,
    OFFER_LISTS
};

// A number takes three bytes of the text, what is no list 14 at most.
enum { OFFER_NUMBER_BYTES = 3, OFFER_NUMBERS_MAX = (TLS_OFFER_BYTES - 14) / OFFER_NUMBER_BYTES };

struct offer {
    char transport; // 't', 'q', 'd'
    uint16_t legacy_version;
    uint16_t version; // the highest of supported_versions, else the legacy one
    bool server_name;
    char protocol[2]; // JA4's two characters of the first protocol
    struct {
        size_t count;
        uint16_t number[OFFER_NUMBERS_MAX];
    } list[OFFER_LISTS];
};

// "" when the lists are longer than a text may be.
void offer_write(const struct hello *hello, char into[TLS_OFFER_BYTES]);
// False: no text of offer_write().
bool offer_read(const char *text, struct offer *out);
