// The rows of the settings table (table.c, which alone includes this) that are about detection. A detector has three
// rows as all have them, DETECTOR_ROWS(), and its thresholds.
#pragma once

#include "config/settings.h"
#include "config/table.h"

#define AT(member)       .offset = offsetof(struct settings, member), .given_offset = SIZE_MAX
#define LIVE             .applies = SETTING_LIVE
#define RANGE(low, high) .minimum = (low), .maximum = (high)

#define ANOMALY_KEY(name) "analysis.anomalies." name

// clang-format off
#define ANOMALY_SECTIONS                                                                                      \
    {"analysis.anomalies", "Detection"},                                                                      \
    {"analysis.anomalies.syn_flood", "SYN floods"},                                                           \
    {"analysis.anomalies.port_scan", "Port scans"},                                                           \
    {"analysis.anomalies.host_sweep", "Host sweeps"},                                                         \
    {"analysis.anomalies.reflection", "Reflection"},                                                          \
    {"analysis.anomalies.udp_flood", "UDP floods"},                                                           \
    {"analysis.anomalies.icmp_flood", "ICMP floods"}

#define DETECTOR_ROWS(kind, flag_name, window, what)                                                          \
    {.key = ANOMALY_KEY(#kind ".enabled"), .type = SETTING_BOOL, AT(analysis.anomalies.kind.common.enabled),  \
     LIVE, .standard = "true", .flag = (flag_name), .help = "look for " what,                                 \
     .doc = "Whether " what " are looked for (while `analysis.anomalies.enabled`)."},                         \
    {.key = ANOMALY_KEY(#kind ".window_secs"), .type = SETTING_SECS,                                          \
     AT(analysis.anomalies.kind.common.window_secs), LIVE, RANGE(1, 3600), .standard = (window),              \
     .help = "sliding window of " what, .doc = "The sliding window that the thresholds of " what " are about."}, \
    {.key = ANOMALY_KEY(#kind ".cooldown_secs"), .type = SETTING_SECS,                                        \
     AT(analysis.anomalies.kind.common.cooldown_secs), LIVE, RANGE(1, 86400), .standard = "60",               \
     .help = "time between two words on the same alert",                                                      \
     .doc = "An alert that goes on is told again after so long, then after twice as long each time, up to sixteen times. It is "   \
            "over when nothing was found for so long, or for its window where that is longer."}

#define THRESHOLD_ROW(kind, name, member, value, of_what, short_help, sentence)                               \
    {.key = ANOMALY_KEY(#kind "." name), .type = SETTING_NUMBER, AT(analysis.anomalies.kind.member),          \
     LIVE, RANGE(1, UINT32_MAX), .standard = (value), .unit = (of_what), .help = (short_help),                \
     .doc = (sentence)}

#define SCAN_ROWS(kind, flag_name, threshold_name, what, of_what, contact)                                    \
    DETECTOR_ROWS(kind, flag_name, "60", what),                                                               \
    THRESHOLD_ROW(kind, threshold_name, unique_threshold, "25", of_what,                                      \
                  "failed " of_what " of one source in a window",                                             \
                  "So many distinct " contact " of one source that were refused or stayed unanswered in a window, and "  \
                  "at least half of its first contacts, are an alert."),                                      \
    {.key = ANOMALY_KEY(#kind ".slow_window_secs"), .type = SETTING_SECS,                                     \
     AT(analysis.anomalies.kind.slow_window_secs), LIVE, RANGE(1, 86400), .standard = "300",                  \
     .help = "a longer window for slower " what, .doc = "The longer window, for slower " what "."},           \
    THRESHOLD_ROW(kind, "slow_threshold", slow_threshold, "60", of_what,                                      \
                  "failed " of_what " in the longer window",                                                  \
                  "The threshold of the longer window."),                                                     \
    THRESHOLD_ROW(kind, "slow_targets", slow_targets, "100", of_what,                                         \
                  "failed " of_what " until the source is silent for 15 minutes",                             \
                  "The threshold for a source outside `networks.local`, counted until it was silent for 15 minutes, where " \
                  "nine tenths of its first contacts have failed."),                                          \
    THRESHOLD_ROW(kind, "slow_targets_inside", slow_targets_inside, "250", of_what,                           \
                  "the same for a source inside networks.local",                                              \
                  "The same for a source inside `networks.local`, where monitoring knocks on many dead doors.")

#define PACKET_FLOOD_ROWS(kind, flag_name, what, rate, protocol)                                              \
    DETECTOR_ROWS(kind, flag_name, "5", what),                                                                \
    THRESHOLD_ROW(kind, "packets_per_sec_threshold", packets_per_sec_threshold, rate, "packets a second",     \
                  protocol " packets a second to one target",                                                 \
                  "So many " protocol " packets a second to one target, over the window, are an alert."),     \
    THRESHOLD_ROW(kind, "answer_ratio", answer_ratio, "20", "times",                                          \
                  "times what the target answers",                                                            \
                  "And so many times more of them than the target answers.")

#define ANOMALY_ROWS                                                                                          \
    {.key = ANOMALY_KEY("enabled"), .type = SETTING_BOOL,                                                     \
     .offset = offsetof(struct settings, analysis.anomalies.enabled),                                         \
     .given_offset = offsetof(struct settings, analysis.anomalies.enabled_given),                             \
     LIVE, .standard = "true", .standard_words = "true for files, false live", .flag = "anomalies",           \
     .help = "look for attacks and raise alerts",                                                             \
     .doc = "Whether floods and scans are looked for and raise alerts (docs/detection.md)."},                 \
    {.key = ANOMALY_KEY("wait_secs"), .type = SETTING_SECS, AT(analysis.anomalies.wait_secs),                 \
     LIVE, RANGE(1, 60), .standard = "2", .flag = "anomalies-wait-secs",                                      \
     .help = "how long a first contact may stay unanswered",                                                  \
     .doc = "A first contact that was not answered for so long has failed."},                                 \
    {.key = ANOMALY_KEY("max_alerts_per_minute"), .type = SETTING_NUMBER,                                     \
     AT(analysis.anomalies.max_alerts_per_minute), LIVE, RANGE(1, 1000000), .standard = "60", .unit = "alerts", \
     .help = "alerts told a minute; the rest are counted",                                                    \
     .doc = "The most alerts told in a minute. The rest are counted, and one alert of the kind `overflow` says how many."}, \
    {.key = ANOMALY_KEY("explain"), .type = SETTING_BOOL, AT(analysis.anomalies.explain),                     \
     LIVE, .standard = "false", .flag = "explain-alerts",                                                     \
     .help = "say in numbers why each alert was raised",                                                      \
     .doc = "Whether each alert that people read is followed by its figures: what was counted, the threshold, and the "  \
            "setting that holds it. Files and the webhook have them always."},                                \
    {.key = ANOMALY_KEY("allow"), .type = SETTING_LIST, AT(analysis.anomalies.allow),                         \
     LIVE, .standard = "", .flag = "anomalies-allow", .argument = "ENTRY",                                    \
     .help = "who never raises an alert; repeatable",                                                         \
     .doc = "Who never raises an alert: `CIDR [port=N or N-M] [side=source, target or any] [expires=DATE or time of "   \
            "RFC 3339] [comment=the rest]`. The network is that of the source unless `side` says otherwise; the port "  \
            "is the target's. An entry that expired counts no more, which the log says once."},               \
    DETECTOR_ROWS(syn_flood, "syn-flood", "5", "SYN floods"),                                                 \
    THRESHOLD_ROW(syn_flood, "syn_threshold", syn_threshold, "200", "SYNs",                                   \
                  "unanswered SYNs to one address and port in a window",                                      \
                  "So many SYNs to one address and port whose handshakes were not completed, at least half of all there "  \
                  "in a window, are an alert when they come from enough sources."),                           \
    THRESHOLD_ROW(syn_flood, "unique_src_threshold", unique_src_threshold, "50", "sources",                   \
                  "from so many sources",                                                                     \
                  "From so many sources; from fewer it takes `outstanding_threshold`."),                      \
    THRESHOLD_ROW(syn_flood, "outstanding_threshold", outstanding_threshold, "2000", "SYNs",                  \
                  "or so many from fewer sources",                                                            \
                  "So many unanswered SYNs are an alert from fewer sources too."),                            \
    THRESHOLD_ROW(syn_flood, "flood_threshold", flood_threshold, "4000", "SYNs",                              \
                  "or so many whatever their share",                                                          \
                  "So many unanswered SYNs are enough whatever share of all they are."),                      \
    SCAN_ROWS(port_scan, "port-scan", "unique_ports_threshold", "port scans", "ports",                        \
              "pairs of target and port"),                                                                    \
    SCAN_ROWS(host_sweep, "host-sweep", "unique_hosts_threshold", "host sweeps", "hosts",                     \
              "targets on one port"),                                                                         \
    DETECTOR_ROWS(reflection, "reflection", "1", "reflected floods"),                                         \
    THRESHOLD_ROW(reflection, "packets_per_sec_threshold", packets_per_sec_threshold, "500", "packets a second", \
                  "answers a second that nobody asked for",                                                   \
                  "So many answers a second that one target never asked for (SYN-ACKs, UDP from the ports of amplifiers) " \
                  "are an alert when they come from enough sources."),                                        \
    THRESHOLD_ROW(reflection, "unique_src_threshold", unique_src_threshold, "10", "sources",                  \
                  "from so many sources",                                                                     \
                  "From so many sources; from fewer it takes `flood_per_sec_threshold`."),                    \
    THRESHOLD_ROW(reflection, "flood_per_sec_threshold", flood_per_sec_threshold, "5000", "packets a second", \
                  "or so many from fewer sources",                                                            \
                  "So many a second are an alert from fewer sources too."),                                   \
    PACKET_FLOOD_ROWS(udp_flood, "udp-flood", "UDP floods", "10000", "UDP"),                                  \
    PACKET_FLOOD_ROWS(icmp_flood, "icmp-flood", "ICMP floods", "1000", "ICMP")
// clang-format on
