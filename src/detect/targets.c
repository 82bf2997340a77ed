#include "detect/targets.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/hash.h"

_Static_assert(offsetof(struct target_row, samples) == CACHE_LINE, "the head is a cache line");
_Static_assert(sizeof(struct target_set) == CACHE_LINE, "a set is a cache line");

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

struct target_table *target_table_create(void)
{
    struct target_table *table = aligned_alloc(CACHE_LINE, sizeof *table);
    if (table != NULL)
        memset(table, 0, sizeof *table);
    return table;
}

void target_table_destroy(struct target_table *table)
{
    if (table == NULL)
        return;
    free(table->rows);
    free(table->sketches);
    free(table);
}

static void empty_sets(struct target_table *table, unsigned partition)
{
    for (unsigned left = table->used[partition]; left != 0; left &= left - 1) {
        struct target_set *set = &table->sets[partition][__builtin_ctz(left)];
        memset(set->ranks, 0, sizeof set->ranks);
    }
    table->used[partition] = 0;
}

void target_table_reset(struct target_table *table)
{
    if (table == NULL)
        return;
    for (unsigned partition = 0; partition < FLOW_PARTITIONS && table->row_count != 0; partition++)
        empty_sets(table, partition);
    if (evidence_is_excess(table->row_room, table->row_count)) {
        free(table->rows);
        table->rows = NULL;
        table->row_room = 0;
    }
    if (evidence_is_excess(table->sketch_room, table->sketch_count)) {
        free(table->sketches);
        table->sketches = NULL;
        table->sketch_room = 0;
    }
    table->row_count = table->sketch_count = 0;
    table->lost = 0;
}

// Items for twice as many, where `count` are in use; NULL without memory.
static void *grow(void *items, unsigned count, unsigned *room, size_t item_bytes)
{
    unsigned wanted = *room != 0 ? *room * 2 : 64;
    assert(item_bytes * wanted % CACHE_LINE == 0);
    void *grown = aligned_alloc(CACHE_LINE, wanted * item_bytes);
    if (grown == NULL)
        return NULL;
    if (count != 0)
        memcpy(grown, items, count * item_bytes);
    free(items);
    *room = wanted;
    return grown;
}

static bool has_room_for_row(struct target_table *table)
{
    if (table->row_count < table->row_room)
        return true;
    void *rows = grow(table->rows, table->row_count, &table->row_room, sizeof *table->rows);
    if (rows != NULL)
        table->rows = rows;
    return rows != NULL;
}

