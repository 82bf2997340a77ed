#include "app/memory_plan.h"

#include <assert.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "aggregate/alerting.h"
#include "aggregate/flow_event.h"
#include "api/packet_sample.h"
#include "api/pcap_tap.h"
#include "app/servers.h"
#include "base/memory_limit.h"
#include "capture/file/decompress.h"
#include "capture/file/file_inputs.h"
#include "capture/file/file_source.h"
#include "capture/live/live_rings.h"
#include "config/config.h"
#include "config/table.h"
#include "config/value.h"
#include "control/control.h"
#include "control/shares.h"
#include "door/door.h"
#include "export/export.h"
#include "flow/assembly.h"
#include "flow/dns_transaction.h"
#include "pipeline/pipeline.h"

// Bytes that a flow may take: its node and its place in the index, and what it has with quality.
enum { FLOW_PLAIN_BYTES = 100, FLOW_QUALITY_BYTES = 160 };
enum { BASE_BYTES = 11 << 20, REPORT_BYTES = 14 << 20 };
// DNS answers in memory, in packets of a tick, which has at most two answers a packet: one tick is gathered and one is
// read, unless as many answers as a tick has packets are on their way.
enum { TICKS_OF_ANSWERS = 2 * 2 };
enum { PLAN_ROWS = 24 };

struct plan_row {
    const char *name;
    uint64_t bytes;
    const char *why;
};

struct plan {
    struct plan_row rows[PLAN_ROWS];
    unsigned count;
    uint64_t total, limit;
    uint64_t rings; // of the total; the kernel charges no cgroup for them
};

static uint64_t flow_bytes(const struct settings *settings)
{
    bool quality = settings->analysis.rtt || settings->analysis.retrans || settings->analysis.out_of_order;
    return FLOW_PLAIN_BYTES + (quality ? FLOW_QUALITY_BYTES : 0);
}

// Packet lines and recorders.
static unsigned taps_of(const struct settings *settings, bool live)
{
    const struct output_settings *output = &settings->output;
    bool seen =
        live && !settings_listen(settings) && output->packets == PACKET_LINES_AUTO && isatty(STDOUT_FILENO);
    unsigned taps = output->packets == PACKET_LINES_ALWAYS || output->hex_dump || seen;
    for (unsigned i = 0; i < setting_count; i++) {
        const struct setting *setting = &setting_table[i];
        if (setting->file == SETTING_PACKETS && value_text(settings, setting)[0] != '\0')
            taps++;
    }
    return taps;
}

// Of the event log, when an output reads it.
static uint64_t event_bytes(const struct settings *settings, const struct memory_shares *shares, bool live)
{
    const struct output_settings *output = &settings->output;
    bool read = output->export_json[0] != '\0' || output->export_csv[0] != '\0' ||
                output->expired_flows_jsonl[0] != '\0' || output->expired_flows_csv[0] != '\0';
    read |= settings_serve(settings);
    return read ? flow_events_bytes(shares->events, !live && !settings_serve(settings)) : 0;
}

// Whether zstd may be in it: what is no file may bring anything.
static bool may_be_packed(const char *path)
{
    uint8_t magic[DECOMPRESS_MAGIC_BYTES];
    struct stat status;
    if (stat(path, &status) != 0 || !S_ISREG(status.st_mode))
        return true;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd >= 0 ? read(fd, magic, sizeof magic) : -1;
    if (fd >= 0)
        close(fd);
    const struct decompressor *packer = length > 0 ? decompressor_for(magic, (size_t)length) : NULL;
    return packer != NULL && strcmp(packer->name, "zstd") == 0;
}

// Of those that are named and those in folders that are: as many are open at once, at most. What cannot be listed is
// the start's to tell.
static uint64_t file_window_bytes(const struct string_list *named, uint64_t limit)
{
    unsigned packed = 0;
    struct string_list files;
    struct error error;
    if (!file_inputs_expand(named, &files, &error))
        return 0;
    for (unsigned i = 0; i < files.count && packed < FILE_SOURCE_OPEN_MAX; i++)
        packed += may_be_packed(files.items[i]);
    file_inputs_done(&files);
    return packed * decompress_window_most(limit);
}

static uint64_t report_bytes(const struct settings *settings, bool live)
{
    enum report_format report = settings->output.report;
    bool none = report == REPORT_NONE || (report == REPORT_AUTO && live);
    return none && settings->output.summary_json[0] == '\0' ? 0 : REPORT_BYTES;
}

// Outputs that are sorted at the end.
static unsigned exports_of(const struct output_settings *output)
{
    unsigned exports = output->export_json[0] != '\0';
    return exports + (output->export_csv[0] != '\0');
}

static void add_row(struct plan *plan, const char *name, uint64_t bytes, const char *why)
{
    assert(plan->count < PLAN_ROWS);
    plan->rows[plan->count++] = (struct plan_row){name, bytes, why};
    plan->total += bytes;
}

static void add_flows(struct plan *plan, const struct settings *settings, const struct memory_shares *shares)
{
    bool given = settings->flow.max_flows_given;
    uint64_t flows = (given ? settings->flow.max_flows : shares->flows);
    uint64_t ended = flows != 0 && plan->limit != 0 ? shares->tick_packets : 0;
    add_row(plan, "flow table", (flows + ended) * flow_bytes(settings),
            flows == 0 ? "no cap: grows with the flows of the file"
            : given    ? "flow.max_flows, and those that end in a tick"
            : ended > 0
                ? "without flow.max_flows: a third of what is above 58 MB, and above what servers take"
                : "flow.max_flows");
    add_row(plan, "flow details", (flows + ended) * (SHARES_FLOW_BYTES - flow_bytes(settings)),
            "names, tunnels and losses of flows, if all have some");
}

