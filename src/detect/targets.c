#include "detect/targets.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "detect/target_index.h"

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

// The rows are left untouched: a new row is emptied where it is made.
struct target_table *target_table_create(void)
{
    struct target_table *table = malloc(sizeof *table);
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
    if (table != NULL && table->count != 0)
        memset(table, 0, offsetof(struct target_table, rows));
}

// An IPv4 address and the IPv6 address that begins with its bytes are two.
uint64_t source_hash(const struct address *source, uint64_t seed)
{
    return hash_16_bytes(source->bytes, seed + source->version);
}

uint64_t target_hash(const struct endpoint *target, uint64_t seed)
{
    static const uint64_t odd = 0x9e3779b97f4a7c15; // 2^64 / the golden ratio
    return source_hash(&target->address, seed ^ (target->port + 1u) * odd);
}

static struct target_index index_of(struct target_table *table)
{
    return (struct target_index){table->places, table->hashes, TARGET_PLACES - 1};
}

// The hand passes over each rank once: ranks only grow, and whoever takes a row takes its rank.
static unsigned find_least(struct target_table *table)
{
    for (;;) {
        uint32_t least = UINT32_MAX;
        for (unsigned looked = 0; looked < TARGETS_MAXIMUM; looked++) {
            unsigned row = table->hand = (table->hand + 1) % TARGETS_MAXIMUM;
            if (table->ranks[row] <= table->least_rank)
                return row;
            if (table->ranks[row] < least)
                least = table->ranks[row];
        }
        table->least_rank = least;
    }
}

static void empty_row(struct target_row *row)
{
    row->sample_count = 0;
    row->counts[0] = row->counts[1] = 0;
    row->sources.count = 0;
    row->sources.more = false;
    memset(row->heaviest.packets, 0, sizeof row->heaviest.packets);
}

static unsigned make_row(struct target_table *table, const struct endpoint *target, uint64_t hash)
{
    struct target_index index = index_of(table);
    unsigned row = table->count;
    if (row < TARGETS_MAXIMUM) {
        table->count++;
        table->ranks[row] = 0;
    } else {
        row = find_least(table);
        table->lost += table->rows[row].counts[0] + table->rows[row].counts[1];
        target_index_remove(&index, row);
    }
    table->hashes[row] = hash;
    target_index_insert(&index, row);
    table->rows[row].target = *target;
    empty_row(&table->rows[row]);
    return row;
}

struct target_row *target_table_row(struct target_table *table, const struct endpoint *target, uint64_t hash,
                                    uint32_t packets)
{
    struct target_index index = index_of(table);
    unsigned row = target_index_find(&index, hash);
    if (row == TARGET_INDEX_NONE)
        row = make_row(table, target, hash);
    uint32_t rank = table->ranks[row] + packets;
    table->ranks[row] = rank >= packets ? rank : UINT32_MAX;
    assert(row < table->count);
    return &table->rows[row];
}
