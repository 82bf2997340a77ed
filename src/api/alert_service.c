// AlertService's unary methods: what the alerts' log keeps, each alert as it was told last.
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/cursor.h"
#include "api/filter_request.h"
#include "api/page_token.h"
#include "api/visibility.h"
#include "capture/clock.h"
#include "netscope/v1/alert_service.pb-c.h"

enum { ALERT_ROWS = 250, PAGE_BYTES = 1 << 20 };

typedef Netscope__V1__ListAlertsRequest Request;
typedef Netscope__V1__ListAlertsResponse List;

// Every event up to `last` that is kept, in order.
typedef void visit_alert(void *owner, const struct alert_event *event);

static bool visit_alerts(struct call *call, uint64_t last, visit_alert *visit, void *owner)
{
    struct event_log *log = control_alert_events(call->api->control);
    struct event_reader *reader = event_reader_create(log, EVENTS_DROP, EVENTS_FROM_OLDEST);
    struct event_run run;
    bool more = true;
    if (reader == NULL)
        return status_set(&call->status, STATUS_RESOURCE_EXHAUSTED, "EXHAUSTED", "no memory to read alerts");
    while (more && event_reader_take(reader, 0, &run) && run.block != NULL) {
        const struct alert_block *block = (const struct alert_block *)run.block;
        for (uint32_t i = run.begin; i < run.end && more; i++) {
            more = block->events[i].sequence <= last;
            if (more)
                visit(owner, &block->events[i]);
        }
    }
    event_reader_destroy(reader);
    return true;
}

// GetAlert.

struct search {
    const char *id;
    struct alert_event *found; // the latest revision; its node is the run's
    struct call *call;
};

static void look_at(void *owner, const struct alert_event *event)
{
    struct search *search = owner;
    if (strcmp(event->alert.id, search->id) != 0)
        return;
    if (search->found == NULL)
        search->found = build_part(&search->call->build, sizeof *search->found);
    if (search->found != NULL)
        *search->found = *event;
}

bool alert_get(struct call *call, struct ProtobufCMessage *message)
{
    typedef Netscope__V1__GetAlertResponse Found;
    struct search search = {.id = ((Netscope__V1__GetAlertRequest *)message)->id, .call = call};
    if (search.id[0] == '\0')
        return status_violate(&call->status, "id", "give the id of an alert");
    if (!visit_alerts(call, UINT64_MAX, look_at, &search))
        return false;
    struct alert_event *scratch = build_part(&call->build, sizeof *scratch);
    const struct alert_event *seen =
        search.found != NULL && scratch != NULL ? alert_as_seen(call->limits, search.found, scratch) : NULL;
    if (seen == NULL && !call->build.failed)
        return status_set(&call->status, STATUS_NOT_FOUND, "ALERT_NOT_FOUND",
                          "no alert that is kept has the id %.64s", search.id);
    Found *found = CALL_RESPONSE(call, Found, netscope__v1__get_alert_response__init);
    if (found != NULL && seen != NULL) {
        CALL_IDENTIFY(call, found);
        found->alert = build_alert(&call->build, seen);
    }
    return true;
}

// ListAlerts.

// An event of an alert: which is the alert's last, and whether that one fits.
struct seen {
    char id[ALERT_ID_BYTES];
    bool fits;
    uint64_t sequence;
};

// The list as of one moment: that makes pages of it whole, however alerts go on meanwhile.
struct listing {
    const struct alert_selection *selection;
    const struct limits *limits; // of the caller
    struct alert_event scratch;
    uint64_t last, before; // events up to `last`; the page has those below `before`
    struct seen *seen;
    size_t count, room;
    bool failed;
};

static void note(void *owner, const struct alert_event *event)
{
    struct listing *listing = owner;
    if (listing->count == listing->room) {
        size_t room = listing->room > 0 ? 2 * listing->room : 256;
        struct seen *seen = realloc(listing->seen, room * sizeof *seen);
        listing->failed |= seen == NULL;
        if (seen == NULL)
            return;
        listing->seen = seen;
        listing->room = room;
    }
    struct seen *seen = &listing->seen[listing->count++];
    memcpy(seen->id, event->alert.id, sizeof seen->id);
    seen->sequence = event->sequence;
    event = alert_as_seen(listing->limits, event, &listing->scratch);
    seen->fits = event != NULL && alert_selection_fits(listing->selection, event);
}

static int compare_sequences(const void *left, const void *right)
{
    const struct seen *one = left, *other = right;
    return one->sequence > other->sequence ? -1 : one->sequence < other->sequence;
}

static int compare_ids(const void *left, const void *right)
{
    int order = strcmp(((const struct seen *)left)->id, ((const struct seen *)right)->id);
    return order != 0 ? order : compare_sequences(left, right);
}

// Leaves the last event of each alert, where it fits, the latest first.
static void reduce(struct listing *listing)
{
    size_t kept = 0;
    const char *id = "";
    struct seen last;
    if (listing->count == 0)
        return;
    qsort(listing->seen, listing->count, sizeof *listing->seen, compare_ids);
    for (size_t i = 0; i < listing->count; i++) {
        struct seen seen = listing->seen[i];
        if (strcmp(seen.id, id) == 0)
            continue;
        last = seen;
        id = last.id;
        if (seen.fits)
            listing->seen[kept++] = seen;
    }
    listing->count = kept;
    if (kept > 0)
        qsort(listing->seen, kept, sizeof *listing->seen, compare_sequences);
}

