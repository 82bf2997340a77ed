#include "app/status.h"

#include <inttypes.h>
#include <string.h>

#include "aggregate/answer.h"
#include "aggregate/snapshot.h"
#include "app/terminal.h"
#include "base/strbuf.h"
#include "base/time.h"
#include "control/control.h"
#include "flow/page.h"
#include "net/protocol.h"

enum { STATUS_FLOWS = 10, STATUS_TEXT_BYTES = 1 << 16 };

static void add_totals(struct strbuf *text, const struct snapshot *snapshot)
{
    if (snapshot == NULL) {
        strbuf_add(text, "no totals yet\n");
        return;
    }
    const struct totals *totals = &snapshot->totals;
    time_add_rfc3339(text, snapshot->now_ns, 0);
    strbuf_addf(text,
                "  %" PRIu64 " packets received, %" PRIu64 " analysed, %" PRIu64 " lost; %" PRIu64
                " flows active of %" PRIu64 "\n",
                totals->received, totals->analysed, totals_lost(totals), totals->flows_active,
                totals->flows_created);
}

// An endpoint, and what it is called.
static void add_end(struct strbuf *text, const struct flow_record *flow, const struct flow_event *named,
                    int side)
{
    char endpoint[ENDPOINT_TEXT_BYTES];
    strbuf_add(text, endpoint_format(&flow->endpoint[side], endpoint));
    const char *name = named != NULL ? flow_event_text(named, EVENT_TEXT_NAME + (unsigned)side) : "";
    if (name[0] == '\0')
        return;
    strbuf_add(text, " (");
    strbuf_add_wire(text, name, strlen(name));
    strbuf_add_char(text, ')');
}

static void add_flow(struct strbuf *text, unsigned number, const struct flow_record *flow,
                     const struct flow_event *named)
{
    char protocol[16];
    int client = flow->client == 1;
    strbuf_addf(text, "  %2u. %s ", number, ip_protocol_text(flow->protocol, protocol));
    add_end(text, flow, named, client);
    strbuf_add(text, " - ");
    add_end(text, flow, named, !client);
    strbuf_addf(text, "  %" PRIu64 " bytes  %" PRIu64 " packets", flow->bytes[0] + flow->bytes[1],
                flow->packets[0] + flow->packets[1]);
    if (flow->tcp_state != TCP_STATE_NONE)
        strbuf_addf(text, "  %s", tcp_state_name(flow->tcp_state));
    strbuf_add_char(text, '\n');
}

static void add_flows(struct strbuf *text, struct control *control)
{
    static const struct flow_query query = {.order = {.by = FLOWS_BY_BYTES}, .limit = STATUS_FLOWS};
    struct error error;
    struct flow_page *page = control_ask(control, &query, &error);
    if (page == NULL) {
        strbuf_addf(text, "  %s\n", error.text);
        return;
    }
    for (unsigned i = 0; i < page->count; i++)
        add_flow(text, i + 1, &page->rows[i].record, answer_row(page, i));
    flow_page_release(page);
}

void status_tell(struct control *control, struct terminal *terminal)
{
    struct strbuf text;
    strbuf_init(&text, STATUS_TEXT_BYTES);
    const struct snapshot *snapshot = control_snapshot(control);
    add_totals(&text, snapshot);
    snapshot_release(snapshot);
    add_flows(&text, control);
    terminal_offer(terminal, text.text, text.length);
    strbuf_done(&text);
}
