// A block of sixteen bytes under a secret key (AES-128): whoever has no key can neither read nor make one, and what was
// changed opens to noise. For values that go out and come back: cursors and tokens. Any thread. Cost: a microsecond.
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { SEAL_BYTES = 16 };

struct seal_key {
    uint8_t bytes[SEAL_BYTES];
};

bool seal_key_make(struct seal_key *key); // a random one; false when the system has no randomness
// False when the library refuses.
bool seal_close(const struct seal_key *key, uint8_t block[SEAL_BYTES]);
bool seal_open(const struct seal_key *key, uint8_t block[SEAL_BYTES]);
