#include "config/table.h"

#include "config/settings.h"
#include "config/table_anomalies.h"
#include "config/table_listeners.h"

static const char *const on_missing_names[] = {"exit", "wait", NULL};
static const char *const observation_names[] = {"auto", "first", "all", NULL};
static const char *const packets_names[] = {"auto", "always", "never", NULL};
static const char *const report_names[] = {"auto", "text", "json", "none", NULL};
static const char *const level_names[] = {"error", "warning", "info", "debug", NULL};
static const char *const format_names[] = {"text", "json", NULL};
static const char *const webhook_names[] = {"native", "alertmanager", NULL};

static const char pipeline_note[] =
    "the pipeline always runs; use pipeline.workers for the number of its threads";

const struct setting_section setting_sections[] = {
    {"sensor", "Sensor"},     {"capture", "Capture"}, {"run", "Run"},          {"output", "Output"},
    {"log", "Log"},           {"flow", "Flows"},      {"stats", "Statistics"}, {"analysis", "Analysis"},
    ANOMALY_SECTIONS,         {"events", "Events"},   {"names", "Names"},      {"networks", "Networks"},
    {"pipeline", "Pipeline"}, LISTENER_SECTIONS,
};
const unsigned setting_section_count = sizeof setting_sections / sizeof setting_sections[0];

