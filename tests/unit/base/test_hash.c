#include "base/hash.h"

#include <criterion/criterion.h>
#include <string.h>

// XXH3_64bits of nothing with seed 0, as xxHash's own test vectors have it.
Test(hash, is_xxh3)
{
    cr_expect_eq(hash_bytes(NULL, 0, 0), UINT64_C(0x2d06800538d394c2));
}

Test(hash, repeats)
{
    const char *text = "10.0.0.1:443";
    cr_expect_eq(hash_bytes(text, strlen(text), 7), hash_bytes(text, strlen(text), 7));
}

Test(hash, depends_on_the_seed)
{
    cr_expect_neq(hash_bytes("flow", 4, 1), hash_bytes("flow", 4, 2));
}

Test(hash, depends_on_the_length)
{
    const char zeros[8] = {0};
    cr_expect_neq(hash_bytes(zeros, 7, 1), hash_bytes(zeros, 8, 1));
}

// Neighbouring keys must not share their low bits: those choose buckets.
Test(hash, spreads_neighbours_over_buckets)
{
    unsigned counts[64] = {0};
    for (uint32_t key = 0; key < 64000; key++)
        counts[hash_bytes(&key, sizeof key, 42) % 64]++;
    for (unsigned i = 0; i < 64; i++)
        cr_expect(counts[i] > 850 && counts[i] < 1150, "bucket %u holds %u", i, counts[i]);
}
