#include "capture/live/interface_list.h"

#include <stdlib.h>
#include <string.h>

void interface_list_done(struct interface_list *list)
{
    unsigned count = interface_list_count(list);
    for (unsigned i = 0; i < count; i++)
        free(list->rows[i]);
    atomic_store(&list->count, 0);
}

static bool same_interface(const struct source_interface *left, const struct source_interface *right)
{
    return left->link_type == right->link_type && left->snaplen == right->snaplen &&
           strcmp(left->name, right->name) == 0;
}

static struct interface_row *row_of(const struct source_interface *wanted)
{
    struct interface_row *row = calloc(1, sizeof *row);
    if (row == NULL)
        return NULL;
    memcpy(row->shown.name, wanted->name, sizeof row->shown.name);
    memcpy(row->shown.configured, wanted->configured, sizeof row->shown.configured);
    row->shown.link_type = wanted->link_type;
    row->shown.snaplen = wanted->snaplen;
    row->shown.kernel_index = wanted->kernel_index;
    atomic_init(&row->shown.up, true);
    return row;
}

bool interface_list_add(struct interface_list *list, const struct source_interface *wanted, uint16_t *index)
{
    unsigned count = interface_list_count(list);
    for (unsigned i = count; i-- > 0;)
        if (same_interface(&list->rows[i]->shown, wanted)) {
            *index = (uint16_t)i;
            return true;
        }
    struct interface_row *row = count < SOURCE_INTERFACES_MAX ? row_of(wanted) : NULL;
    if (row == NULL) {
        *index = (uint16_t)(count - 1);
        return count > 0;
    }
    list->rows[count] = row;
    atomic_store_explicit(&list->count, count + 1, memory_order_release);
    *index = (uint16_t)count;
    return true;
}
