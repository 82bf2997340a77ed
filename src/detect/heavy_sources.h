// Who is behind a large count: a Misra-Gries summary (Misra and Gries, "Finding repeated elements", 1982), merged as in
// Agarwal, Cormode, Huang, Phillips, Wei and Yi, "Mergeable summaries" (PODS 2012). With HEAVY_SOURCES = k entries and n
// packets in all, in whatever order they came and were merged, each source's packets are told too low by at most
// n / (k + 1), a ninth, and never too high: whoever sent more than a ninth is there. Sizing law: an error of n * e takes
// 25 / e bytes.
// 200 bytes; adding compares HEAVY_SOURCES hashes, in one cache line with their counts. Which of equally heavy sources stay follows from their hashes alone.
// Embedded, zeros = empty; pure; any thread.
#pragma once

#include "net/address.h"

enum { HEAVY_SOURCES = 8 };

struct heavy_sources {
    uint32_t hash[HEAVY_SOURCES];    // keyed, of the address: what sources are told apart by
    uint32_t packets[HEAVY_SOURCES]; // 0 = free; no more than fit
    struct address address[HEAVY_SOURCES];
};

void heavy_sources_add(struct heavy_sources *sources, const struct address *address, uint32_t hash,
                       uint32_t packets);
void heavy_sources_merge(struct heavy_sources *into, const struct heavy_sources *from);

struct heavy_source {
    struct address address;
    uint32_t hash, packets;
};
// The heaviest first, equal ones by their hashes; returns how many there are.
unsigned heavy_sources_list(const struct heavy_sources *sources, struct heavy_source out[HEAVY_SOURCES]);
