// How many different sources there were: a sketch of the DISTINCT_SOURCES smallest keyed hashes (k minimum values:
// Bar-Yossef, Jayram, Kumar, Sivakumar and Trevisan, "Counting distinct elements in a data stream", RANDOM 2002).
// Exact up to DISTINCT_SOURCES members. Beyond, (k - 1) / (the k-th smallest, as a part of all hashes), which is unbiased
// with a standard error of 1 / sqrt(k - 2): 12.7 % at 64. Sizing law: an error e takes 4 / e^2 bytes.
// The union of two keeps the smallest of both: what comes of many does not depend on their order, byte for byte. All
// are of one size, so that a union needs no rule for sketches that know different parts of their sets.
// 260 bytes. Adding a hash costs a comparison while it is none of the smallest, else a binary search and a move.
// Hashes of 32 bits: of n sources, n / 2^33 are taken for others.
// Embedded, zeros = empty; pure; any thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { DISTINCT_SOURCES = 64 };

struct distinct_sources {
    uint16_t count;
    bool more;                           // than there is room for
    uint32_t smallest[DISTINCT_SOURCES]; // ascending
};

// Equal hashes are one member: keyed ones, so that nobody can choose them.
void distinct_sources_add(struct distinct_sources *sources, uint32_t hash);
void distinct_sources_merge(struct distinct_sources *into, const struct distinct_sources *from);
uint64_t distinct_sources_estimate(const struct distinct_sources *sources);
