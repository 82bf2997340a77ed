#include "app/status.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>

#include "base/strbuf.h"
#include "base/thread.h"
#include "base/time.h"
#include "control/control.h"
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

static void add_flow(struct strbuf *text, unsigned number, const struct flow_record *flow)
{
    char from[ENDPOINT_TEXT_BYTES], to[ENDPOINT_TEXT_BYTES], protocol[16];
    int client = flow->client == 1;
    strbuf_addf(text, "  %2u. %s %s - %s  %" PRIu64 " bytes  %" PRIu64 " packets", number,
                ip_protocol_text(flow->protocol, protocol), endpoint_format(&flow->endpoint[client], from),
                endpoint_format(&flow->endpoint[!client], to), flow->bytes[0] + flow->bytes[1],
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
        add_flow(text, i + 1, &page->rows[i].record);
    flow_page_release(page);
}

static void tell(struct control *control)
{
    struct strbuf text;
    strbuf_init(&text, STATUS_TEXT_BYTES);
    const struct snapshot *snapshot = control_snapshot(control);
    add_totals(&text, snapshot);
    snapshot_release(snapshot);
    add_flows(&text, control);
    fputs(text.text, stderr);
    strbuf_done(&text);
}

static void only_signal(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGUSR1);
}

static void *await_signals(void *argument)
{
    struct status *status = argument;
    sigset_t set;
    int number;
    only_signal(&set);
    while (sigwait(&set, &number) == 0 && !atomic_load(&status->ending))
        tell(status->control);
    return NULL;
}

void status_block_signal(void)
{
    sigset_t set;
    only_signal(&set);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}

void status_start(struct status *status, struct control *control)
{
    *status = (struct status){.control = control};
    status->started = thread_start(&status->thread, await_signals, status);
}

void status_stop(struct status *status)
{
    if (!status->started)
        return;
    atomic_store(&status->ending, true);
    pthread_kill(status->thread, SIGUSR1);
    pthread_join(status->thread, NULL);
    status->started = false;
}
