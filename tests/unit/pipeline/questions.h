// What the tests of questions share.
#pragma once

#include "../flow/packets.h"
#include "pipeline/question.h"

enum { SHARDS = 3, FLOWS = 3000, BATCH = 64 };

// What a finished question holds; it is released.
static inline struct flow_page *take_page(struct question *question)
{
    cr_assert(message_is_finished(&question->message));
    cr_assert_eq(question->error.kind, ERROR_NONE, "%s", question->error.text);
    struct flow_page *page = flow_page_hold(question->page);
    message_release(&question->message);
    return page;
}

static inline struct flow_selection *select_server_port(uint16_t port)
{
    struct error error;
    struct filter_ports ports = {port, port};
    struct flow_filter filter = {.end[FILTER_SERVER] = {.ports = &ports, .port_count = 1}};
    struct flow_selection *selection =
        flow_filter_prepare(&(struct flow_filters){.allow = &filter, .allow_count = 1}, &error);
    cr_assert_not_null(selection, "%s", error.text);
    return selection;
}