// The rows of a page: events by sequence, downwards, and what was made of them.
struct page {
    struct call *call;
    const struct seen *seen;
    size_t count;
    Netscope__V1__Alert **alerts;
    struct alert_event scratch;
};

static void make_row(void *owner, const struct alert_event *event)
{
    struct page *page = owner;
    struct seen key = {.sequence = event->sequence};
    const struct seen *found =
        page->count > 0 ? bsearch(&key, page->seen, page->count, sizeof key, compare_sequences) : NULL;
    if (found != NULL)
        event = alert_as_seen(page->call->limits, event, &page->scratch);
    if (found != NULL && event != NULL)
        page->alerts[found - page->seen] = build_alert(&page->call->build, event);
}

// As many rows as a message may hold; those that left the log meanwhile are missing. `*used` rows of the page are told.
static void put_rows(List *list, const struct page *page, size_t *used)
{
    size_t bytes = 0;
    list->alerts = page->alerts;
    for (*used = 0; *used < page->count; ++*used) {
        Netscope__V1__Alert *alert = page->alerts[*used];
        size_t length = alert != NULL ? netscope__v1__alert__get_packed_size(alert) : 0;
        if (bytes > 0 && bytes + length > PAGE_BYTES)
            return;
        bytes += length;
        if (alert != NULL)
            page->alerts[list->n_alerts++] = alert;
    }
}

static char *build_place(struct call *call, const struct page_owner *owner, uint64_t last, uint64_t before)
{
    uint64_t numbers[2] = {last, before};
    uint8_t block[SEAL_BYTES];
    char place[PAGE_TOKEN_PLACE_BYTES] = "";
    memcpy(block, numbers, sizeof block);
    if (!seal_close(&call->api->key, block))
        call->build.failed = true;
    for (unsigned i = 0; i < SEAL_BYTES; i++)
        snprintf(place + 2 * i, 3, "%02x", block[i]);
    return page_token_build(call, owner, place);
}

// Where the page begins: the token's check says that the place is ours.
static bool read_place(struct call *call, const struct page_owner *owner, const char *token,
                       struct listing *listing)
{
    char place[PAGE_TOKEN_PLACE_BYTES];
    uint64_t numbers[2];
    uint8_t block[SEAL_BYTES];
    if (!page_token_read(call, owner, token, place))
        return false;
    assert(strlen(place) == (size_t)2 * SEAL_BYTES);
    for (unsigned i = 0; i < SEAL_BYTES; i++) {
        const char digits[3] = {place[2 * i], place[2 * i + 1], '\0'};
        block[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
    if (!seal_open(&call->api->key, block))
        return page_expired(call);
    memcpy(numbers, block, sizeof numbers);
    listing->last = numbers[0];
    listing->before = numbers[1];
    return true;
}

static void build_list(struct call *call, const struct page_owner *owner, const Request *request,
                       const struct listing *listing)
{
    struct page page = {.call = call};
    size_t from = 0, used;
    uint32_t rows = page_rows(request->page_size);
    char cursor[CURSOR_BYTES] = "";
    List *list = CALL_RESPONSE(call, List, netscope__v1__list_alerts_response__init);
    while (from < listing->count && listing->seen[from].sequence >= listing->before)
        from++;
    page.seen = listing->seen + from;
    page.count = listing->count - from < rows ? listing->count - from : rows;
    page.count = page.count < ALERT_ROWS ? page.count : ALERT_ROWS;
    page.alerts = build_part(&call->build, page.count * sizeof *page.alerts + 1);
    if (list == NULL || page.alerts == NULL || !visit_alerts(call, listing->last, make_row, &page))
        return;
    CALL_IDENTIFY(call, list);
    put_rows(list, &page, &used);
    if (from + used < listing->count)
        list->next_page_token = build_place(call, owner, listing->last, page.seen[used - 1].sequence);
    list->total_value_case = NETSCOPE__V1__LIST_ALERTS_RESPONSE__TOTAL_VALUE_TOTAL;
    list->total = listing->count;
    list->n_limits = build_limits(&call->build, call->caller->limits, &list->limits);
    list->as_of = build_time(&call->build, clock_wall_ns());
    cursor_write(call->api, CURSOR_ALERTS, listing->last + 1, cursor);
    list->cursor = build_text(&call->build, cursor);
}

static bool list_alerts(struct call *call, const struct page_owner *owner, const Request *request,
                        struct listing *listing)
{
    uint64_t next = event_log_next(control_alert_events(call->api->control));
    listing->last = next - 1;
    listing->before = UINT64_MAX;
    if (request->page_token[0] != '\0' && !read_place(call, owner, request->page_token, listing))
        return false;
    if (!visit_alerts(call, listing->last, note, listing))
        return false;
    if (listing->failed)
        return status_set(&call->status, STATUS_RESOURCE_EXHAUSTED, "EXHAUSTED", "no memory to list alerts");
    reduce(listing);
    build_list(call, owner, request, listing);
    return call->status.code == STATUS_OK;
}

bool alerts_list(struct call *call, struct ProtobufCMessage *message)
{
    Request *request = (Request *)message;
    struct page_owner owner =
        page_owner_of(call, "ListAlerts", message, &request->page_token, &request->page_size);
    struct alert_selection *selection;
    struct listing listing = {0};
    if (!alert_filters_take(call, request->allow, request->n_allow, request->deny, request->n_deny,
                            &selection))
        return false;
    listing.selection = selection;
    listing.limits = call->limits;
    bool good = list_alerts(call, &owner, request, &listing);
    free(listing.seen);
    alert_selection_destroy(selection);
    return good;
}