static void add_servers(struct plan *plan, const struct settings *settings,
                        const struct memory_shares *shares)
{
    enum { QUEUES_ANSWERS_LIBRARY = 3 };
    add_row(plan, "client packets",
            packet_sample_most_bytes(settings->web.packet_buffer) + PCAP_STREAMS * shares->capture_bytes,
            "web.packet_buffer, and what captures over the wire wait with");
    add_row(plan, "client streams", QUEUES_ANSWERS_LIBRARY * shares->server_bytes,
            "what waits for slow clients in streams and in answers, and what the library of gRPC may take");
    add_row(plan, "HTTP answers", settings->web.listener.enabled ? shares->server_bytes : 0,
            "what waits for slow clients of the page and of Connect");
    add_row(plan, "connections", servers_connections(settings, shares) * (uint64_t)DOOR_CONNECTION_BYTES,
            "max_connections of each port and socket, as many as there is room for");
}

static void make_plan(struct plan *plan, const struct settings *settings)
{
    bool live = settings->capture.read_pcap.count == 0;
    const struct capture_settings *capture = &settings->capture;
    *plan = (struct plan){.limit = memory_limit()};
    struct memory_shares shares = memory_shares_of(plan->limit, settings);
    plan->rings = live ? live_rings_most(capture, plan->limit) : 0;
    add_row(plan, "rings", plan->rings,
            "capture.buffer_size_mb an interface, at most eight times that behind globs; the kernel's, not "
            "the cgroup's");
    add_row(plan, "packet buffers", shares.chunk_bytes, "frames on their way to the shards");
    add_row(plan, "packed files", live ? 0 : file_window_bytes(&capture->read_pcap, plan->limit),
            "zstd's window, of each packed file");
    add_flows(plan, settings, &shares);
    add_row(plan, "streams", FLOW_PARTITIONS * (uint64_t)ASSEMBLY_POOL_BYTES,
            "ClientHellos and DNS messages in several segments");
    add_row(plan, "datagrams", dispatch_datagram_bytes(shares.datagrams),
            "fragments, and what is put together of them");
    add_row(plan, "batches", pipeline_most_bytes(!live, control_workers(settings), settings->pipeline.batch),
            "pipeline.batch packets each, and records on their way");
    add_row(plan, "DNS answers",
            TICKS_OF_ANSWERS * (uint64_t)shares.tick_packets * sizeof(struct dns_transaction),
            "of some ticks");
    add_row(plan, "report", report_bytes(settings, live), "hosts, services, names");
    add_row(plan, "queues", taps_of(settings, live) * shares.tap_bytes, "recorder and packet lines");
    add_row(plan, "events", event_bytes(settings, &shares, live),
            "events.capacity, for outputs of flows and clients");
    add_row(plan, "exports", exports_of(&settings->output) * shares.export_bytes,
            "flows that wait to be sorted");
    add_row(plan, "names", shares.names * (uint64_t)SHARES_NAME_BYTES, "addresses seen in DNS answers");
    add_row(plan, "alerts", settings_detect(settings) ? alerting_log_bytes(shares.events) : 0,
            "kept for outputs of alerts");
    add_row(plan, "webhook", settings->output.alerts_webhook[0] != '\0' ? WEBHOOK_BYTES : 0,
            "alerts that wait for its server");
    if (settings_listen(settings))
        add_servers(plan, settings, &shares);
    add_row(plan, "process", BASE_BYTES, "program, libraries, stacks");
}

static bool fits(const struct plan *plan, struct error *error)
{
    uint64_t charged = plan->total - plan->rings;
    if (plan->limit == 0 || charged <= plan->limit)
        return true;
    return error_set(
        error, ERROR_INVALID_ARGUMENT,
        "the memory plan needs %" PRIu64 " MB but the cgroup allows %" PRIu64
        " MB: lower flow.max_flows or events.capacity, ask for fewer outputs, or raise the limit; "
        "--check-config shows the plan",
        charged >> 20, plan->limit >> 20);
}

bool memory_plan_check(const struct settings *settings, struct error *error)
{
    struct plan plan;
    make_plan(&plan, settings);
    return fits(&plan, error);
}

bool memory_plan_add(struct strbuf *into, const struct settings *settings, const char *line_prefix,
                     struct error *error)
{
    struct plan plan;
    make_plan(&plan, settings);
    strbuf_addf(into, "%smemory plan (at most):\n", line_prefix);
    for (unsigned i = 0; i < plan.count; i++)
        strbuf_addf(into, "%s  %-15s %7" PRIu64 " MB  %s\n", line_prefix, plan.rows[i].name,
                    plan.rows[i].bytes >> 20, plan.rows[i].why);
    strbuf_addf(into, "%s  %-15s %7" PRIu64 " MB", line_prefix, "total", plan.total >> 20);
    if (plan.limit != 0 && plan.rings != 0)
        strbuf_addf(into, ", without rings %" PRIu64 " MB", (plan.total - plan.rings) >> 20);
    if (plan.limit != 0)
        strbuf_addf(into, "  of %" PRIu64 " MB that the cgroup allows", plan.limit >> 20);
    strbuf_add_char(into, '\n');
    return fits(&plan, error);
}
