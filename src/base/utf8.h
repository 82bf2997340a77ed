// Characters of UTF-8 (RFC 3629) among bytes of the wire. Pure; any thread.
#pragma once

#include <stddef.h>
#include <stdint.h>

// Bytes of the multi-byte character at `at`; 0 when it is ASCII, broken, or a control (those that turn the direction
// of text included). `left` > 0.
size_t utf8_character(const uint8_t *at, size_t left);
