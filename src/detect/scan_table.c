#include "detect/scan_table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/prefetch.h"
#include "base/time.h"

enum {
    INDEX_PLACES = 2 * SCAN_ROWS,
    TOUCHED = 8192, // rows to be judged in a tick
    LOOKED_AT = 8,  // rows of which a full table gives one up
    GIVEN_UP = 8,   // rows that it gives up at once
    SWEPT = 128,    // rows of which a tick gives up the silent ones
    NO_ROW = UINT32_MAX,
};
static const int64_t silence_ns = 15 * 60 * NS_PER_S;

struct scan_table {
    uint64_t seed;
    int64_t pane_ns[SCAN_SPANS];
    double least; // that failed, in rows which are judged
    uint32_t rows,
        free_row; // that were ever used; the first of those given up (linked by `tick`), NO_ROW = none
    uint32_t blocks, hand, round, block_hand, sweep;
    uint32_t tick;
    unsigned touched, judged;
    uint32_t touch[TOUCHED];
    uint16_t weight[SCAN_ROWS]; // first contacts of each row, apart: of a flood, many are compared
    uint64_t *index;            // hash and row + 1; open addressing
    struct scan_row *row;
    struct scan_block *block;
};

static uint32_t key_hash(const struct scan_table *table, const struct scan_key *key)
{
    return (uint32_t)hash_bytes(key, sizeof *key, table->seed) | 1;
}

uint64_t scan_table_hash(const struct scan_table *table, const void *bytes, size_t length)
{
    return hash_bytes(bytes, length, table->seed);
}

struct scan_table *scan_table_create(const uint32_t window_secs[SCAN_SPANS], uint64_t hash_seed)
{
    struct scan_table *table = calloc(1, sizeof *table);
    if (table == NULL)
        return NULL;
    table->seed = hash_seed;
    table->free_row = NO_ROW;
    table->index = calloc(INDEX_PLACES, sizeof *table->index);
    table->row = aligned_alloc(_Alignof(struct scan_row), SCAN_ROWS * sizeof *table->row);
    table->block = calloc(SCAN_BLOCKS, sizeof *table->block);
    if (table->index == NULL || table->row == NULL || table->block == NULL) {
        scan_table_destroy(table);
        return NULL;
    }
    for (int span = 0; span < SCAN_SPANS; span++)
        table->pane_ns[span] = window_secs[span] * NS_PER_S / SCAN_PANES;
    return table;
}

void scan_table_judge_from(struct scan_table *table, double least)
{
    table->least = least;
}

void scan_table_destroy(struct scan_table *table)
{
    if (table == NULL)
        return;
    free(table->index);
    free(table->row);
    free(table->block);
    free(table);
}

// Windows.

// The window that the members of a row without a block make.
static struct scan_window replay(const struct scan_table *table, const struct scan_row *row,
                                 enum scan_span span)
{
    struct scan_window window = {0};
    for (unsigned i = 0; i < row->members; i++)
        scan_window_add(&window, row->few[i].at_ns / table->pane_ns[span], 1, (row->failed >> i & 1) != 0);
    return window;
}

struct scan_count scan_row_count(const struct scan_table *table, const struct scan_row *row,
                                 enum scan_span span)
{
    if (row->block != 0)
        return scan_window_sum(&table->block[row->block - 1].window[span]);
    struct scan_window window = replay(table, row, span);
    return scan_window_sum(&window);
}

void scan_table_change(struct scan_table *table, const uint32_t window_secs[SCAN_SPANS])
{
    for (int span = 0; span < SCAN_SPANS; span++) {
        int64_t pane_ns = window_secs[span] * NS_PER_S / SCAN_PANES;
        for (uint32_t i = 0; i < table->blocks && pane_ns != table->pane_ns[span]; i++) {
            struct scan_window *window = &table->block[i].window[span];
            *window = scan_window_refit(window, table->pane_ns[span], pane_ns);
        }
        table->pane_ns[span] = pane_ns;
    }
}

// Rows and their index.

static uint32_t place_of(uint32_t hash)
{
    return (hash >> 1) & (INDEX_PLACES - 1);
}

