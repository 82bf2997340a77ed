// Flows as lines of a format: JSON Lines, the lines of one JSON array, or CSV. Holds the plan and the
// scratch storage of one writer; one owner, one thread.
#pragma once

#include <stddef.h>

#include "aggregate/flow_event.h"

enum flow_format_kind {
    FORMAT_JSONL,
    FORMAT_JSON_ARRAY, // "[", a line a flow, "]"
    FORMAT_CSV,
};

struct flow_format;

// NULL without memory.
struct flow_format *flow_format_create(enum flow_format_kind kind);
void flow_format_destroy(struct flow_format *format);

// Whole lines at the top and at the end of a file; owned by the format.
const char *flow_format_head(const struct flow_format *format);
const char *flow_format_tail(const struct flow_format *format);

// The flow's line with its newline, valid until the next call; NULL without memory. Each line of an array begins by
// its comma: the first that is written goes without flow_format_separator() bytes of it.
const char *flow_format_line(struct flow_format *format, const struct flow_event *event, size_t *length);
size_t flow_format_separator(const struct flow_format *format);
