// The interfaces of a source: rows that only grow, so that an index and an address stay valid. Owned by
// its source, whose thread adds; any thread may read rows below interface_list_count().
#pragma once

#include <stdatomic.h>

#include "capture/source.h"

struct interface_row {
    struct source_interface shown;
    struct source_drops drops;
};

struct interface_list {
    atomic_uint count;
    struct interface_row *rows[SOURCE_INTERFACES_MAX];
};

void interface_list_done(struct interface_list *list);

// The index of the row with this name, link type and snaplen; added when there is none. When the list is
// full or memory is out, the last row stands for all further ones. The first call may fail: false.
bool interface_list_add(struct interface_list *list, const struct source_interface *wanted, uint16_t *index);

static inline unsigned interface_list_count(const struct interface_list *list)
{
    return atomic_load_explicit(&list->count, memory_order_acquire);
}
