#include "detect/scan_table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/time.h"

enum {
    INDEX_PLACES = 2 * SCAN_ROWS,
    TOUCHED = 8192, // rows to be judged in a tick
    LOOKED_AT = 8,  // rows of which a full table gives one up
    SWEPT = 128,    // rows of which a tick gives up the silent ones
    NO_ROW = UINT32_MAX,
};
static const int64_t silence_ns = 15 * 60 * NS_PER_S;

struct scan_table {
    uint64_t seed;
    int64_t pane_ns[SCAN_SPANS];
    uint32_t rows,
        free_row; // that were ever used; the first of those given up (linked by `block`), NO_ROW = none
    uint32_t blocks, hand, block_hand, sweep;
    uint64_t tick;
    unsigned touched, judged;
    uint32_t touch[TOUCHED];
    uint32_t *index; // row + 1; open addressing
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
    table->row = calloc(SCAN_ROWS, sizeof *table->row);
    table->block = calloc(SCAN_BLOCKS, sizeof *table->block);
    if (table->index == NULL || table->row == NULL || table->block == NULL) {
        scan_table_destroy(table);
        return NULL;
    }
    for (int span = 0; span < SCAN_SPANS; span++)
        table->pane_ns[span] = window_secs[span] * NS_PER_S / SCAN_PANES;
    return table;
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

static unsigned slot_of(int64_t pane)
{
    return (unsigned)((pane % SCAN_KEPT_PANES + SCAN_KEPT_PANES) % SCAN_KEPT_PANES);
}

static void move_to_pane(struct scan_window *window, int64_t pane)
{
    for (int steps = 0; window->pane < pane && steps < SCAN_KEPT_PANES; steps++) {
        window->pane++;
        window->panes[slot_of(window->pane)] = (struct scan_count){0};
    }
    if (window->pane < pane)
        window->pane = pane; // all of them are empty
}

// Contacts come as they are decided, which is not quite the order in which they began.
static void count_in(struct scan_window *window, int64_t pane, float weight, bool failed)
{
    move_to_pane(window, pane);
    if (window->pane - pane >= SCAN_KEPT_PANES)
        return;
    struct scan_count *count = &window->panes[slot_of(pane)];
    count->all += weight;
    count->failed += failed ? weight : 0;
}

struct scan_count scan_row_count(const struct scan_row *row, enum scan_span span)
{
    struct scan_count sum = {0};
    for (int i = 0; i < SCAN_KEPT_PANES; i++) {
        sum.failed += row->window[span].panes[i].failed;
        sum.all += row->window[span].panes[i].all;
    }
    return sum;
}

static struct scan_window refit(const struct scan_window *from, int64_t from_ns, int64_t to_ns)
{
    int64_t oldest = from->pane - SCAN_KEPT_PANES + 1;
    struct scan_window to = {.pane = oldest * from_ns / to_ns};
    for (int64_t pane = oldest; pane <= from->pane; pane++) {
        const struct scan_count *count = &from->panes[slot_of(pane)];
        move_to_pane(&to, pane * from_ns / to_ns);
        to.panes[slot_of(to.pane)].failed += count->failed;
        to.panes[slot_of(to.pane)].all += count->all;
    }
    return to;
}

void scan_table_change(struct scan_table *table, const uint32_t window_secs[SCAN_SPANS])
{
    for (int span = 0; span < SCAN_SPANS; span++) {
        int64_t pane_ns = window_secs[span] * NS_PER_S / SCAN_PANES;
        for (uint32_t i = 0; i < table->rows && pane_ns != table->pane_ns[span]; i++)
            table->row[i].window[span] = refit(&table->row[i].window[span], table->pane_ns[span], pane_ns);
        table->pane_ns[span] = pane_ns;
    }
}

// Rows and their index.

static uint32_t place_of(uint32_t hash)
{
    return (hash >> 1) & (INDEX_PLACES - 1);
}

static uint32_t find_row(const struct scan_table *table, const struct scan_key *key, uint32_t hash)
{
    for (uint32_t place = place_of(hash); table->index[place] != 0;
         place = (place + 1) & (INDEX_PLACES - 1)) {
        const struct scan_row *row = &table->row[table->index[place] - 1];
        if (row->hash == hash && memcmp(&row->key, key, sizeof *key) == 0)
            return table->index[place] - 1;
    }
    return NO_ROW;
}

static void index_row(struct scan_table *table, uint32_t number)
{
    uint32_t place = place_of(table->row[number].hash);
    while (table->index[place] != 0)
        place = (place + 1) & (INDEX_PLACES - 1);
    table->index[place] = number + 1;
}

// Those behind it that could stand in its place move up.
static void unindex_row(struct scan_table *table, uint32_t number)
{
    uint32_t hole = place_of(table->row[number].hash);
    while (table->index[hole] != number + 1) {
        assert(table->index[hole] != 0);
        hole = (hole + 1) & (INDEX_PLACES - 1);
    }
    table->index[hole] = 0;
    for (uint32_t at = (hole + 1) & (INDEX_PLACES - 1); table->index[at] != 0;
         at = (at + 1) & (INDEX_PLACES - 1)) {
        uint32_t home = place_of(table->row[table->index[at] - 1].hash);
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
    memset(row, 0, sizeof *row);
    row->block = table->free_row;
    table->free_row = number;
}

static bool is_lesser(const struct scan_row *row, const struct scan_row *other)
{
    return row->since.all != other->since.all ? row->since.all < other->since.all
                                              : row->last_ns < other->last_ns;
}

// A full table: the least of some rows that lie together.
static void make_room(struct scan_table *table)
{
    uint32_t least = NO_ROW;
    for (int i = 0; i < LOOKED_AT; i++, table->hand = (table->hand + 1) % SCAN_ROWS)
        if (least == NO_ROW || is_lesser(&table->row[table->hand], &table->row[least]))
            least = table->hand;
    give_up(table, least);
}

static uint32_t new_row(struct scan_table *table, const struct scan_key *key, uint32_t hash)
{
    uint32_t number = table->free_row;
    if (number == NO_ROW && table->rows == SCAN_ROWS) {
        make_room(table);
        number = table->free_row;
    }
    if (number != NO_ROW)
        table->free_row = table->row[number].block;
    else
        number = table->rows++;
    table->row[number] = (struct scan_row){.key = *key, .hash = hash};
    index_row(table, number);
    return number;
}

// Blocks: for rows with more members than they have room for.

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
    row->block = place + 1;
    for (unsigned i = 0; i < row->members; i++)
        first_contacts_add(&block->met, row->few[i]);
    return block;
}

const struct scan_block *scan_table_block(const struct scan_table *table, const struct scan_row *row)
{
    return row->block != 0 ? &table->block[row->block - 1] : NULL;
}

// What the contact adds to the number of first contacts.
static double meet(struct scan_table *table, uint32_t number, uint64_t member)
{
    struct scan_row *row = &table->row[number];
    if (row->block != 0)
        return first_contacts_add(&table->block[row->block - 1].met, member);
    for (unsigned i = 0; i < row->members; i++)
        if (row->few[i] == member)
            return 0;
    if (row->members == SCAN_FEW)
        return first_contacts_add(&make_block(table, number)->met, member);
    row->few[row->members++] = member;
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
    if (row->tick != table->tick + 1 && table->touched < TOUCHED) {
        row->tick = table->tick + 1;
        table->touch[table->touched++] = number;
    }
}

void scan_table_add(struct scan_table *table, const struct scan_key *key, uint64_t member,
                    const struct contact *contact)
{
    int64_t at_ns = contact->began_ns;
    uint32_t hash = key_hash(table, key), number = find_row(table, key, hash);
    if (number != NO_ROW && at_ns - table->row[number].last_ns > silence_ns) {
        give_up(table, number);
        number = NO_ROW;
    }
    if (number == NO_ROW)
        number = new_row(table, key, hash);
    struct scan_row *row = &table->row[number];
    bool failed = contact->outcome != CONTACT_ANSWERED;
    if (at_ns > row->last_ns || row->since.all == 0)
        row->last_ns = at_ns;
    float weight = (float)meet(table, number, member);
    if (weight == 0)
        return;
    row->since.all += weight;
    row->since.failed += failed ? weight : 0;
    for (int span = 0; span < SCAN_SPANS; span++)
        count_in(&row->window[span], at_ns / table->pane_ns[span], weight, failed);
    if (failed)
        note_failure(table, number, contact);
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

const struct scan_row *scan_table_next(struct scan_table *table, int64_t now_ns)
{
    while (table->judged < table->touched) {
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
