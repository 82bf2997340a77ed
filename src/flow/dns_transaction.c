#include "flow/dns_transaction.h"

#include <assert.h>
#include <stdlib.h>

enum { FIRST_ROOM = 64 };

struct dns_transaction *dns_list_place(struct dns_list *list)
{
    assert(list->count <= list->room);
    if (list->count == list->room) {
        unsigned room = list->room != 0 ? list->room * 2 : FIRST_ROOM;
        struct dns_transaction *items = realloc(list->items, room * sizeof *items);
        if (items == NULL)
            return NULL;
        list->items = items;
        list->room = room;
    }
    return &list->items[list->count];
}