static uint64_t entry_of(uint32_t hash, uint32_t number)
{
    return (uint64_t)hash << 32 | (number + 1);
}

static uint32_t hash_of_entry(uint64_t entry)
{
    return (uint32_t)(entry >> 32);
}

static uint32_t number_of_entry(uint64_t entry)
{
    assert((uint32_t)entry != 0);
    return (uint32_t)entry - 1;
}

static uint32_t next_place(uint32_t place)
{
    return (place + 1) & (INDEX_PLACES - 1);
}

static uint32_t find_row(const struct scan_table *table, const struct scan_key *key, uint32_t hash)
{
    for (uint32_t place = place_of(hash); table->index[place] != 0; place = next_place(place)) {
        uint64_t entry = table->index[place];
        if (hash_of_entry(entry) == hash &&
            memcmp(&table->row[number_of_entry(entry)].key, key, sizeof *key) == 0)
            return number_of_entry(entry);
    }
    return NO_ROW;
}

static void index_row(struct scan_table *table, uint32_t number)
{
    uint32_t hash = table->row[number].hash, place = place_of(hash);
    while (table->index[place] != 0)
        place = next_place(place);
    table->index[place] = entry_of(hash, number);
}

// Those behind it that could stand in its place move up.
static void unindex_row(struct scan_table *table, uint32_t number)
{
    uint64_t entry = entry_of(table->row[number].hash, number);
    uint32_t hole = place_of(table->row[number].hash);
    while (table->index[hole] != entry) {
        assert(table->index[hole] != 0);
        hole = next_place(hole);
    }
    table->index[hole] = 0;
    for (uint32_t at = next_place(hole); table->index[at] != 0; at = next_place(at)) {
        uint32_t home = place_of(hash_of_entry(table->index[at]));
        if (((at - home) & (INDEX_PLACES - 1)) < ((at - hole) & (INDEX_PLACES - 1)))
            continue;
        table->index[hole] = table->index[at];
        table->index[at] = 0;
        hole = at;
    }
}

static void give_up(struct scan_table *table, uint32_t number)
{
    struct scan_row *row = &table->row[number];
    assert(row->hash != 0);
    unindex_row(table, number);
    if (row->block != 0)
        table->block[row->block - 1].row = NO_ROW;
    row->hash = 0;
    row->tick = table->free_row;
    table->free_row = number;
}

// Of rows that lie together the one with the fewest first contacts; of equal ones another one in each round of the hand.
static uint32_t least_row(struct scan_table *table)
{
    uint32_t least = UINT32_MAX, first = table->hand, round = table->round;
    for (unsigned i = 0; i < LOOKED_AT; i++) {
        uint32_t rank = (uint32_t)table->weight[first + i] << 3 | ((i - round) & (LOOKED_AT - 1));
        least = rank < least ? rank : least;
    }
    _Static_assert(LOOKED_AT == 1 << 3, "ranks hold a place");
    table->hand = (first + LOOKED_AT) % SCAN_ROWS;
    table->round += table->hand == 0;
    return first + ((least + round) & (LOOKED_AT - 1));
}

// A full table: the least each of some rows that lie together. Several at once, so that what is touched is on its way when it
// is needed.
static void make_room(struct scan_table *table)
{
    uint32_t least[GIVEN_UP];
    _Static_assert(SCAN_ROWS % (LOOKED_AT * GIVEN_UP) == 0, "the hand begins anew at the first row");
    for (unsigned i = 0; i < GIVEN_UP; i++) {
        least[i] = least_row(table);
        prefetch_write(&table->row[least[i]]);
    }
    for (unsigned i = 0; i < GIVEN_UP; i++)
        prefetch_write(&table->index[place_of(table->row[least[i]].hash)]);
    for (unsigned i = GIVEN_UP; i > 0; i--)
        give_up(table, least[i - 1]);
}

