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
enum webhook_format { WEBHOOK_NATIVE, WEBHOOK_ALERTMANAGER };
// Each may what those before it may. As Role in sensor.proto, less one.
enum role { ROLE_VIEWER, ROLE_PACKETS, ROLE_OPERATOR };
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
    bool exclude_self;
};

struct run_settings {
    uint64_t count;   // packets; 0 = no limit
    bool exit_at_end; // although a server is on
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
    char *alerts_jsonl;
    char *alerts_webhook; // URL; "" = none
    enum webhook_format alerts_webhook_format;
    bool fail_on_alert;
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

// analysis.anomalies.<kind>.*: members are named as the last parts of the keys. Every kind has these.
struct detector_settings {
    bool enabled;
    uint32_t window_secs;
    uint32_t cooldown_secs; // between two updates of an alert; without findings for so long it ends
};

struct syn_flood_settings {
    struct detector_settings common;
    uint32_t syn_threshold;         // unanswered SYNs of a window, and half of all
    uint32_t unique_src_threshold;  // from so many sources...
    uint32_t outstanding_threshold; // ...or so many unanswered ones from fewer
    uint32_t flood_threshold;       // so many unanswered ones whatever the share
};

struct scan_settings {
    struct detector_settings common;
    uint32_t unique_threshold; // unique_ports_threshold, unique_hosts_threshold: that failed in a window
    uint32_t slow_window_secs, slow_threshold;
    uint32_t slow_targets, slow_targets_inside; // until the source was silent for 15 minutes
};

struct reflection_settings {
    struct detector_settings common;
    uint32_t packets_per_sec_threshold, unique_src_threshold; // so many a second from so many sources
    uint32_t flood_per_sec_threshold;                         // or so many from fewer
};

struct packet_flood_settings {
    struct detector_settings common;
    uint32_t packets_per_sec_threshold;
    uint32_t answer_ratio; // and more than so many times what the target answers
};

struct anomaly_settings {
    bool enabled, enabled_given; // given by the user; else files have it, live runs do not
    uint32_t wait_secs;          // for an answer to a first contact
    uint32_t max_alerts_per_minute;
    bool explain;             // alerts tell their measures in texts for people, too
    struct string_list allow; // who is never told: detect/allow_list.h
    struct syn_flood_settings syn_flood;
    struct scan_settings port_scan, host_sweep;
    struct reflection_settings reflection;
    struct packet_flood_settings udp_flood, icmp_flood;
};

struct analysis_settings {
    bool rtt, retrans, out_of_order, tunnels;
    struct anomaly_settings anomalies;
};

struct tls_settings {
    bool enabled;
    char *cert_path, *key_path; // PEM
    char *client_ca_path;       // PEM: clients must show a certificate of it; "" = none is asked for
};

struct auth_settings {
    char *tokens_file;          // lines "name role sha256 [limits]"; "" = no tokens
    struct string_list callers; // "san=... role [limits]", "uid=... role", "gid=... role"
    int role;                   // enum role: of who shows no credentials, on loopback; of `username`
    int socket_role;            // of who comes through the unix socket and is none of `callers`
    // Of HTTP (Basic); NULL and false for gRPC.
    bool enabled;
    char *username, *password, *password_file; // one of the last two
};

// A server: where it listens, and who may use it.
struct listener_settings {
    bool enabled;
    char *bind;    // an address literal
    uint32_t port; // 0 = the kernel chooses
    char *socket;  // path; "" = none
    bool insecure; // beyond loopback without TLS and auth
    uint32_t max_connections;
    struct tls_settings tls;
    struct auth_settings auth;
};

struct web_settings {
    struct listener_settings listener;
    struct string_list allowed_hosts;
    char *base_path; // "" or "/x"
    struct string_list trusted_proxies;
    uint32_t tick_ms, top_n; // of the page
    // The sample of packets that clients of the API see.
    uint32_t packet_buffer; // packets
    uint32_t sample_rate;   // every so many; 0 = none
    uint32_t payload_bytes; // of each
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
    struct listener_settings grpc, metrics;
    struct web_settings web;
};
