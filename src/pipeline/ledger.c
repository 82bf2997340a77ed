#include "pipeline/ledger.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

enum { WORD_ROWS = 128 }; // kept for words: as many as a live source names over a run

void ledger_init(struct ledger *ledger, struct totals *totals, const struct source *live)
{
    memset(ledger, 0, sizeof *ledger);
    ledger->totals = totals;
    ledger->live = live;
}

static struct interface_totals *add_row(struct ledger *ledger, unsigned interface)
{
    struct totals *totals = ledger->totals;
    assert(totals->interfaces < TOTALS_INTERFACES);
    struct interface_totals *row = &totals->interface[totals->interfaces++];
    *row = (struct interface_totals){.number = (uint16_t)interface, .exact = true};
    ledger->row_of[interface] = (uint16_t)totals->interfaces;
    return row;
}

// Those of a file are numbered from 0 and stay: interfaces and rows go together, the last row stands for all further
// ones.
static struct interface_totals *row_of_file(struct ledger *ledger, unsigned interface)
{
    while (ledger->totals->interfaces <= interface && ledger->totals->interfaces < TOTALS_INTERFACES)
        add_row(ledger, ledger->totals->interfaces);
    unsigned row = interface < TOTALS_INTERFACES ? interface : TOTALS_INTERFACES - 1;
    ledger->row_of[interface] = (uint16_t)(row + 1);
    return &ledger->totals->interface[row];
}

struct interface_totals *ledger_find_row(struct ledger *ledger, unsigned interface)
{
    assert(interface < SOURCE_INTERFACES_MAX);
    if (ledger->live == NULL)
        return row_of_file(ledger, interface);
    unsigned word = source_interface(ledger->live, interface)->word;
    bool full = ledger->totals->interfaces >= TOTALS_INTERFACES - WORD_ROWS;
    if (word == interface || (ledger->row_of[interface] == 0 && !full))
        return add_row(ledger, interface);
    ledger->row_of[interface] = LEDGER_WORDS_ROW; // until it is gone: an account is not split
    return ledger_row(ledger, word);
}

static void add_drops(struct ledger *ledger, const struct source_drops *drops)
{
    struct totals *totals = ledger->totals;
    struct interface_totals *row = ledger_row(ledger, drops->interface);
    const uint64_t lost[LOST_CAUSES] = {
        [LOST_KERNEL_RING] = drops->kernel_dropped,
        [LOST_DISPATCH_QUEUE] = drops->no_chunk,
        [LOST_STOP_UNREAD] = drops->unread,
    };
    for (int cause = 0; cause < LOST_CAUSES; cause++) {
        row->lost[cause] += lost[cause];
        row->received += lost[cause];
        totals->lost[cause] += lost[cause];
        totals->received += lost[cause];
    }
    row->interface_dropped += drops->interface_dropped;
    row->source_received += drops->received;
    row->exact &= drops->exact;
}

static void fold(struct interface_totals *into, const struct interface_totals *row)
{
    into->delivered += row->delivered;
    into->received_bytes += row->received_bytes;
    into->received += row->received;
    into->source_received += row->source_received;
    for (int cause = 0; cause < LOST_CAUSES; cause++)
        into->lost[cause] += row->lost[cause];
    into->interface_dropped += row->interface_dropped;
    into->unwanted += row->unwanted;
    into->exact &= row->exact;
}

// The interface is gone: its row goes to its word, and the last one takes its place.
static void close_row(struct ledger *ledger, unsigned interface)
{
    struct totals *totals = ledger->totals;
    unsigned word = source_interface(ledger->live, interface)->word;
    unsigned before = ledger->row_of[interface];
    if (word == interface)
        return;
    ledger->row_of[interface] = 0;
    if (before == LEDGER_WORDS_ROW || before == 0)
        return;
    assert(before <= totals->interfaces);
    struct interface_totals *row = &totals->interface[before - 1];
    fold(ledger_row(ledger, word), row);
    struct interface_totals *last = &totals->interface[--totals->interfaces];
    if (row == last)
        return;
    *row = *last;
    ledger->row_of[row->number] = (uint16_t)before;
}

void ledger_take_drops(struct ledger *ledger, struct source *source)
{
    struct source_drops drops;
    for (bool first = true; source->ops->drops(source, first, &drops); first = false) {
        add_drops(ledger, &drops);
        if (drops.left)
            close_row(ledger, drops.interface);
    }
}

void ledger_count_no_batch(struct ledger *ledger, unsigned interface)
{
    ledger_row(ledger, interface)->lost[LOST_DISPATCH_QUEUE]++;
    ledger->totals->lost[LOST_DISPATCH_QUEUE]++;
}

void ledger_count_unwanted(struct ledger *ledger, const struct frame *frames, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        ledger_row(ledger, frames[i].interface)->unwanted++;
}

// libpcap's own count of an interface against what was handed over and lost there, both of one moment: live
// packets go on arriving while the run ends.
static bool check_interface(const struct interface_totals *row, const struct source *source,
                            struct error *error)
{
    uint64_t seen = row->received + row->unwanted;
    if (!row->exact || seen == row->source_received)
        return true;
    return error_set(error, ERROR_INTERNAL,
                     "the ledger of %s does not add up: libpcap counted %" PRIu64
                     " packets, NetScope %" PRIu64 "; this is a bug, please report it with this line",
                     source_interface(source, row->number)->name, row->source_received, seen);
}

bool ledger_check(const struct totals *counted, const struct totals *merged, const struct source *source,
                  struct error *error)
{
    int64_t missing;
    if (!totals_balanced(merged, &missing))
        return error_set(error, ERROR_INTERNAL,
                         "the ledger does not add up: %" PRId64 " of %" PRIu64
                         " packets are in no bucket; this is a bug, please report it with this line",
                         missing, merged->received);
    for (unsigned i = 0; i < counted->interfaces && !source->ops->lossless; i++)
        if (!check_interface(&counted->interface[i], source, error))
            return false;
    return true;
}