static uint32_t new_row(struct scan_table *table, const struct scan_key *key, uint32_t hash)
{
    if (table->free_row == NO_ROW && table->rows == SCAN_ROWS)
        make_room(table);
    uint32_t number = table->free_row;
    if (number != NO_ROW)
        table->free_row = table->row[number].tick;
    else
        number = table->rows++;
    struct scan_row *row = &table->row[number];
    memset(row, 0, offsetof(struct scan_row, few));
    row->key = *key;
    row->hash = hash;
    table->weight[number] = 0;
    index_row(table, number);
    return number;
}

// Blocks: for rows with more members than they have room for.

static bool is_lesser(const struct scan_row *row, const struct scan_row *other)
{
    return row->since.all != other->since.all ? row->since.all < other->since.all
                                              : row->last_ns < other->last_ns;
}

static uint32_t least_block(struct scan_table *table)
{
    uint32_t least = NO_ROW;
    for (int i = 0; i < LOOKED_AT; i++, table->block_hand = (table->block_hand + 1) % SCAN_BLOCKS) {
        uint32_t row = table->block[table->block_hand].row;
        if (row == NO_ROW)
            return table->block_hand;
        if (least == NO_ROW || is_lesser(&table->row[row], &table->row[table->block[least].row]))
            least = table->block_hand;
    }
    give_up(table, table->block[least].row);
    return least;
}

static struct scan_block *make_block(struct scan_table *table, uint32_t number)
{
    uint32_t place = table->blocks < SCAN_BLOCKS ? table->blocks++ : least_block(table);
    struct scan_block *block = &table->block[place];
    struct scan_row *row = &table->row[number];
    *block = (struct scan_block){.row = number};
    for (int span = 0; span < SCAN_SPANS; span++)
        block->window[span] = replay(table, row, (enum scan_span)span);
    row->block = (uint16_t)(place + 1);
    for (unsigned i = 0; i < row->members; i++)
        first_contacts_add(&block->met, row->few[i].hash);
    return block;
}

const struct scan_block *scan_table_block(const struct scan_table *table, const struct scan_row *row)
{
    return row->block != 0 ? &table->block[row->block - 1] : NULL;
}

// What the contact adds to the number of first contacts.
static double meet(struct scan_table *table, uint32_t number, const struct scan_meeting *meeting)
{
    uint64_t member = meeting->member;
    struct scan_row *row = &table->row[number];
    if (row->block != 0)
        return first_contacts_add(&table->block[row->block - 1].met, member);
    for (unsigned i = 0; i < row->members; i++)
        if (row->few[i].hash == member)
            return 0;
    if (row->members == SCAN_FEW)
        return first_contacts_add(&make_block(table, number)->met, member);
    row->failed |= (uint8_t)(meeting->failed << row->members);
    row->few[row->members++] = (struct scan_member){member, meeting->contact->began_ns};
    return 1;
}

static void note_target(struct scan_block *block, const struct contact *contact)
{
    struct address target = {.version = contact->ip_version};
    memcpy(target.bytes, contact->addresses[1], sizeof target.bytes);
    for (unsigned i = 0; i < block->targets; i++)
        if (address_compare(&block->target[i], &target) == 0)
            return;
    if (block->targets < ALERT_PARTIES)
        block->target[block->targets++] = target;
}

static void note_port(struct scan_row *row, uint16_t port)
{
    for (unsigned i = 0; i < row->ports; i++)
        if (row->port[i] == port)
            return;
    if (row->ports < SCAN_PORTS)
        row->port[row->ports++] = port;
}

// A first contact that failed.
static void note_failure(struct scan_table *table, uint32_t number, const struct contact *contact)
{
    struct scan_row *row = &table->row[number];
    struct scan_block *block = row->block != 0 ? &table->block[row->block - 1] : NULL;
    if (row->first_seen_ns == 0)
        row->first_seen_ns = contact->first_seen_ns;
    note_port(row, contact->ports[1]);
    if (block != NULL) {
        note_target(block, contact);
        if (block->samples < ALERT_SAMPLES)
            block->sample[block->samples++] = *contact;
    }
    if ((double)row->since.failed >= table->least && row->tick != table->tick + 1 &&
        table->touched < TOUCHED) {
        row->tick = table->tick + 1;
        table->touch[table->touched++] = number;
    }
}

