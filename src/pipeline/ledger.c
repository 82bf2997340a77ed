#include "pipeline/ledger.h"

#include <inttypes.h>
#include <string.h>

static void take_row(struct interface_totals *row, const struct source_drops *drops)
{
    row->lost[LOST_KERNEL_RING] = drops->kernel_dropped;
    row->lost[LOST_DISPATCH_QUEUE] = drops->no_chunk + row->no_batch;
    row->lost[LOST_STOP_UNREAD] = drops->unread;
    row->interface_dropped = drops->interface_dropped;
    row->source_received = drops->exact ? drops->received : 0;
    row->received = row->delivered + drops->kernel_dropped + drops->no_chunk + drops->unread;
}

void ledger_take_drops(struct totals *totals, struct source *source)
{
    memset(totals->lost, 0, sizeof totals->lost);
    totals->received = 0;
    unsigned interfaces = source_interfaces(source);
    if (interfaces > TOTALS_INTERFACES)
        interfaces = TOTALS_INTERFACES;
    if (totals->interfaces < interfaces)
        totals->interfaces = interfaces;
    for (unsigned i = 0; i < totals->interfaces; i++) {
        struct interface_totals *row = &totals->interface[i];
        struct source_drops drops = {0};
        if (i < interfaces)
            source->ops->drops(source, i, &drops);
        take_row(row, &drops);
        totals->received += row->received;
        for (int cause = 0; cause < LOST_CAUSES; cause++)
            totals->lost[cause] += row->lost[cause];
    }
}

void ledger_count_unwanted(struct totals *totals, const struct frame *frames, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        totals->interface[ledger_row(frames[i].interface)].unwanted++;
}

// libpcap's own count of an interface against what was handed over and lost there, both of one moment: live
// packets go on arriving while the run ends.
static bool check_interface(const struct interface_totals *row, const char *name, struct error *error)
{
    uint64_t seen = row->received + row->unwanted;
    if (row->source_received == 0 || seen == row->source_received)
        return true;
    return error_set(error, ERROR_INTERNAL,
                     "the ledger of %s does not add up: libpcap counted %" PRIu64
                     " packets, NetScope %" PRIu64 "; this is a bug, please report it with this line",
                     name, row->source_received, seen);
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
    if (source->ops->lossless)
        return true;
    unsigned interfaces = source_interfaces(source);
    for (unsigned i = 0; i < interfaces && i < TOTALS_INTERFACES; i++)
        if (!check_interface(&counted->interface[i], source_interface(source, i)->name, error))
            return false;
    return true;
}
