// Flows that were received and wait to be shown. Owns their messages. One thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct output;
struct flow_row;
struct Netscope__V1__Flow;

struct flow_list {
    struct Netscope__V1__Flow **flows;
    size_t count, room;
    uint64_t shown; // so far
};

void flow_list_init(struct flow_list *list);
void flow_list_done(struct flow_list *list);
void flow_list_clear(struct flow_list *list);
// The flows are the list's from now on, even when it returns false, without memory. The array stays the caller's.
bool flow_list_take(struct flow_list *list, struct Netscope__V1__Flow **take_flows, size_t count);
// As one sensor sorts them (enum FlowOrder): flows without the value come last in both directions, equal ones by id.
void flow_list_sort(struct flow_list *list, int order, bool reverse);
void flow_list_cut(struct flow_list *list, uint64_t limit); // 0 = all stay
void flow_list_show(struct flow_list *list, struct output *output, const struct flow_row *how);