static bool has_room_for_sketch(struct target_table *table)
{
    if (table->sketch_count < table->sketch_room)
        return true;
    void *sketches = grow(table->sketches, table->sketch_count, &table->sketch_room, sizeof *table->sketches);
    if (sketches != NULL)
        table->sketches = sketches;
    return sketches != NULL;
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

static void begin_row(struct target_row *row, const struct target_name *name)
{
    row->hash = name->hash;
    row->counts[0] = row->counts[1] = 0;
    row->target.address = *name->address;
    row->target.port = name->port;
    row->first_packets = 0;
    row->sample_count = 0;
    row->sketched = false;
}

static unsigned set_of(const struct target_name *name)
{
    _Static_assert(TARGET_SETS == 1 << (64 - 61), "the upper bits name a set");
    return (unsigned)(name->hash >> 61);
}

// Gives up the one whose counts are lost, if there is nothing free; returns its way, TARGET_SET without memory.
static unsigned make_row(struct target_table *table, const struct target_name *name)
{
    unsigned number = set_of(name);
    struct target_set *set = &table->sets[name->partition][number];
    unsigned way = least_of(set);
    if (set->ranks[way] == 0) {
        if (!has_room_for_row(table))
            return TARGET_SET;
        table->rows[table->row_count].sketch = 0;
        set->rows[way] = (uint16_t)table->row_count++;
        table->used[name->partition] |= (uint8_t)(1u << number);
    } else {
        const struct target_row *former = &table->rows[set->rows[way]];
        table->lost += former->counts[0] + former->counts[1];
    }
    set->tags[way] = (uint16_t)name->hash;
    begin_row(&table->rows[set->rows[way]], name);
    return way;
}

static void add_rank(uint32_t *rank, uint32_t packets)
{
    *rank = *rank + packets >= packets ? *rank + packets : UINT32_MAX;
}

// The ways with that tag, as bits.
#ifdef __SSE2__
static unsigned match_of(const struct target_set *set, uint16_t tag)
{
    __m128i tags = _mm_load_si128((const __m128i *)(const void *)set->tags);
    __m128i words = _mm_cmpeq_epi16(tags, _mm_set1_epi16((short)tag));
    return (unsigned)_mm_movemask_epi8(_mm_packs_epi16(words, words)) & ((1u << TARGET_SET) - 1);
}
_Static_assert(TARGET_SET == 8 && offsetof(struct target_set, tags) % 16 == 0, "a vector of tags");
#else
static unsigned match_of(const struct target_set *set, uint16_t tag)
{
    unsigned ways = 0;
    for (unsigned way = 0; way < TARGET_SET; way++)
        ways |= (unsigned)(set->tags[way] == tag) << way;
    return ways;
}
#endif

// TARGET_SET = there is none.
static unsigned find_row(const struct target_table *table, const struct target_set *set, uint64_t hash)
{
    for (unsigned left = match_of(set, (uint16_t)hash); left != 0; left &= left - 1) {
        unsigned way = (unsigned)__builtin_ctz(left);
        if (set->ranks[way] != 0 && table->rows[set->rows[way]].hash == hash)
            return way;
    }
    return TARGET_SET;
}

struct target_row *target_table_row(struct target_table *table, const struct target_name *name,
                                    uint32_t packets)
{
    assert(packets > 0 && name->partition < FLOW_PARTITIONS);
    struct target_set *set = &table->sets[name->partition][set_of(name)];
    unsigned way = find_row(table, set, name->hash);
    if (way == TARGET_SET && (way = make_row(table, name)) == TARGET_SET)
        return NULL;
    add_rank(&set->ranks[way], packets);
    assert(set->rows[way] < table->row_count);
    return &table->rows[set->rows[way]];
}

const struct target_row *target_table_next(const struct target_table *table, unsigned partition,
                                           unsigned *place)
{
    for (; *place < TARGETS_MAXIMUM && table->used[partition] >> *place / TARGET_SET != 0; ++*place) {
        const struct target_set *set = &table->sets[partition][*place / TARGET_SET];
        if ((table->used[partition] >> *place / TARGET_SET & 1) == 0) {
            *place += TARGET_SET - 1;
            continue;
        }
        unsigned way = *place % TARGET_SET;
        if (set->ranks[way] != 0) {
            ++*place;
            return &table->rows[set->rows[way]];
        }
    }
    return NULL;
}

// Of the first packet.
static const struct address *first_address(const struct target_row *row)
{
    assert(row->sample_count > 0);
    const struct target_sample *sample = &row->samples[0];
    return sample->from_server ? &sample->flow.server.address : &sample->flow.client.address;
}

// NULL without memory.
static struct target_sketch *begin_sketch(struct target_table *table, struct target_row *row)
{
    if (row->sketch == 0) {
        if (!has_room_for_sketch(table))
            return NULL;
        row->sketch = (uint16_t)++table->sketch_count;
    }
    struct target_sketch *sketch = &table->sketches[row->sketch - 1];
    row->sketched = true;
    sketch->sources.count = 0;
    sketch->sources.more = false;
    memset(sketch->heaviest.packets, 0, sizeof sketch->heaviest.packets);
    distinct_sources_add(&sketch->sources, row->first_source);
    heavy_sources_add(&sketch->heaviest, first_address(row), row->first_source, row->first_packets);
    return sketch;
}

void target_row_add_source(struct target_table *table, struct target_row *row, const struct address *source,
                           uint32_t hash, uint32_t packets)
{
    if (row->first_packets == 0 || (!row->sketched && row->first_source == hash)) {
        row->first_source = hash;
        row->first_packets += packets;
        return;
    }
    struct target_sketch *sketch =
        row->sketched ? &table->sketches[row->sketch - 1] : begin_sketch(table, row);
    if (sketch == NULL)
        return;
    distinct_sources_add(&sketch->sources, hash);
    heavy_sources_add(&sketch->heaviest, source, hash, packets);
}

void target_row_sources(const struct target_table *table, const struct target_row *row,
                        struct distinct_sources *sources, struct heavy_sources *heaviest)
{
    if (row->sketched) {
        assert(row->sketch <= table->sketch_count);
        const struct target_sketch *sketch = &table->sketches[row->sketch - 1];
        distinct_sources_merge(sources, &sketch->sources);
        heavy_sources_merge(heaviest, &sketch->heaviest);
    } else if (row->first_packets != 0) {
        distinct_sources_add(sources, row->first_source);
        heavy_sources_add(heaviest, first_address(row), row->first_source, row->first_packets);
    }
}
