#include "app/run_summary.h"

#include <inttypes.h>

#include "aggregate/sink.h"
#include "net/protocol.h"
#include "pipeline/totals.h"

static void add_packets(struct strbuf *into, const struct totals *totals, int64_t run_ns)
{
    double seconds = (double)run_ns / 1e9;
    strbuf_addf(into, "%" PRIu64 " packets, %" PRIu64 " bytes in %.1f s", totals->received,
                totals->received_bytes, seconds);
    if (seconds > 0)
        strbuf_addf(into, " (%.2f Mbps, %.0f pps)", (double)totals->received_bytes * 8 / 1e6 / seconds,
                    (double)totals->received / seconds);
    strbuf_add_char(into, '\n');
}

static void add_flows(struct strbuf *into, const struct totals *totals)
{
    strbuf_addf(into, "flows: %" PRIu64 " created", totals->flows_created);
    for (enum end_reason reason = 0; reason < END_REASONS; reason++)
        if (totals->flows_ended[reason] != 0)
            strbuf_addf(into, ", %s %" PRIu64, end_reason_name(reason), totals->flows_ended[reason]);
    if (totals->flows_refused != 0)
        strbuf_addf(into, "; %" PRIu64 " packets without a flow: no memory", totals->flows_refused);
    strbuf_add_char(into, '\n');
}

static void add_protocol(struct strbuf *into, bool *begun, const char *name, uint64_t packets)
{
    if (packets != 0)
        strbuf_addf(into, "%s %s %" PRIu64, *begun ? "" : "protocols:", name, packets);
    *begun |= packets != 0;
}

static void add_protocols(struct strbuf *into, const struct totals *totals)
{
    bool begun = false;
    for (int protocol = 0; protocol < 256; protocol++) {
        char name[16];
        add_protocol(into, &begun, ip_protocol_text((uint8_t)protocol, name),
                     totals->protocol_packets[protocol]);
    }
    add_protocol(into, &begun, "arp", totals->arp);
    if (begun)
        strbuf_add_char(into, '\n');
}

static void add_decode_errors(struct strbuf *into, const struct totals *totals)
{
    const char *separator = "decode errors: ";
    for (enum decode_layer layer = 0; layer < DECODE_LAYERS; layer++) {
        for (enum decode_reason reason = 1; reason < DECODE_REASONS; reason++) {
            if (totals->decode_errors[layer][reason] == 0)
                continue;
            strbuf_addf(into, "%s%s %s %" PRIu64, separator, decode_layer_name(layer),
                        decode_reason_name(reason), totals->decode_errors[layer][reason]);
            separator = ", ";
        }
    }
    if (separator[0] == ',')
        strbuf_add_char(into, '\n');
}

static void add_lost(struct strbuf *into, const struct control *control, const struct totals *totals)
{
    for (unsigned i = 0; i < totals->interfaces; i++) {
        const struct interface_totals *row = &totals->interface[i];
        char name[SINK_INTERFACE_BYTES];
        const char *interface = sink_interface_name(control_source(control), row->number, name);
        for (enum lost_cause cause = 0; cause < LOST_CAUSES; cause++)
            if (row->lost[cause] != 0)
                strbuf_addf(into, "  lost on %s, stage %s, reason %s: %" PRIu64 "\n", interface,
                            lost_stage_name(cause), lost_reason_name(cause), row->lost[cause]);
        if (row->interface_dropped != 0)
            strbuf_addf(into, "  dropped by the network card of %s (outside the ledger): %" PRIu64 "\n",
                        interface, row->interface_dropped);
    }
}

static void add_ledger(struct strbuf *into, const struct control *control, const struct totals *totals)
{
    strbuf_addf(into, "ledger: received %" PRIu64 " = analysed %" PRIu64, totals->received, totals->analysed);
    if (totals->duplicate != 0)
        strbuf_addf(into, " + duplicate %" PRIu64, totals->duplicate);
    if (totals_lost(totals) != 0)
        strbuf_addf(into, " + lost %" PRIu64, totals_lost(totals));
    strbuf_add_char(into, '\n');
    add_lost(into, control, totals);
}

void run_summary_add(struct strbuf *into, const struct control *control, int64_t run_ns)
{
    const struct totals *totals = control_totals(control);
    add_packets(into, totals, run_ns);
    add_flows(into, totals);
    add_protocols(into, totals);
    add_decode_errors(into, totals);
    add_ledger(into, control, totals);
}
