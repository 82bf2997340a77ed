// FlowService's unary methods.
#include <assert.h>
#include <string.h>

#include "aggregate/answer.h"
#include "aggregate/snapshot.h"
#include "api/cursor.h"
#include "api/filter_request.h"
#include "api/page_token.h"
#include "api/visibility.h"
#include "base/time.h"
#include "capture/clock.h"
#include "flow/page.h"
#include "netscope/v1/flow_service.pb-c.h"

enum { TOP_ROWS = 10 };

#define SAME(ours, order)                                                                                    \
    static_assert((int)(ours) + 1 == (int)NETSCOPE__V1__FLOW_ORDER__FLOW_ORDER_##order, #ours)
SAME(FLOWS_BY_BYTES, BYTES);
SAME(FLOWS_BY_PACKETS, PACKETS);
SAME(FLOWS_BY_RECENCY, LAST_SEEN);
SAME(FLOWS_BY_FIRST_SEEN, FIRST_SEEN);
SAME(FLOWS_BY_DURATION, DURATION);
SAME(FLOWS_BY_RETRANSMISSIONS, RETRANSMISSIONS);
SAME(FLOWS_BY_RTT, RTT);
SAME(FLOWS_BY_RATE, RATE);
static_assert(FLOW_ORDERS == 8, "a new order needs its row in flow_service.proto");
static_assert((int)PAGE_MOST_ROWS == (int)FLOW_QUERY_LIMIT, "a page is a question");

static struct flow_ordering ordering_of(Netscope__V1__FlowOrder order, bool reverse)
{
    bool given = order != NETSCOPE__V1__FLOW_ORDER__FLOW_ORDER_UNSPECIFIED;
    return (struct flow_ordering){.by = given ? (enum flow_order)((int)order - 1) : FLOWS_BY_BYTES,
                                  .ascending = reverse};
}

static bool is_basic(Netscope__V1__FlowView view)
{
    return view == NETSCOPE__V1__FLOW_VIEW__FLOW_VIEW_BASIC;
}

static struct Google__Protobuf__Timestamp *build_now(struct call *call)
{
    const struct snapshot *snapshot = control_snapshot(call->api->control);
    int64_t now_ns = snapshot != NULL ? snapshot->now_ns : clock_wall_ns();
    snapshot_release(snapshot);
    return build_time(&call->build, now_ns);
}

// The row as a message; without memory for it the build has failed. NULL, too, when the caller may not see it: its names have
// changed since it was selected.
static Netscope__V1__Flow *build_row(struct call *call, const struct flow_page *page, unsigned row,
                                     bool basic)
{
    const struct flow_event *event = answer_row(page, row);
    call->build.failed |= event == NULL;
    if (call->limits != NULL && event != NULL) { // the message borrows of the copy
        struct flow_event *scratch = build_part(&call->build, sizeof *scratch);
        event = scratch != NULL ? flow_as_seen(call->limits, event, scratch) : NULL;
    }
    return event != NULL ? build_flow(&call->build, event, basic) : NULL;
}

static void build_list(struct call *call, const Netscope__V1__ListFlowsRequest *request,
                       const struct page_owner *owner, const struct flow_page *page, const char *cursor)
{
    typedef Netscope__V1__ListFlowsResponse List;
    List *list = CALL_RESPONSE(call, List, netscope__v1__list_flows_response__init);
    if (list == NULL)
        return;
    CALL_IDENTIFY(call, list);
    size_t rows = build_rows(&call->build, &list->flows, page->count, 1);
    for (unsigned row = 0; row < rows; row++) {
        Netscope__V1__Flow *flow = build_row(call, page, row, is_basic(request->view));
        if (flow != NULL)
            list->flows[list->n_flows++] = flow;
    }
    list->n_limits = build_limits(&call->build, call->caller->limits, &list->limits);
    if (page->next[0] != '\0')
        list->next_page_token = page_token_build(call, owner, page->next);
    if (request->page_token[0] == '\0') {
        list->total_value_case = NETSCOPE__V1__LIST_FLOWS_RESPONSE__TOTAL_VALUE_TOTAL;
        list->total = page->matched;
    }
    list->as_of = build_now(call);
    list->cursor = build_text(&call->build, cursor);
}

static void release_page(void *page)
{
    flow_page_release(page);
}

// Rows of messages borrow the page's texts: it lives as long as the answer.
static struct flow_page *keep_page(struct call *call, struct flow_page *take_page)
{
    return build_own(&call->build, take_page, release_page);
}

// The page that the token names, or the first one; the call's.
static struct flow_page *take_page(struct call *call, const Netscope__V1__ListFlowsRequest *request,
                                   const struct page_owner *owner, struct flow_selection *selection)
{
    struct flow_query query = {.order = ordering_of(request->order, request->reverse),
                               .limit = page_rows(request->page_size),
                               .selection = selection};
    char place[PAGE_TOKEN_PLACE_BYTES];
    bool first = request->page_token[0] == '\0';
    struct error error;
    if (!first && !page_token_read(call, owner, request->page_token, place))
        return NULL;
    struct flow_page *page = control_list(call->api->control, &query, first ? NULL : place, &error);
    if (page == NULL && !first && error.kind == ERROR_FAILED_PRECONDITION)
        page_expired(call); // the listing made room for others, or the run is over
    else if (page == NULL)
        status_from_error(&call->status, &error);
    return page != NULL ? keep_page(call, page) : NULL;
}

bool flows_list(struct call *call, struct ProtobufCMessage *message)
{
    Netscope__V1__ListFlowsRequest *request = (Netscope__V1__ListFlowsRequest *)message;
    struct page_owner owner =
        page_owner_of(call, "ListFlows", message, &request->page_token, &request->page_size);
    struct flow_selection *selection;
    struct flow_page *page = NULL;
    char cursor[CURSOR_BYTES] = "";
    if (!flow_filters_take(call, request->allow, request->n_allow, request->deny, request->n_deny,
                           &selection))
        return false;
    // Before the flows are looked at: what happens meanwhile is told twice rather than never.
    cursor_write(call->api, CURSOR_FLOWS, event_log_next(control_flow_events(call->api->control)), cursor);
    page = take_page(call, request, &owner, selection);
    if (page != NULL)
        build_list(call, request, &owner, page, cursor);
    flow_selection_release(selection);
    return call->status.code == STATUS_OK;
}

bool flows_ask(struct call *call, const struct flow_query *query, struct flow_page **page)
{
    struct error error;
    *page = control_ask(call->api->control, query, &error);
    if (*page == NULL)
        return status_from_error(&call->status, &error);
    *page = keep_page(call, *page);
    return *page != NULL ||
           status_set(&call->status, STATUS_RESOURCE_EXHAUSTED, "EXHAUSTED", "no memory for the answer");
}

// The flow of that id as a page of one row, or of none.
static bool find_flow(struct call *call, const char *id, struct flow_page **page)
{
    struct flow_filter filter = {.ids = &id, .id_count = 1};
    uint8_t bytes[FLOW_ID_BYTES];
    if (!flow_id_decode(id, bytes))
        return status_violate(&call->status, "id", "the id of a flow is 32 digits of 0 to 9 and a to f");
    struct flow_query query = {.limit = 1};
    if (!flow_selection_take(call, &(struct flow_filters){.allow = &filter, .allow_count = 1},
                             &query.selection))
        return false;
    bool good = flows_ask(call, &query, page);
    flow_selection_release(query.selection);
    return good;
}

bool flow_get(struct call *call, struct ProtobufCMessage *message)
{
    typedef Netscope__V1__GetFlowResponse Found;
    const Netscope__V1__GetFlowRequest *request = (const Netscope__V1__GetFlowRequest *)message;
    struct flow_page *page;
    if (!find_flow(call, request->id, &page))
        return false;
    Netscope__V1__Flow *flow = page->count > 0 ? build_row(call, page, 0, is_basic(request->view)) : NULL;
    bool found = flow != NULL || call->build.failed;
    Found *answer = found ? CALL_RESPONSE(call, Found, netscope__v1__get_flow_response__init) : NULL;
    if (answer != NULL) {
        CALL_IDENTIFY(call, answer);
        answer->flow = flow;
        answer->live = true;
    }
    return found || status_set(&call->status, STATUS_NOT_FOUND, "FLOW_NOT_FOUND",
                               "no flow that is alive has the id %s", request->id);
}

// False when the caller may not see it.
static bool build_top(struct call *call, Netscope__V1__TopFlow *into, const struct flow_page *page,
                      unsigned row, bool basic)
{
    const struct flow_record *record = &page->rows[row].record;
    double seconds = time_seconds_between(record->first_seen_ns, record->last_seen_ns);
    netscope__v1__top_flow__init(into);
    into->flow = build_row(call, page, row, basic);
    if (!(seconds > 0))
        return into->flow != NULL;
    into->bps_value_case = NETSCOPE__V1__TOP_FLOW__BPS_VALUE_BPS;
    into->bps = (double)(record->bytes[0] + record->bytes[1]) * 8 / seconds;
    into->pps_value_case = NETSCOPE__V1__TOP_FLOW__PPS_VALUE_PPS;
    into->pps = (double)(record->packets[0] + record->packets[1]) / seconds;
    return into->flow != NULL;
}

static void build_tops(struct call *call, const struct flow_page *page, bool basic)
{
    typedef Netscope__V1__TopFlowsResponse Top;
    Top *top = CALL_RESPONSE(call, Top, netscope__v1__top_flows_response__init);
    if (top == NULL)
        return;
    CALL_IDENTIFY(call, top);
    top->matched = page->matched;
    top->as_of = build_now(call);
    top->n_limits = build_limits(&call->build, call->caller->limits, &top->limits);
    size_t rows = build_rows(&call->build, &top->rows, page->count, sizeof **top->rows);
    for (unsigned row = 0; row < rows; row++)
        top->n_rows += build_top(call, top->rows[top->n_rows], page, row, basic);
}

bool flows_top(struct call *call, struct ProtobufCMessage *message)
{
    const Netscope__V1__TopFlowsRequest *request = (const Netscope__V1__TopFlowsRequest *)message;
    struct flow_selection *selection;
    struct flow_page *page;
    if (request->limit > FLOW_QUERY_LIMIT)
        return status_violate(&call->status, "limit", "at most %d flows are told", FLOW_QUERY_LIMIT);
    if (!flow_filters_take(call, request->allow, request->n_allow, request->deny, request->n_deny,
                           &selection))
        return false;
    struct flow_query query = {.order = ordering_of(request->order, false),
                               .limit = request->limit != 0 ? request->limit : TOP_ROWS,
                               .selection = selection};
    bool good = flows_ask(call, &query, &page);
    if (good)
        build_tops(call, page, is_basic(request->view));
    flow_selection_release(selection);
    return good;
}
