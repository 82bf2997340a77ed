#include "capture/live/interface_list.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void interface_list_done(struct interface_list *list)
{
    unsigned count = interface_list_count(list);
    for (unsigned i = 0; i < count; i++) {
        free(interface_list_row(list, i));
        free(list->before[i]);
    }
    atomic_store(&list->count, 0);
}

static bool same_interface(const struct source_interface *left, const struct source_interface *right)
{
    return left->link_type == right->link_type && left->snaplen == right->snaplen &&
           strcmp(left->name, right->name) == 0 && strcmp(left->configured, right->configured) == 0;
}

static struct interface_row *row_of(const struct source_interface *wanted)
{
    struct interface_row *row = calloc(1, sizeof *row);
    if (row == NULL)
        return NULL;
    memcpy(row->shown.name, wanted->name, sizeof row->shown.name);
    memcpy(row->shown.configured, wanted->configured, sizeof row->shown.configured);
    row->shown.word = wanted->word;
    row->shown.link_type = wanted->link_type;
    row->shown.snaplen = wanted->snaplen;
    atomic_init(&row->shown.kernel_index, atomic_load(&wanted->kernel_index));
    atomic_init(&row->shown.up, true);
    return row;
}

bool interface_list_find(struct interface_list *list, const struct source_interface *wanted, uint16_t *index)
{
    for (unsigned i = interface_list_count(list); i-- > 0;) {
        struct interface_row *row = interface_list_row(list, i);
        if (!same_interface(&row->shown, wanted))
            continue;
        row->left_ns = 0;
        *index = (uint16_t)i;
        return true;
    }
    return false;
}

bool interface_list_add(struct interface_list *list, const struct source_interface *wanted, uint16_t *index)
{
    if (interface_list_find(list, wanted, index))
        return true;
    unsigned count = interface_list_count(list);
    struct interface_row *row = count < SOURCE_INTERFACES_MAX ? row_of(wanted) : NULL;
    if (row == NULL) {
        *index = (uint16_t)(count - 1);
        return count > 0;
    }
    atomic_store_explicit(&list->rows[count], row, memory_order_release);
    atomic_store_explicit(&list->count, count + 1, memory_order_release);
    *index = (uint16_t)count;
    return true;
}

void interface_list_leave(struct interface_list *list, uint16_t index, int64_t now_ns)
{
    assert(index < interface_list_count(list) && now_ns != 0);
    interface_list_row(list, index)->left_ns = now_ns;
}

bool interface_list_reuse(struct interface_list *list, const struct source_interface *wanted,
                          int64_t left_before_ns, uint16_t *index)
{
    unsigned count = interface_list_count(list), first = count;
    int64_t least_ns = left_before_ns;
    for (unsigned i = 0; i < count; i++) {
        int64_t left_ns = interface_list_row(list, i)->left_ns;
        if (left_ns == 0 || left_ns >= least_ns)
            continue;
        first = i;
        least_ns = left_ns;
    }
    struct interface_row *row = first < count ? row_of(wanted) : NULL;
    if (row == NULL)
        return false;
    free(list->before[first]);
    list->before[first] = interface_list_row(list, first);
    atomic_store_explicit(&list->rows[first], row, memory_order_release);
    *index = (uint16_t)first;
    return true;
}
