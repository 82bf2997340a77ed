// Message digests through OpenSSL, each algorithm fetched once for the process. Any thread. These
// calls allocate a little and take from 0.2 microseconds: for values that leave, not for a packet.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum digest_algorithm { DIGEST_MD5, DIGEST_SHA1, DIGEST_SHA256, DIGEST_ALGORITHMS };
enum { DIGEST_BYTES_MAX = 32, DIGEST_HEX_MAX = 2 * DIGEST_BYTES_MAX + 1 };

// Bytes of a digest: 16, 20, 32.
size_t digest_size(enum digest_algorithm algorithm);

// One shot; writes digest_size() bytes. False (and zeros) when the library refuses the algorithm, as
// one that runs in FIPS mode does with MD5, or has no memory.
bool digest_bytes(enum digest_algorithm algorithm, const void *bytes, size_t length,
                  uint8_t into[DIGEST_BYTES_MAX]);

// Lower-case hexadecimal of `length` (at most DIGEST_BYTES_MAX) bytes, terminated.
char *digest_hex(const uint8_t *bytes, size_t length, char into[DIGEST_HEX_MAX]);
