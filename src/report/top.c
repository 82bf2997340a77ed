#include "report/top.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

bool report_top_init(struct report_top *top, unsigned room, size_t row_bytes, report_top_compare *compare)
{
    *top = (struct report_top){.row_bytes = row_bytes, .compare = compare};
    top->rows = calloc(room, sizeof(void *));
    if (top->rows == NULL)
        return false;
    for (top->room = 0; top->room < room; top->room++) {
        top->rows[top->room] = calloc(1, row_bytes);
        if (top->rows[top->room] == NULL)
            return false;
    }
    return true;
}

void report_top_done(struct report_top *top)
{
    for (unsigned i = 0; i < top->room; i++)
        free(top->rows[i]);
    free(top->rows);
    *top = (struct report_top){0};
}

void *report_top_place(struct report_top *top, const void *candidate)
{
    assert(top->count <= top->room);
    bool full = top->count == top->room;
    if (full && (top->room == 0 || top->compare(candidate, top->rows[top->count - 1]) >= 0))
        return NULL;
    unsigned at = full ? top->count - 1 : top->count++;
    void *row = top->rows[at];
    for (; at > 0 && top->compare(candidate, top->rows[at - 1]) < 0; at--)
        top->rows[at] = top->rows[at - 1];
    top->rows[at] = row;
    return row;
}
