// The interfaces of a source, by number. One thread adds; any thread may read rows below interface_list_count(),
// without a lock: a row never changes but for its atomics. A number is given to another interface only when its own
// was gone for as long as the adder says; the row that it had before is kept until the next time, for who still reads
// it. Bounded: SOURCE_INTERFACES_MAX numbers, two rows each.
#pragma once

#include <stdatomic.h>

#include "capture/source.h"

struct interface_row {
    struct source_interface shown;
    int64_t left_ns; // the adder's: when the interface went for good; 0 = it is there, or may be
    uint64_t recorded_loss,
        told_loss; // the adder's: packets that a file says were lost; of these, told to the ledger
};

struct interface_list {
    atomic_uint count;
    _Atomic(struct interface_row *) rows[SOURCE_INTERFACES_MAX];
    struct interface_row *before[SOURCE_INTERFACES_MAX];
    bool loss_recorded; // the adder's: a row has loss to tell
};

void interface_list_done(struct interface_list *list);

// The number of the row with this name, link type and snaplen, which counts as there again; false = none.
bool interface_list_find(struct interface_list *list, const struct source_interface *wanted, uint16_t *index);
// The same; added when there is none. When the list is full or memory is out, the last row stands for all further
// ones. The first call may fail: false.
bool interface_list_add(struct interface_list *list, const struct source_interface *wanted, uint16_t *index);

// The interface is gone for good: its number may be used again.
void interface_list_leave(struct interface_list *list, uint16_t index, int64_t now_ns);
// Gives the interface the number that was left first, if that was before `left_before_ns`.
bool interface_list_reuse(struct interface_list *list, const struct source_interface *wanted,
                          int64_t left_before_ns, uint16_t *index);

static inline unsigned interface_list_count(const struct interface_list *list)
{
    return atomic_load_explicit(&list->count, memory_order_acquire);
}

static inline struct interface_row *interface_list_row(const struct interface_list *list, unsigned index)
{
    return atomic_load_explicit(&list->rows[index], memory_order_acquire);
}
