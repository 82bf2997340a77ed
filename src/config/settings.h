// The settings of a run: plain structs, filled once at start by config_load() from the one settings
// table (table.c) and frozen after that. Strings and lists are owned by the settings; borrowed by all
// others. Any thread may read.
#pragma once

#include <stdbool.h>
#include <stdint.h>

// The most that these settings may ask for: what the pipeline has room for.
enum { SETTINGS_WORKERS = 16, SETTINGS_TOP_FLOWS = 100 };

struct string_list {
    char **items;
    unsigned count;
};

enum on_missing { ON_MISSING_EXIT, ON_MISSING_WAIT };
enum observation { OBSERVATION_AUTO, OBSERVATION_FIRST, OBSERVATION_ALL };
enum packet_lines { PACKET_LINES_AUTO, PACKET_LINES_ALWAYS, PACKET_LINES_NEVER };
enum report_format { REPORT_AUTO, REPORT_TEXT, REPORT_JSON, REPORT_NONE }; // auto: text when a file is read

struct sensor_settings {
    char *node_name; // "" = host name
};

struct capture_settings {
    struct string_list interfaces;         // empty or "auto": the default route's
    struct string_list exclude_interfaces; // globs
    enum on_missing on_missing;
    enum observation observation;
    struct string_list read_pcap; // paths; "-" is stdin
    char *filter;                 // BPF; "" = none
    bool promiscuous;
    uint32_t snaplen; // bytes
    uint32_t timeout_ms;
    uint32_t buffer_size_mb;
    bool immediate_mode;
    bool fixed;
};

struct run_settings {
    uint64_t count; // packets; 0 = no limit
};

struct output_settings {
    enum packet_lines packets;
    bool hex_dump;
    enum report_format report;
    char *summary_json;  // path or ""
    uint32_t report_top; // rows of a table of the report
    char *write_pcap;
    uint32_t write_pcap_rotate_mb, write_pcap_max_files;
    char *export_json, *export_csv;
    char *expired_flows_jsonl, *expired_flows_csv;
    uint32_t rotate_mb, max_files;
    bool compress;
    uint32_t min_free_mb;
};

struct log_settings {
    int level;  // enum log_level
    int format; // enum log_format
};

struct flow_settings {
    uint32_t timeout_secs; // 0 = never, for every protocol
    uint32_t tcp_timeout_secs, udp_timeout_secs, icmp_timeout_secs;
    uint32_t active_timeout_secs; // 0 = off
    uint64_t hash_seed;           // 0 = fixed for files, random live
    uint64_t max_flows;           // 0 = no cap
    bool max_flows_given;         // by the user; else files have no cap
};

struct stats_settings {
    bool enabled;
    uint32_t interval_ms;
    uint32_t top_flows;
};

struct event_settings {
    uint32_t capacity; // events kept for who reads them
};

struct analysis_settings {
    bool rtt, retrans, out_of_order, tunnels;
};

struct names_settings {
    char *file;               // CSV: CIDR or address, name, namespace, kind; "" = none
    struct string_list local; // networks.local
};

struct pipeline_settings {
    uint32_t tick_ms;
    uint32_t workers;          // 0 = chosen by cores
    uint32_t batch;            // packets of a batch
    bool enabled;              // the seed's: read and without effect, for the pipeline always runs
    uint32_t channel_capacity; // the seed's: read and without effect
};

struct settings {
    const char *file; // --config: the settings file, borrowed from the command line; NULL = none
    struct sensor_settings sensor;
    struct capture_settings capture;
    struct run_settings run;
    struct output_settings output;
    struct log_settings log;
    struct flow_settings flow;
    struct stats_settings stats;
    struct event_settings events;
    struct analysis_settings analysis;
    struct names_settings names;
    struct pipeline_settings pipeline;
};
