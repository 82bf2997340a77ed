// A bounded table that counts by key: hosts, names, services of the report. When it is full the smaller half
// is given up at once, so that the heavy ones stay and every count is a lower bound, exact while `given_up`
// is 0. One owner, one thread.
//
// Whoever counts many keys in a row hashes them all first, then prefetches their places, then their rows, then counts:
// the misses overlap. A row of a short key is a cache line.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/prefetch.h"

enum { TALLY_COUNTS = 4, TALLY_KEY_MAXIMUM = 512, TALLY_NEAR_BYTES = 19 };

struct tally_row {
    uint64_t weight; // what the order and giving up go by
    uint64_t counts[TALLY_COUNTS];
    uint32_t label;      // number of the tally's label; 0 = none
    uint8_t near_length; // of the key; 0 = it lies apart: `near` holds the pointer to a struct far_key
    uint8_t near[TALLY_NEAR_BYTES];
};
_Static_assert(sizeof(struct tally_row) == 64, "a cache line");

struct tally_place {
    uint32_t tag; // the upper half of the hash, by which it is placed
    uint32_t row; // its number + 1; 0 = free
};

struct tally {
    uint64_t seed;              // random: nobody can choose keys that meet
    struct tally_place *places; // open addressing
    size_t room;                // of places: a power of two, 0 before the first row
    struct tally_row *rows;
    size_t row_room;
    size_t count, capacity;
    uint64_t given_up; // rows
    char **labels;     // owned; [0] is unused
    size_t label_count, label_room;
};

void tally_init(struct tally *tally, size_t capacity);
void tally_done(struct tally *tally);

uint64_t tally_hash(const struct tally *tally, const void *key, size_t length);

PREFETCHING void tally_prefetch_place(const struct tally *tally, uint64_t hash)
{
    if (tally->room > 0)
        prefetch_read(&tally->places[hash >> 32 & (tally->room - 1)]);
}

// The row that the first place names, which nearly always is the key's.
PREFETCHING void tally_prefetch_row(const struct tally *tally, uint64_t hash)
{
    uint32_t row = tally->room > 0 ? tally->places[hash >> 32 & (tally->room - 1)].row : 0;
    if (row != 0)
        prefetch_write(&tally->rows[row - 1]);
}

// The row of a key of 1 to TALLY_KEY_MAXIMUM bytes, made when there is none. The hash is tally_hash() or a cheaper one
// with the tally's seed, for all keys of a tally the same; its upper half counts. Valid until the next call. NULL
// without memory.
struct tally_row *tally_at(struct tally *tally, uint64_t hash, const void *key, size_t length);

// Sets the label when there is none yet; "" does nothing.
void tally_label(struct tally *tally, struct tally_row *row, const char *label);
const char *tally_label_of(const struct tally *tally, const struct tally_row *row); // NULL = none

const uint8_t *tally_key(const struct tally_row *row, size_t *length);

// The `most` heaviest rows, heaviest first, equal ones by key; returns how many there are.
size_t tally_heaviest(const struct tally *tally, const struct tally_row **rows, size_t most);

// The same as a list of values: up to `most` of them of `bytes` each, made of their rows by `fill`. The caller frees
// it; NULL without memory.
typedef void tally_fill(const struct tally *tally, const struct tally_row *row, void *into);
void *tally_list(const struct tally *tally, size_t most, size_t bytes, tally_fill *fill, unsigned *count);