// clang-format off
const struct setting setting_table[] = {
    {.key = "sensor.node_name", .type = SETTING_STRING, AT(sensor.node_name),
     .standard = "", .standard_words = "the host name", .argument = "NAME",
     .help = "name of this sensor in its records",
     .doc = "The name of the node that this sensor speaks for, on every record that leaves it."},

    {.key = "capture.interfaces", .type = SETTING_LIST, AT(capture.interfaces),
     LIVE, .standard = "auto", .flag = "interface", .letter = 'i', .argument = "NAME",
     .help = "interface to capture on; repeatable",
     .doc = "Interfaces to capture on: names, globs such as `cali*` whose matches are followed as they come and go, "
            "`any`, or `auto` for the interface of the default route. Excludes `capture.read_pcap`."},
    {.key = "capture.exclude", .type = SETTING_LIST, AT(capture.exclude_interfaces),
     LIVE, .standard = "", .standard_words = "lo when capture.interfaces holds globs",
     .flag = "exclude-interface", .argument = "GLOB",
     .help = "interfaces that a glob leaves out; repeatable",
     .doc = "Globs of interfaces that are left out although a glob of `capture.interfaces` matches them."},
    {.key = "capture.on_missing", .type = SETTING_ENUM, AT(capture.on_missing), .names = on_missing_names,
     .standard = "exit", .help = "what to do when an interface is missing",
     .doc = "When an interface does not exist at start: `exit` ends with code 7, `wait` keeps trying."},
    {.key = "capture.observation", .type = SETTING_ENUM, AT(capture.observation), .names = observation_names,
     .standard = "auto", .help = "count a packet seen on several interfaces once or always",
     .doc = "`first`: the first interface to see a direction of a flow owns it, and the same packets elsewhere are "
            "counted as duplicates. `all`: every sighting counts. `auto`: `first` when live on `any` or several "
            "interfaces, else `all`, by the interfaces of the start."},
    {.key = "capture.read_pcap", .type = SETTING_LIST, AT(capture.read_pcap),
     .file = SETTING_INPUT, .standard = "", .flag = "read-pcap", .letter = 'r', .argument = "PATH",
     .help = "read a capture file, a directory of them, or - for stdin; repeatable",
     .doc = "Capture files to read in place of interfaces: pcap or pcapng, plain or packed by gzip or zstd (told by "
            "content), directories of them, `-` for stdin. Several are read in the order of time. Needs no privilege."},
    {.key = "capture.filter", .type = SETTING_STRING, AT(capture.filter),
     LIVE, .standard = "", .letter = 'f', .argument = "BPF",
     .help = "packet filter; the same as trailing words",
     .doc = "A packet filter in the language of tcpdump (pcap-filter(7)). Trailing words of the command line mean the same."},
    {.key = "capture.promiscuous", .type = SETTING_BOOL, AT(capture.promiscuous),
     .standard = "true", .help = "also receive packets for other stations",
     .doc = "Whether interfaces also deliver packets that are not addressed to them."},
    {.key = "capture.snaplen", .type = SETTING_NUMBER, AT(capture.snaplen), RANGE(0, 262144),
     .standard = "262144", .letter = 's', .unit = "bytes",
     .help = "bytes kept of each packet",
     .doc = "How much of each packet is captured. Frames joined by the network card exceed 65535 bytes; 0 means 262144, as in tcpdump."},
    {.key = "capture.timeout_ms", .type = SETTING_MS, AT(capture.timeout_ms), RANGE(1, 10000),
     .standard = "10", .help = "longest wait of the kernel before it hands packets over",
     .doc = "How long the kernel may gather packets before it hands them over: low is prompt, high is cheap."},
    {.key = "capture.buffer_size_mb", .type = SETTING_MB, AT(capture.buffer_size_mb), RANGE(1, 4096),
     .standard = "32", .help = "kernel buffer of each interface",
     .doc = "The kernel's packet buffer of each interface. A size that does not fit is tried downwards, and the size "
            "that was got is reported."},
    {.key = "capture.immediate_mode", .type = SETTING_BOOL, AT(capture.immediate_mode),
     .standard = "false", .help = "hand each packet over at once",
     .doc = "Whether the kernel hands over each packet at once. With a large snaplen it leaves few frames of buffer; "
            "`capture.timeout_ms` is the better way to low latency."},
    {.key = "capture.fixed", .type = SETTING_BOOL, AT(capture.fixed),
     .standard = "false", .flag = "capture-fixed", .help = "give up the right to open further interfaces after start",
     .doc = "Whether the capability NET_RAW is given up once the interfaces are open; none can be added after that."},
    {.key = "capture.exclude_self", .type = SETTING_BOOL, AT(capture.exclude_self),
     .standard = "true", .flag = "exclude-self", .help = "tell clients no packets of the sensor's own connections",
     .doc = "Whether packets of the sensor's own connections are left out of what StreamPcap and WatchPackets tell: a capture "
            "over the link that is captured would feed itself. They are counted as any others."},

    {.key = "run.count", .type = SETTING_BIG, AT(run.count), RANGE(0, INT64_MAX),
     .standard = "0", .standard_words = "0, no limit", .letter = 'c', .unit = "packets",
     .help = "end after that many packets",
     .doc = "The run ends after that many packets; 0 sets no limit."},
    {.key = "run.exit_at_end", .type = SETTING_BOOL, AT(run.exit_at_end),
     .standard = "false", .help = "end when the files are read, although a server is on",
     .doc = "With a server on, what was found in files stays served after their end, until a signal; with this the run ends "
            "there as it does without a server."},

    {.key = "output.packets", .type = SETTING_ENUM, AT(output.packets), .names = packets_names,
     .standard = "auto", .help = "one line a packet on stdout",
     .doc = "Packet lines on stdout, on stderr when something for programs (an output, a JSON report) goes to stdout. "
            "`auto`: on a terminal, when capturing live, with no server on."},
    {.key = "output.hex_dump", .type = SETTING_BOOL, AT(output.hex_dump),
     .standard = "false", .help = "packet details and bytes below each packet line",
     .doc = "Whether each packet line is followed by the tree of its layers and a hex dump."},
    {.key = "output.report", .type = SETTING_ENUM, AT(output.report), .names = report_names,
     .standard = "auto", .standard_words = "auto, text when a file is read",
     .help = "report at the end",
     .doc = "The report on stdout at the end of a run: `text` for people, `json` for programs, `none`. `auto`: "
            "`text` when a file is read, else `none`."},
    {.key = "output.summary_json", .type = SETTING_PATH, AT(output.summary_json),
     .file = SETTING_SUMMARY, .standard = "", .help = "write the report as JSON to a file",
     .doc = "Where the report goes as JSON, whatever `output.report` says."},
    {.key = "output.report_top", .type = SETTING_NUMBER, AT(output.report_top), RANGE(1, 1000),
     .standard = "10", .unit = "rows", .help = "rows of each table of the report",
     .doc = "How many rows each table of the report has at most."},
    {.key = "output.write_pcap", .type = SETTING_PATH, AT(output.write_pcap),
     LIVE, .file = SETTING_PACKETS, .standard = "", .letter = 'w', .help = "write the packets to a pcap file",
     .doc = "Where the captured packets are written as pcap. After SIGHUP a file that was moved away is followed by a "
            "new one at this path."},
    {.key = "output.write_pcap_rotate_mb", .type = SETTING_MB, AT(output.write_pcap_rotate_mb), RANGE(0, 1048576),
     LIVE, .standard = "0", .standard_words = "0, one file", .help = "start a new pcap file at that size",
     .doc = "The size at which the next pcap file begins: `name.000001.pcap` and so on. Needs `output.write_pcap_max_files`. "
            "A change begins the next file."},
    {.key = "output.write_pcap_max_files", .type = SETTING_NUMBER, AT(output.write_pcap_max_files), RANGE(0, 100000),
     LIVE, .standard = "0", .standard_words = "0, one file", .unit = "files",
     .help = "pcap files kept; the oldest goes first",
     .doc = "How many pcap files are kept, the one being written included; the oldest beyond them is deleted. Needs `output.write_pcap_rotate_mb`."},
    {.key = "output.export_json", .type = SETTING_PATH, AT(output.export_json),
     .file = SETTING_EXPORT, .standard = "", .help = "write all flows at the end as a JSON array",
     .doc = "Where all flows of the run, those that ended and those alive at the end, are written as one JSON array."},
    {.key = "output.export_csv", .type = SETTING_PATH, AT(output.export_csv),
     .file = SETTING_EXPORT, .standard = "", .help = "write all flows at the end as CSV",
     .doc = "Where all flows of the run are written as CSV with a header row."},
    {.key = "output.expired_flows_jsonl", .type = SETTING_PATH, AT(output.expired_flows_jsonl),
     LIVE, .file = SETTING_STREAM, .standard = "", .help = "write flows as they end, one JSON object a line",
     .doc = "Where flows are written as they end, one JSON object a line, with the reason of each end."},
    {.key = "output.expired_flows_csv", .type = SETTING_PATH, AT(output.expired_flows_csv),
     LIVE, .file = SETTING_STREAM, .standard = "", .help = "write flows as they end, as CSV",
     .doc = "Where flows are written as they end, as CSV with a header row."},
    {.key = "output.alerts_jsonl", .type = SETTING_PATH, AT(output.alerts_jsonl),
     LIVE, .file = SETTING_STREAM, .standard = "", .help = "write alerts as they are raised, one JSON object a line",
     .doc = "Where alerts are written as they begin, go on and end, one JSON object a line."},
    {.key = "output.alerts_webhook", .type = SETTING_STRING, AT(output.alerts_webhook), .secret = true,
     .standard = "", .argument = "URL", .help = "post alerts to this http or https URL",
     .doc = "An http or https URL to which alerts are posted as a JSON array. What fails is tried again with growing pauses; "
            "what does not fit into the queue meanwhile is dropped and counted. Nothing else ever waits for it."},
    {.key = "output.alerts_webhook_format", .type = SETTING_ENUM, AT(output.alerts_webhook_format),
     .names = webhook_names, .standard = "native", .help = "what the webhook understands",
     .doc = "`native`: the alerts as in `output.alerts_jsonl`. `alertmanager`: as the Alertmanager of Prometheus takes them "
            "at `/api/v2/alerts`."},
    {.key = "output.fail_on_alert", .type = SETTING_BOOL, AT(output.fail_on_alert),
     .standard = "false", .help = "exit with code 1 when an alert was raised",
     .doc = "Whether a run that raised an alert, and in which nothing worse happened, ends with exit code 1. Needs "
            "`analysis.anomalies.enabled`."},
    {.key = "output.rotate_mb", .type = SETTING_MB, AT(output.rotate_mb), RANGE(0, 1048576),
     LIVE, .standard = "0", .standard_words = "0, never", .help = "start a new streamed file at that size",
     .doc = "The size at which each streamed file (flows as they end, alerts) is closed and the next begins; 0 never. "
            "A change of the rotation begins the next file."},
    {.key = "output.max_files", .type = SETTING_NUMBER, AT(output.max_files), RANGE(0, 100000),
     LIVE, .standard = "0", .standard_words = "0, all", .unit = "files", .help = "streamed files kept, with the one being written",
     .doc = "How many files of each streamed output are kept, the one being written included; 0 keeps all."},
    {.key = "output.compress", .type = SETTING_BOOL, AT(output.compress),
     LIVE, .standard = "false", .help = "pack streamed files once they are closed",
     .doc = "Whether streamed files are packed by gzip once they are closed."},
    {.key = "output.min_free_mb", .type = SETTING_MB, AT(output.min_free_mb), RANGE(0, 1048576),
     LIVE, .standard = "512", .help = "free disk space below which outputs pause",
     .doc = "Free space of the disk below which outputs stop, are counted, and resume later; capture goes on. "
            "An export at the end keeps the one of the start for its temporary file."},

    {.key = "log.level", .type = SETTING_ENUM, AT(log.level), .names = level_names,
     LIVE, .standard = "warning", .flag = "log-level", .help = "how much is logged on stderr",
     .doc = "How much is logged on stderr. `-v` is info, `-vv` debug, `-q` error (and no packet lines)."},
    {.key = "log.format", .type = SETTING_ENUM, AT(log.format), .names = format_names,
     LIVE, .standard = "text", .flag = "log-format", .help = "form of a log line",
     .doc = "Whether log lines are text or JSON objects."},

    {.key = "flow.timeout_secs", .type = SETTING_SECS, AT(flow.timeout_secs), RANGE(0, UINT32_MAX),
     LIVE, .standard = "60", .flag = "flow-timeout-s", .help = "idle time after which a flow ends; 0 = never",
     .doc = "Idle time after which a flow ends. 0: no flow of any protocol ends by idleness."},
    {.key = "flow.tcp_timeout_secs", .type = SETTING_SECS, AT(flow.tcp_timeout_secs), RANGE(0, UINT32_MAX),
     LIVE, .standard = "600", .flag = "tcp-timeout-s", .help = "the same for established TCP",
     .doc = "Idle time of established TCP connections. Closed and reset ones leave after 5 seconds."},
    {.key = "flow.udp_timeout_secs", .type = SETTING_SECS, AT(flow.udp_timeout_secs), RANGE(0, UINT32_MAX),
     LIVE, .standard = "60", .flag = "udp-timeout-s", .help = "the same for UDP", .doc = "Idle time of UDP flows."},
    {.key = "flow.icmp_timeout_secs", .type = SETTING_SECS, AT(flow.icmp_timeout_secs), RANGE(0, UINT32_MAX),
     LIVE, .standard = "60", .flag = "icmp-timeout-s", .help = "the same for ICMP", .doc = "Idle time of ICMP and ICMPv6 flows."},
    {.key = "flow.active_timeout_secs", .type = SETTING_SECS, AT(flow.active_timeout_secs), RANGE(0, UINT32_MAX),
     LIVE, .standard = "0", .standard_words = "0, off", .flag = "active-timeout-s",
     .help = "interval of interim records of long flows",
     .doc = "How often a flow that goes on leaves an interim record in the streamed outputs; 0 never."},
    {.key = "flow.hash_seed", .type = SETTING_BIG, AT(flow.hash_seed), RANGE(0, UINT64_MAX),
     .standard = "0", .standard_words = "0, files: fixed, live: random", .help = "key of the flow table's hash",
     .doc = "The key of the flow table's hash. 0: fixed for files, so that equal input gives equal output, and random live."},
    {.key = "flow.max_flows", .type = SETTING_BIG, .offset = offsetof(struct settings, flow.max_flows),
     .given_offset = offsetof(struct settings, flow.max_flows_given), RANGE(0, 1000000000),
     LIVE, .standard = "1000000", .standard_words = "1000000 live, no cap for files", .unit = "flows",
     .help = "most flows in the table; 0 = no cap",
     .doc = "The most flows held at a time, over all workers. At the cap unanswered flows go first, then the least "
            "recently seen; 0 sets no cap. In a memory cgroup the default is what a part of its limit has room for, for files too. "
            "While it runs it can be lowered, and raised again to what it began with; more, or 0, takes the next start."},

    {.key = "stats.enabled", .type = SETTING_BOOL, AT(stats.enabled),
     LIVE, .standard = "false", .flag = "stats", .help = "a line of statistics an interval",
     .doc = "Whether a line of statistics is printed each interval."},
    {.key = "stats.interval_ms", .type = SETTING_MS, AT(stats.interval_ms), RANGE(50, 86400000),
     LIVE, .standard = "1000", .flag = "stats-interval-ms", .help = "that interval",
     .doc = "The interval of the lines of statistics."},
    {.key = "stats.top_flows", .type = SETTING_NUMBER, AT(stats.top_flows), RANGE(0, SETTINGS_TOP_FLOWS),
     LIVE, .standard = "0", .unit = "flows", .help = "flows with the most bytes below each line",
     .doc = "How many flows with the most bytes since the last line are listed below each line."},

    {.key = "analysis.rtt", .type = SETTING_BOOL, AT(analysis.rtt),
     .standard = "true", .help = "measure round trip times",
     .doc = "Whether TCP round trip times are measured. With this, `retrans` and `out_of_order` off, flow records are "
            "compact and the table holds more of them."},
    {.key = "analysis.retrans", .type = SETTING_BOOL, AT(analysis.retrans),
     .standard = "true", .help = "count retransmissions", .doc = "Whether TCP retransmissions are counted."},
    {.key = "analysis.out_of_order", .type = SETTING_BOOL, AT(analysis.out_of_order),
     .standard = "true", .help = "count segments out of order", .doc = "Whether TCP segments out of order are counted."},
    {.key = "analysis.tunnels", .type = SETTING_BOOL, AT(analysis.tunnels),
     .standard = "true", .help = "look inside tunnels",
     .doc = "Whether packets inside tunnels make the flows, in place of the tunnel's own."},
    ANOMALY_ROWS,

    {.key = "events.capacity", .type = SETTING_NUMBER, AT(events.capacity), RANGE(1, 16000000),
     .standard = "65536", .flag = "events-capacity", .unit = "events",
     .help = "flow events that a slow reader may lag behind",
     .doc = "How many flow events are kept for their readers. An output of a live run that lags further loses the "
            "oldest, which is counted; a run over files waits. Memory: at most 1.6 kB an event, taken as it is used; under a limit of memory they are fewer."},

    {.key = "names.file", .type = SETTING_PATH, AT(names.file),
     LIVE, .file = SETTING_INPUT, .standard = "", .flag = "names-file", .help = "names of addresses (CSV)",
     .doc = "A CSV file that names addresses: address or CIDR, name, namespace, kind."},
    {.key = "networks.local", .type = SETTING_LIST, AT(names.local),
     LIVE, .standard = "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,100.64.0.0/10,fc00::/7", .standard_words = "RFC 1918, 100.64.0.0/10, fc00::/7",
     .flag = "networks-local", .argument = "CIDR", .help = "networks that count as inside; repeatable",
     .doc = "Networks that count as inside when the direction of a flow is told."},

    {.key = "pipeline.tick_ms", .type = SETTING_MS, AT(pipeline.tick_ms), RANGE(1, 60000),
     .standard = "50", .help = "time between merges of the workers' results",
     .doc = "How often the results of the workers are merged and outputs advance."},
    {.key = "pipeline.workers", .type = SETTING_NUMBER, AT(pipeline.workers), RANGE(0, SETTINGS_WORKERS),
     .standard = "0", .standard_words = "0, by the cores allowed", .unit = "threads",
     .help = "threads that analyse packets",
     .doc = "How many threads analyse packets. 0 chooses: for files at most 4, live half of the cores allowed. The "
            "results are the same for any number."},
    {.key = "pipeline.batch", .type = SETTING_NUMBER, AT(pipeline.batch), RANGE(1, 4096),
     .standard = "256", .unit = "packets", .help = "packets handed to a worker at a time",
     .doc = "How many packets are handed to a worker at a time. The results are the same for any number."},
    {.key = "pipeline.enabled", .type = SETTING_BOOL, AT(pipeline.enabled), .standard = "true", .flag = "pipeline",
     .note = pipeline_note},
    {.key = "pipeline.channel_capacity", .type = SETTING_NUMBER, AT(pipeline.channel_capacity),
     RANGE(0, UINT32_MAX), .standard = "0", .note = pipeline_note},

    LISTENER_ROWS,
};
// clang-format on

const unsigned setting_count = sizeof setting_table / sizeof setting_table[0];
_Static_assert(sizeof setting_table / sizeof setting_table[0] <= SETTING_MAXIMUM, "raise SETTING_MAXIMUM");
