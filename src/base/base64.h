// Base64 (RFC 4648 section 4, padded). Pure; any thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>

// Bytes that base64_encode() writes, terminator included.
#define BASE64_TEXT_BYTES(length) (((length) + 2) / 3 * 4 + 1)

// Writes BASE64_TEXT_BYTES(length) bytes, terminated; returns `into`.
char *base64_encode(const void *bytes, size_t length, char *into);

// The bytes of a text, padded or not, `room` at most. False when it is no base64 or too long.
bool base64_decode(const char *text, size_t length, void *into, size_t room, size_t *bytes);
