#include "app/memory_plan.h"

#include <inttypes.h>

#include "aggregate/alerting.h"
#include "aggregate/flow_event.h"
#include "base/memory_limit.h"
#include "capture/file/decompress.h"
#include "capture/file/file_source.h"
#include "capture/live/live_rings.h"
#include "capture/record/tap.h"
#include "config/config.h"
#include "config/table.h"
#include "config/value.h"
#include "control/control.h"
#include "export/export.h"

// Bytes that a flow may take: its node and its place in the index, and what it has with quality and names.
enum { FLOW_PLAIN_BYTES = 100, FLOW_QUALITY_BYTES = 160, NAME_CACHE_BYTES = 10 << 20, BASE_BYTES = 16 << 20 };
// Its tables are bounded.
enum { REPORT_BYTES = 14 << 20 };

struct plan_row {
    const char *name;
    uint64_t bytes;
    const char *why;
};

static uint64_t flow_bytes(const struct settings *settings)
{
    bool quality = settings->analysis.rtt || settings->analysis.retrans || settings->analysis.out_of_order;
    return FLOW_PLAIN_BYTES + (quality ? FLOW_QUALITY_BYTES : 0);
}

static unsigned taps_of(const struct settings *settings)
{
    unsigned taps = settings->output.packets != PACKET_LINES_NEVER ? 1 : 0;
    for (unsigned i = 0; i < setting_count; i++) {
        const struct setting *setting = &setting_table[i];
        if (setting->file == SETTING_PACKETS && value_text(settings, setting)[0] != '\0')
            taps++;
    }
    return taps;
}

// Of the event log, when an output reads it.
static uint64_t event_bytes(const struct settings *settings, bool live)
{
    const struct output_settings *output = &settings->output;
    bool read = output->export_json[0] != '\0' || output->export_csv[0] != '\0' ||
                output->expired_flows_jsonl[0] != '\0' || output->expired_flows_csv[0] != '\0';
    return read ? flow_events_bytes(settings->events.capacity, !live) : 0;
}

// As many are open at once, at most.
static uint64_t file_window_bytes(const struct settings *settings, uint64_t limit)
{
    unsigned files = settings->capture.read_pcap.count;
    return (files < FILE_SOURCE_OPEN_MAX ? files : FILE_SOURCE_OPEN_MAX) * decompress_window_most(limit);
}

static uint64_t report_bytes(const struct settings *settings, bool live)
{
    enum report_format report = settings->output.report;
    return report == REPORT_NONE || (report == REPORT_AUTO && live) ? 0 : REPORT_BYTES;
}

// Of the outputs that are sorted at the end.
static uint64_t export_bytes(const struct settings *settings)
{
    const struct output_settings *output = &settings->output;
    uint64_t exports = output->export_json[0] != '\0';
    exports += output->export_csv[0] != '\0';
    return exports * EXPORT_BYTES;
}

bool memory_plan_add(struct strbuf *into, const struct settings *settings, const char *line_prefix,
                     struct error *error)
{
    bool live = settings->capture.read_pcap.count == 0;
    bool capped = live || settings->flow.max_flows_given;
    uint64_t limit = memory_limit();
    const struct plan_row rows[] = {
        {"rings", live ? live_rings_most(&settings->capture, limit) : 0,
         "capture.buffer_size_mb an interface, at most eight times that behind globs"},
        {"packet buffers", control_chunk_bytes(live, limit), "frames on their way to the shards"},
        {"packed files", live ? 0 : file_window_bytes(settings, limit),
         "zstd's window, of each file that is named"},
        {"flow table",
         capped ? settings->flow.max_flows * flow_bytes(settings)
                : control_file_flows(limit) * CONTROL_FLOW_BYTES,
         capped       ? "flow.max_flows, names counted apart"
         : limit != 0 ? "of a file without flow.max_flows: a quarter of the limit"
                      : "no cap: grows with the flows of the file"},
        {"report", report_bytes(settings, live), "hosts, services, names"},
        {"queues", (uint64_t)taps_of(settings) * TAP_RING_BYTES, "recorder and packet lines"},
        {"events", event_bytes(settings, live), "events.capacity, for outputs of flows"},
        {"alerts", settings_detect(settings) ? alerting_log_bytes(settings->events.capacity) : 0,
         "kept for outputs of alerts"},
        {"webhook", settings->output.alerts_webhook[0] != '\0' ? WEBHOOK_BYTES : 0,
         "alerts that wait for its server"},
        {"exports", export_bytes(settings), "flows that wait to be sorted"},
        {"names", NAME_CACHE_BYTES, "addresses seen in DNS answers"},
        {"process", BASE_BYTES, "program, libraries, stacks"},
    };
    uint64_t total = 0;
    strbuf_addf(into, "%smemory plan (at most):\n", line_prefix);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        strbuf_addf(into, "%s  %-15s %7" PRIu64 " MB  %s\n", line_prefix, rows[i].name, rows[i].bytes >> 20,
                    rows[i].why);
        total += rows[i].bytes;
    }
    strbuf_addf(into, "%s  %-15s %7" PRIu64 " MB", line_prefix, "total", total >> 20);
    if (limit != 0)
        strbuf_addf(into, "  of %" PRIu64 " MB that the cgroup allows", limit >> 20);
    strbuf_add_char(into, '\n');
    if (limit == 0 || total <= limit)
        return true;
    return error_set(error, ERROR_INVALID_ARGUMENT,
                     "the memory plan needs %" PRIu64 " MB but the cgroup allows %" PRIu64
                     " MB: lower flow.max_flows or capture.buffer_size_mb, or raise the limit",
                     total >> 20, limit >> 20);
}
