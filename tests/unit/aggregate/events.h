// An event log of flows for tests, and events put into it as aggregate does.
#pragma once

#include <criterion/criterion.h>

#include "aggregate/flow_event.h"

static inline struct event_log *make_flow_log(uint64_t capacity)
{
    struct event_log_setup setup = {
        .capacity = capacity, .block_bytes = sizeof(struct flow_block), .block_events = FLOW_BLOCK_EVENTS};
    struct event_log *log = event_log_create(&setup);
    cr_assert_not_null(log);
    return log;
}

static inline void put_event(struct event_log *log, const struct flow_event *event)
{
    struct flow_block *block = (struct flow_block *)(void *)event_log_open(log);
    cr_assert_not_null(block);
    struct flow_event *place = flow_block_next(block);
    if (place == NULL) {
        event_log_shut(log);
        put_event(log, event);
        return;
    }
    *place = *event;
    flow_block_keep(block);
    event_log_publish(log, true);
}
