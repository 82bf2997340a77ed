// The text that a fingerprint hashes, and the lists that make it. On the stack of the fingerprint's
// function. Used by ja3.c and ja4.c only. Pure.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decode/app/hello.h"

// A list of 16-bit numbers takes at most three characters a byte of the hello ("65535-"); one of bytes
// is at most 255 times "255-".
enum { JA_TEXT_BYTES = 3 * HELLO_BYTES_MAX + 4 * 255 + 64, JA_NUMBERS_MAX = HELLO_BYTES_MAX / 2 };

struct ja_text {
    size_t length;
    char characters[JA_TEXT_BYTES]; // not terminated
};

// Numbers of a hello without the GREASE ones.
struct ja_numbers {
    size_t count;
    uint16_t number[JA_NUMBERS_MAX];
};

void ja_add_character(struct ja_text *text, char character);
void ja_add_decimal(struct ja_text *text, unsigned number);
void ja_add_hex(struct ja_text *text, uint16_t number); // four lower-case digits

void ja_keep_list(struct ja_numbers *numbers, struct cursor list);
// The types in an extension block that could be read whole.
void ja_keep_extensions(struct ja_numbers *numbers, struct cursor extensions);
