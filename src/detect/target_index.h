// Finds rows of a table by the keyed hashes of their targets: open addressing with linear probing over places that hold
// row + 1 (0 = free). The places and the hashes (by row) are the table's; there are twice as many places as rows or
// more, a power of two. Internal to detect/; one owner.
#pragma once

#include <stdint.h>

struct target_index {
    uint16_t *places;
    const uint64_t *hashes;
    unsigned mask; // places - 1
};

enum { TARGET_INDEX_NONE = UINT16_MAX };

// The row with that hash; TARGET_INDEX_NONE = there is none.
unsigned target_index_find(const struct target_index *index, uint64_t hash);
// A row that is not there yet.
void target_index_insert(const struct target_index *index, unsigned row);
// A row that is there, before its hash changes.
void target_index_remove(const struct target_index *index, unsigned row);
