#include "app/stats_line.h"

#include <inttypes.h>
#include <stdlib.h>

#include "app/terminal.h"
#include "base/strbuf.h"
#include "base/time.h"
#include "control/generation.h"
#include "control/metrics.h"
#include "flow/top.h"

enum { STATS_LINE_BYTES = 1 << 18 };

struct stats_figures {
    uint64_t packets, bytes, dispatch_drops, kernel_drops, interface_drops, active_flows;
};

struct stats_line {
    struct sink sink; // first
    struct control *control;
    struct terminal *terminal;
    struct strbuf text;
    bool on; // as of the last tick
    struct stats_figures last;
};

static struct stats_figures figures_of(const struct stats_line *line, const struct totals *totals,
                                       int64_t now_ns)
{
    struct run_figures figures = run_figures_of(line->control, totals, now_ns);
    return (struct stats_figures){
        .packets = run_metric_sum(&figures, "netscope_capture_packets_total"),
        .bytes = run_metric_sum(&figures, "netscope_capture_bytes_total"),
        .dispatch_drops = run_metric_sum(&figures, "netscope_dispatch_drops_total"),
        .kernel_drops = run_metric_sum(&figures, "netscope_kernel_drops_total"),
        .interface_drops = run_metric_sum(&figures, "netscope_kernel_if_drops_total"),
        .active_flows = run_metric_sum(&figures, "netscope_active_flows"),
    };
}

static void add_drops(struct strbuf *text, const char *name, uint64_t now, uint64_t before)
{
    strbuf_addf(text, "  %s +%" PRIu64 " (%" PRIu64 ")", name, now - before, now);
}

static void add_figures(struct stats_line *line, const struct totals *totals, int64_t now_ns, double span_s)
{
    struct stats_figures now = figures_of(line, totals, now_ns);
    time_add_rfc3339(&line->text, now_ns, 0);
    strbuf_addf(&line->text, "  %.2f Mbps  %.0f pps  %" PRIu64 " flows",
                (double)(now.bytes - line->last.bytes) * 8 / 1e6 / span_s,
                (double)(now.packets - line->last.packets) / span_s, now.active_flows);
    add_drops(&line->text, "dispatch drops", now.dispatch_drops, line->last.dispatch_drops);
    add_drops(&line->text, "kernel drops", now.kernel_drops, line->last.kernel_drops);
    add_drops(&line->text, "interface drops", now.interface_drops, line->last.interface_drops);
    strbuf_add_char(&line->text, '\n');
    line->last = now;
}

static struct endpoint endpoint_of(const struct flow_key *key, int side)
{
    struct endpoint endpoint = {.port = key->ports[side]};
    endpoint.address =
        key->ip_version == 6 ? address_v6(key->addresses[side]) : address_v4(key->addresses[side]);
    return endpoint;
}

static void add_top_flows(struct stats_line *line, unsigned most, double span_s)
{
    unsigned count;
    const struct top_flow *top = control_top_flows(line->control, &count);
    for (unsigned i = 0; i < count && i < most; i++) {
        char from[ENDPOINT_TEXT_BYTES], to[ENDPOINT_TEXT_BYTES], protocol[16];
        struct endpoint sender = endpoint_of(&top[i].key, top[i].sender);
        struct endpoint receiver = endpoint_of(&top[i].key, !top[i].sender);
        strbuf_addf(&line->text, "  %2u. %s %s - %s  %.3f Mbps  %" PRIu64 " packets\n", i + 1,
                    ip_protocol_text(top[i].key.protocol, protocol), endpoint_format(&sender, from),
                    endpoint_format(&receiver, to), (double)top[i].bytes * 8 / 1e6 / span_s, top[i].packets);
    }
}

static void tell(struct stats_line *line, const struct totals *totals, int64_t now_ns, unsigned top_flows)
{
    double span_s = (double)totals->interval_ns / 1e9;
    strbuf_clear(&line->text);
    add_figures(line, totals, now_ns, span_s);
    add_top_flows(line, top_flows, span_s);
    terminal_offer(line->terminal, line->text.text, line->text.length);
}

// The settings may turn it on while the run goes on: the first interval begins then.
static void stats_line_tick(struct sink *sink, const struct totals *totals, int64_t now_ns)
{
    struct stats_line *line = (struct stats_line *)sink;
    const struct generation *generation = control_generation(line->control);
    bool was_on = line->on;
    line->on = generation->settings.stats.enabled;
    if (line->on && !was_on)
        line->last = figures_of(line, totals, now_ns);
    else if (line->on && totals->interval_end)
        tell(line, totals, now_ns, generation->settings.stats.top_flows);
    generation_release(generation);
}

static void stats_line_destroy(struct sink *sink)
{
    struct stats_line *line = (struct stats_line *)sink;
    strbuf_done(&line->text);
    free(line);
}

static const struct sink_ops stats_line_ops = {
    .name = "statistics line",
    .tick = stats_line_tick,
    .destroy = stats_line_destroy,
};

struct sink *stats_line_create(struct control *control, struct terminal *terminal)
{
    struct stats_line *line = calloc(1, sizeof *line);
    if (line == NULL)
        return NULL;
    line->sink.ops = &stats_line_ops;
    line->control = control;
    line->terminal = terminal;
    line->on = true; // from the first packet on, if at all
    strbuf_init(&line->text, STATS_LINE_BYTES);
    return &line->sink;
}
