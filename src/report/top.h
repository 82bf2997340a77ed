// The best N of many rows, always sorted: for lists of the report. A row that is not among them costs one
// comparison. One owner, one thread; nothing is allocated after report_top_init().
#pragma once

#include <stdbool.h>
#include <stddef.h>

// < 0: the candidate comes before the row. Never 0 for different ones, so that the list does not depend on their
// order of coming.
typedef int report_top_compare(const void *candidate, const void *row);

struct report_top {
    unsigned count, room;
    size_t row_bytes;
    report_top_compare *compare;
    void **rows; // best first; [count..room) are spare
};

bool report_top_init(struct report_top *top, unsigned room, size_t row_bytes, report_top_compare *compare);
void report_top_done(struct report_top *top);

// The place for a row that belongs into the list, which the caller must fill with it now; NULL when it does not.
// The worst one leaves a full list.
void *report_top_place(struct report_top *top, const void *candidate);
