#include "base/seal.h"

#include <criterion/criterion.h>
#include <string.h>

Test(seal, is_aes)
{
    // FIPS 197, appendix C.1.
    struct seal_key key;
    uint8_t block[SEAL_BYTES];
    static const uint8_t sealed[SEAL_BYTES] = {0x69, 0xc4, 0xe0, 0xd8, 0x6a, 0x7b, 0x04, 0x30,
                                               0xd8, 0xcd, 0xb7, 0x80, 0x70, 0xb4, 0xc5, 0x5a};
    for (unsigned i = 0; i < SEAL_BYTES; i++) {
        key.bytes[i] = (uint8_t)i;
        block[i] = (uint8_t)(0x11 * i);
    }
    cr_assert(seal_close(&key, block));
    cr_expect_arr_eq(block, sealed, sizeof sealed);
    cr_assert(seal_open(&key, block));
    cr_expect_eq(block[15], 0xff);
}

Test(seal, keys_differ)
{
    struct seal_key one, other;
    cr_assert(seal_key_make(&one) && seal_key_make(&other));
    cr_expect_neq(memcmp(&one, &other, sizeof one), 0);
}
