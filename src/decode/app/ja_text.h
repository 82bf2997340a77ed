// The text that a fingerprint hashes. On the stack of the fingerprint's function. Used by ja3.c and ja4.c only. Pure.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "decode/app/offer.h"

// A number takes six characters at most ("65535-").
enum { JA_TEXT_BYTES = 6 * (OFFER_NUMBERS_MAX + 2) + 16 };

struct ja_text {
    size_t length;
    char characters[JA_TEXT_BYTES]; // not terminated
};

void ja_add_character(struct ja_text *text, char character);
void ja_add_decimal(struct ja_text *text, unsigned number);
void ja_add_hex(struct ja_text *text, uint16_t number); // four lower-case digits
