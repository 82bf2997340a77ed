// Columns: one value each of up to 64 flows. A question to a column is put to all of its places in one loop of fixed
// length without a branch, which compilers turn into vector code where the machine has any; its answer is a word of bits,
// one a place. What lies in places that no flow has is never read but for that, and the caller masks its bits.
// Cost: some 15 ns for 32 bits a value, 25 ns for 64. Pure; internal to flow/.
#pragma once

#include <stdint.h>
#include <string.h>

enum { COLUMN_PLACES = 64 };

// Bytes of 0 and 1 as bits: eight of them meet in the highest byte of a product.
static inline uint64_t column_bits(const uint8_t places[COLUMN_PLACES])
{
    uint64_t bits = 0;
    for (unsigned i = 0; i < COLUMN_PLACES; i += 8) {
        uint64_t eight;
        memcpy(&eight, places + i, sizeof eight);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        eight = __builtin_bswap64(eight);
#endif
        bits |= (eight * UINT64_C(0x0102040810204080) >> 56) << i;
    }
    return bits;
}

// Where the value is in [first, last].
static inline uint64_t column_within_32(const uint32_t column[COLUMN_PLACES], uint32_t first, uint32_t last)
{
    uint8_t within[COLUMN_PLACES];
    for (unsigned i = 0; i < COLUMN_PLACES; i++)
        within[i] = column[i] - first <= last - first;
    return column_bits(within);
}

static inline uint64_t column_within(const uint64_t column[COLUMN_PLACES], uint64_t first, uint64_t last)
{
    uint64_t bits = 0;
    for (unsigned i = 0; i < COLUMN_PLACES; i += 8) {
        uint64_t eight = 0;
#pragma GCC unroll 8
        for (unsigned j = 0; j < 8; j++)
            eight |= (uint64_t)(column[i + j] - first <= last - first) << j;
        bits |= eight << i;
    }
    return bits;
}

// The number of the lowest bit; it is taken out. Needs one.
static inline unsigned column_take_place(uint64_t *bits)
{
    unsigned place = (unsigned)__builtin_ctzll(*bits);
    *bits &= *bits - 1;
    return place;
}
