// Base64 (RFC 4648 section 4, padded). Pure; any thread.
#pragma once

#include <stddef.h>

// Bytes that base64_encode() writes, terminator included.
#define BASE64_TEXT_BYTES(length) (((length) + 2) / 3 * 4 + 1)

// Writes BASE64_TEXT_BYTES(length) bytes, terminated; returns `into`.
char *base64_encode(const void *bytes, size_t length, char *into);
