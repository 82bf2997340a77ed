// What is known of sources that look for something: for each (source) or (source, port) how many first contacts it made and
// how many of them failed, in two sliding windows and since it was last silent for 15 minutes. A first contact is the
// first with its member (a target, or a target and port): who tries a dead door again and again makes one.
//
// Memory: SCAN_ROWS rows of three cache lines, made as sources come, and SCAN_BLOCKS blocks of 2.9 KB, with the windows, for
// sources with more than eight members: at most 13 MB a table. The windows of a row without a block follow from the times
// of its members. A full table gives up, of some rows that lie together, the one with the fewest first contacts, so that a
// flood of forged sources, which make one each, pushes out its like. Cost: O(1) a contact; of one of a forged source two
// lines of its own row, and one each of the index and of the rows that are compared.
// The aggregate's thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "detect/alert.h"
#include "detect/evidence.h"
#include "detect/first_contacts.h"
#include "detect/scan_window.h"

enum {
    SCAN_ROWS = 32768,
    SCAN_BLOCKS = 2048,
    SCAN_FEW = 8,   // members that a row itself has room for
    SCAN_PORTS = 4, // different ports that a row remembers
};

enum scan_span { SCAN_FAST, SCAN_SLOW, SCAN_SPANS };

struct scan_key {
    uint8_t address[16]; // the source
    uint16_t port;       // the target's; 0 = any
    uint8_t protocol;    // 0 = any
    uint8_t ip_version;
};

struct scan_block {
    uint32_t row; // whose; UINT32_MAX = free
    unsigned samples, targets;
    struct scan_window window[SCAN_SPANS];
    struct first_contacts met;
    struct contact sample[ALERT_SAMPLES]; // the first that failed since the block is there
    struct address target[ALERT_PARTIES]; // different ones of these
};

struct scan_member {
    uint64_t hash;
    int64_t at_ns;
};

// In the order of its fields: a cache line that is always looked at, and the members.
struct scan_row {
    _Alignas(64) struct scan_key key;
    uint32_t hash;           // of the key; 0 in a free row, never else
    int64_t last_ns;         // of the latest contact
    int64_t first_seen_ns;   // stamp of the first contact that failed; 0 = none
    struct scan_count since; // it was last silent
    uint32_t tick;  // in which it was last put on the list of those to be judged; of a free row the next one
    uint16_t block; // + 1; 0 = none
    uint8_t members : 4; // of `few`, without a block
    uint8_t ports : 4;
    uint8_t failed;            // of `few`, as bits
    uint16_t port[SCAN_PORTS]; // of contacts that failed
    struct scan_member few[SCAN_FEW];
};
_Static_assert(offsetof(struct scan_row, few) == 64, "a cache line");

struct scan_table;

struct scan_table *scan_table_create(const uint32_t window_secs[SCAN_SPANS],
                                     uint64_t hash_seed); // NULL without memory
void scan_table_destroy(struct scan_table *table);
// Windows of another length: what was counted goes on in them.
void scan_table_change(struct scan_table *table, const uint32_t window_secs[SCAN_SPANS]);

// Rows of which fewer have failed are not judged; all are, until this is said.
void scan_table_judge_from(struct scan_table *table, double least);

// A contact of a key: `member` is the hash of whom the key met. It counts at the time of its first packet.
struct scan_meeting {
    struct scan_key key;
    uint32_t hash; // the table's
    uint64_t member;
    bool failed;
    const struct contact *contact;
};
// In their order; together, so that what they touch is on its way before its turn.
void scan_table_add(struct scan_table *table, struct scan_meeting *meetings, unsigned count);
// A keyed hash for members.
uint64_t scan_table_hash(const struct scan_table *table, const void *bytes, size_t length);

// The row of a key; NULL = none. Valid until the next contact.
const struct scan_row *scan_table_find(const struct scan_table *table, const struct scan_key *key);
// The rows with a new failed contact since the last call, each once; NULL = no more: the tick is over.
const struct scan_row *scan_table_next(struct scan_table *table, int64_t now_ns);
const struct scan_block *scan_table_block(const struct scan_table *table,
                                          const struct scan_row *row); // NULL = none
struct scan_count scan_row_count(const struct scan_table *table, const struct scan_row *row,
                                 enum scan_span span);
