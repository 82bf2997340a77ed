#include "detect/targets.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "detect/eight_words.h"

_Static_assert(offsetof(struct target_row, samples) == CACHE_LINE, "the head is a cache line");
_Static_assert(sizeof(struct target_set) == CACHE_LINE, "a set is a cache line");
_Static_assert((int)TARGET_SET == (int)EIGHT_WORDS, "tags are compared at once");

static int compare_endpoints(const struct endpoint *left, const struct endpoint *right)
{
    int order = address_compare(&left->address, &right->address);
    return order != 0 ? order : (left->port > right->port) - (left->port < right->port);
}

int target_sample_compare(const struct target_sample *left, const struct target_sample *right)
{
    int64_t left_ns = left->flow.first_seen_ns, right_ns = right->flow.first_seen_ns;
    if (left_ns != right_ns)
        return left_ns < right_ns ? -1 : 1;
    int order = compare_endpoints(&left->flow.client, &right->flow.client);
    return order != 0 ? order : compare_endpoints(&left->flow.server, &right->flow.server);
}

// The rows are left untouched: each is emptied where it is made.
struct target_table *target_table_create(void)
{
    struct target_table *table = aligned_alloc(CACHE_LINE, sizeof *table);
    if (table != NULL)
        memset(table, 0, offsetof(struct target_table, rows));
    return table;
}

void target_table_destroy(struct target_table *table)
{
    free(table);
}

void target_table_reset(struct target_table *table)
{
    if (table != NULL && table->used != 0)
        memset(table, 0, offsetof(struct target_table, rows));
}

// An IPv4 address and the IPv6 address that begins with its bytes are two.
static uint64_t hash_of(const struct address *address, uint64_t seed)
{
    return hash_16_bytes(address->bytes, seed + address->version);
}

uint32_t source_hash(const struct address *source, uint64_t seed)
{
    return (uint32_t)(hash_of(source, seed) >> 32);
}

uint64_t target_hash(const struct address *target, uint16_t port, uint64_t seed)
{
    static const uint64_t odd = 0x9e3779b97f4a7c15; // 2^64 / the golden ratio
    return hash_of(target, seed ^ (port + 1u) * odd);
}

// The first of the smallest; without a branch, for none of them could be foretold.
static unsigned least_of(const struct target_set *set)
{
    uint64_t least = UINT64_MAX;
    for (unsigned way = 0; way < TARGET_SET; way++) {
        uint64_t rank = (uint64_t)set->ranks[way] << 32 | way;
        least = rank < least ? rank : least;
    }
    return (unsigned)least;
}

static void begin_row(struct target_row *row, const struct address *target, uint16_t port)
{
    row->counts[0] = row->counts[1] = 0;
    row->target.address = *target;
    row->target.port = port;
    row->first_packets = 0;
    row->sample_count = 0;
    row->sketched = false;
}

// Whose counts are lost, if there is nothing free.
static struct target_row *make_row(struct target_table *table, unsigned number, uint64_t hash)
{
    struct target_set *set = &table->sets[number];
    unsigned way = least_of(set), place = number * TARGET_SET + way;
    struct target_row *row = &table->rows[place];
    if (set->ranks[way] != 0)
        table->lost += row->counts[0] + row->counts[1];
    table->used |= UINT64_C(1) << place;
    set->tags[way] = (uint32_t)hash;
    row->hash = hash;
    return row;
}

static void add_rank(struct target_table *table, const struct target_row *row, uint32_t packets)
{
    size_t place = (size_t)(row - table->rows);
    uint32_t *rank = &table->sets[place / TARGET_SET].ranks[place % TARGET_SET];
    *rank = *rank + packets >= packets ? *rank + packets : UINT32_MAX;
}

static struct target_row *find_row(struct target_table *table, unsigned number, uint64_t hash)
{
    const struct target_set *set = &table->sets[number];
    for (unsigned left = eight_words_match(set->tags, (uint32_t)hash); left != 0; left &= left - 1) {
        unsigned way = (unsigned)__builtin_ctz(left);
        struct target_row *row = &table->rows[number * TARGET_SET + way];
        if (set->ranks[way] != 0 && row->hash == hash)
            return row;
    }
    return NULL;
}

struct target_row *target_table_row(struct target_table *table, const struct address *target, uint16_t port,
                                    uint64_t hash, uint32_t packets)
{
    assert(packets > 0);
    unsigned number = (unsigned)(hash >> 61);
    _Static_assert(TARGETS_MAXIMUM / TARGET_SET == 1 << (64 - 61), "the upper bits name a set");
    struct target_row *row = find_row(table, number, hash);
    if (row == NULL) {
        row = make_row(table, number, hash);
        begin_row(row, target, port);
    }
    add_rank(table, row, packets);
    return row;
}

// Of the first packet.
static const struct address *first_address(const struct target_row *row)
{
    assert(row->sample_count > 0);
    const struct target_sample *sample = &row->samples[0];
    return sample->from_server ? &sample->flow.server.address : &sample->flow.client.address;
}

static void begin_sketches(struct target_row *row)
{
    row->sketched = true;
    row->sources.count = 0;
    row->sources.more = false;
    memset(row->heaviest.packets, 0, sizeof row->heaviest.packets);
    distinct_sources_add(&row->sources, row->first_source);
    heavy_sources_add(&row->heaviest, first_address(row), row->first_source, row->first_packets);
}

void target_row_add_source(struct target_row *row, const struct address *source, uint32_t hash,
                           uint32_t packets)
{
    if (row->first_packets == 0 || (!row->sketched && row->first_source == hash)) {
        row->first_source = hash;
        row->first_packets += packets;
        return;
    }
    if (!row->sketched)
        begin_sketches(row);
    distinct_sources_add(&row->sources, hash);
    heavy_sources_add(&row->heaviest, source, hash, packets);
}

void target_row_sources(const struct target_row *row, struct distinct_sources *sources,
                        struct heavy_sources *heaviest)
{
    if (row->sketched) {
        distinct_sources_merge(sources, &row->sources);
        heavy_sources_merge(heaviest, &row->heaviest);
    } else if (row->first_packets != 0) {
        distinct_sources_add(sources, row->first_source);
        heavy_sources_add(heaviest, first_address(row), row->first_source, row->first_packets);
    }
}
