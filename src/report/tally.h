// A bounded table that counts by key: hosts, names, services of the report. When it is full the smaller half
// is given up at once, so that the heavy ones stay and every count is a lower bound, exact while `given_up`
// is 0. One owner, one thread; a row is allocated when its key is first met.
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { TALLY_COUNTS = 4, TALLY_KEY_MAXIMUM = 512 };

struct tally_row {
    uint64_t weight; // what the order and giving up go by
    uint64_t counts[TALLY_COUNTS];
    char *label; // owned; NULL = none
    uint16_t key_length;
    uint8_t key[]; // and a terminator behind it
};

struct tally {
    struct tally_row **places; // open addressing; NULL = free
    size_t room;               // a power of two, 0 before the first row
    size_t count, capacity;
    uint64_t given_up; // rows
};

void tally_init(struct tally *tally, size_t capacity);
void tally_done(struct tally *tally);

// The row of a key of at most TALLY_KEY_MAXIMUM bytes, made when there is none. Valid until the next call.
// NULL without memory.
struct tally_row *tally_at(struct tally *tally, const void *key, size_t length);

// Sets the label when there is none yet; NULL and "" do nothing.
void tally_label(struct tally_row *row, const char *label);

// Closes the table for more and puts its rows at places[0..count), heaviest first, equal ones by key. Returns how many
// that are, `most` at most.
unsigned tally_sort(struct tally *tally, unsigned most);

// What a list shows of a row: fills one element, which borrows the row's texts.
typedef void tally_fill(void *element, const struct tally_row *row);

// The `most` heaviest rows as an array, which the caller frees; NULL without memory. Closes the table.
void *tally_list(struct tally *tally, unsigned most, tally_fill *fill, size_t element_bytes, unsigned *count);