// The row of the key at the time of a contact.
static uint32_t row_at(struct scan_table *table, const struct scan_meeting *meeting)
{
    int64_t at_ns = meeting->contact->began_ns;
    uint32_t number = find_row(table, &meeting->key, meeting->hash);
    if (number != NO_ROW && at_ns - table->row[number].last_ns > silence_ns) {
        give_up(table, number);
        number = NO_ROW;
    }
    return number != NO_ROW ? number : new_row(table, &meeting->key, meeting->hash);
}

static void count_in_block(const struct scan_table *table, const struct scan_row *row,
                           const struct scan_meeting *meeting, float weight)
{
    struct scan_block *block = &table->block[row->block - 1];
    for (int span = 0; span < SCAN_SPANS; span++)
        scan_window_add(&block->window[span], meeting->contact->began_ns / table->pane_ns[span], weight,
                        meeting->failed);
}

static void add(struct scan_table *table, const struct scan_meeting *meeting)
{
    const struct contact *contact = meeting->contact;
    uint32_t number = row_at(table, meeting);
    struct scan_row *row = &table->row[number];
    bool failed = meeting->failed;
    if (contact->began_ns > row->last_ns || row->since.all == 0)
        row->last_ns = contact->began_ns;
    float weight = (float)meet(table, number, meeting);
    if (weight == 0)
        return;
    row->since.all += weight;
    table->weight[number] = row->since.all < UINT16_MAX ? (uint16_t)row->since.all : UINT16_MAX;
    row->since.failed += failed ? weight : 0;
    if (row->block != 0)
        count_in_block(table, row, meeting, weight);
    if (failed)
        note_failure(table, number, contact);
}

PREFETCHING void prefetch_row(const struct scan_table *table, uint32_t hash)
{
    for (uint32_t place = place_of(hash); table->index[place] != 0; place = next_place(place)) {
        if (hash_of_entry(table->index[place]) != hash)
            continue;
        const struct scan_row *row = &table->row[number_of_entry(table->index[place])];
        prefetch_write(row);
        prefetch_read(row->few);
        break;
    }
}

void scan_table_add(struct scan_table *table, struct scan_meeting *meetings, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        meetings[i].hash = key_hash(table, &meetings[i].key);
        prefetch_read(&table->index[place_of(meetings[i].hash)]);
    }
    for (unsigned i = 0; i < count; i++)
        prefetch_row(table, meetings[i].hash);
    for (unsigned i = 0; i < count; i++)
        add(table, &meetings[i]);
}

// Contacts come some time after they began, so that a source which seems silent may not have been: whether it was is seen at
// its next contact, and rows are given up here only to have room.
static void sweep(struct scan_table *table, int64_t now_ns)
{
    enum { LONG_SILENT = 2 };
    for (int i = 0; i < SWEPT && table->rows != 0; i++) {
        table->sweep = (table->sweep + 1) % table->rows;
        const struct scan_row *row = &table->row[table->sweep];
        if (row->hash != 0 && now_ns - row->last_ns > LONG_SILENT * silence_ns)
            give_up(table, table->sweep);
    }
}

const struct scan_row *scan_table_find(const struct scan_table *table, const struct scan_key *key)
{
    uint32_t number = find_row(table, key, key_hash(table, key));
    return number != NO_ROW ? &table->row[number] : NULL;
}

const struct scan_row *scan_table_next(struct scan_table *table, int64_t now_ns)
{
    enum { AHEAD = 8 };
    while (table->judged < table->touched) {
        if (table->judged + AHEAD < table->touched)
            prefetch_read(&table->row[table->touch[table->judged + AHEAD]]);
        struct scan_row *row = &table->row[table->touch[table->judged++]];
        if (row->hash == 0 || row->tick != table->tick + 1)
            continue; // given up meanwhile
        row->tick = 0;
        return row;
    }
    table->touched = table->judged = 0;
    table->tick++;
    sweep(table, now_ns);
    return NULL;
}
