// Flows as people read them: rows of a table, and lines of what is followed. Client -> server, names where they are known.
// Texts of the sensor are made safe. Pure.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/text_table.h"

struct output;
struct strbuf;

struct Netscope__V1__Flow;
struct Google__Protobuf__Timestamp;

extern const struct table_column flow_columns[]; // those that stay empty are not shown

struct flow_row {
    bool wide;
    bool with_node;
    int64_t now_ns; // of the sensor; 0 = not known
    double bps;     // to show instead of the average; negative = the average
};
void flow_text_add_row(struct text_table *table, const struct Netscope__V1__Flow *flow,
                       const struct flow_row *how);
// "12:00:05 ended  tcp 10.0.0.1:5555 -> web:443 ..."; with a newline.
void flow_text_add_line(struct output *output, const struct Netscope__V1__Flow *flow, const char *kind,
                        const char *node);

int64_t time_of(const struct Google__Protobuf__Timestamp *stamp); // ns; 0 without one
