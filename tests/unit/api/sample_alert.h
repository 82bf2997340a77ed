// Alerts for the tests of api/, export/ and app/: one with every field set, one with none that can be unknown; and the
// real log that they are given out through.
#pragma once

#include <stdio.h>
#include <string.h>

#include "aggregate/alert_event.h"
#include "decode/packet.h"
#include "net/protocol.h"

static inline struct endpoint alert_endpoint(const char *address, uint16_t port)
{
    struct endpoint endpoint = {.port = port};
    address_parse(address, &endpoint.address);
    return endpoint;
}

static inline void sample_alert_full(struct alert_event *event)
{
    *event = (struct alert_event){
        .alert =
            {
                .kind = ALERT_HOST_SWEEP,
                .severity = ALERT_HIGH,
                .severity_at_start = ALERT_HIGH,
                .lifecycle = ALERT_UPDATED,
                .protocol = IP_PROTOCOL_TCP,
                .revision = 2,
                .id = "0123456789abcdef0123456789abcdef",
                .fingerprint = "fedcba9876543210fedcba9876543210",
                .ts_ns = INT64_C(1714564805000000000),
                .first_seen_ns = INT64_C(1714564800123456789),
                .last_seen_ns = INT64_C(1714564804999999999),
                .interface = 1,
                .has_interface = true,
                .source_count = 1,
                .target_count = 2,
                .sources_total = 1,
                .targets_total = 30,
                .source = {{.endpoint = alert_endpoint("10.0.0.9", 0), .packets = 31}},
                .target = {{.endpoint = alert_endpoint("192.0.2.1", 22)},
                           {.endpoint = alert_endpoint("192.0.2.2", 22)}},
                .observed = 30,
                .threshold = 25,
                .window_secs = 60,
                .measure_count = 2,
                .measure = {{.what = "hosts whose first contacts failed",
                             .setting = "analysis.anomalies.host_sweep.unique_hosts_threshold",
                             .observed = 30,
                             .threshold = 25},
                            {.what = "of its first contacts failed",
                             .setting = "",
                             .observed = 0.75,
                             .threshold = 0.5,
                             .group = 1}},
                .sample_count = 1,
                .sample = {{.first_seen_ns = INT64_C(1714564800123456789),
                            .client = alert_endpoint("10.0.0.9", 40000),
                            .server = alert_endpoint("192.0.2.1", 22),
                            .protocol = IP_PROTOCOL_TCP,
                            .tunnel_kind = TUNNEL_VXLAN,
                            .tunnel_id = 7}},
                .suppressed_count = 59,
                .loss_ratio = 0.125,
                .confidence = 0.875,
                .description = "10.0.0.9 swept 30 hosts on tcp port 22",
            },
        .node = "node-1",
        .interface = "eth0",
        .source_name = {{.name = "worker\x1b", .name_space = "jobs", .name_source = 1}},
        .target_name = {{.name = "ssh.example", .name_source = 2}},
    };
}

static inline void sample_alert_empty(struct alert_event *event)
{
    *event = (struct alert_event){
        .alert = {.kind = ALERT_OVERFLOW, .id = "0", .fingerprint = "0", .revision = 1}, .node = ""};
}

static inline struct event_log *alert_log_create(uint64_t capacity)
{
    struct event_log_setup setup = {
        .capacity = capacity, .block_bytes = sizeof(struct alert_block), .block_events = ALERT_BLOCK_EVENTS};
    return event_log_create(&setup);
}

// Into the log, as aggregate does it.
static inline void alert_log_put(struct event_log *log, const struct alert_event *event)
{
    struct alert_block *block = (struct alert_block *)(void *)event_log_open(log);
    if (block->head.made == ALERT_BLOCK_EVENTS) {
        event_log_shut(log);
        block = (struct alert_block *)(void *)event_log_open(log);
    }
    struct alert_event *place = &block->events[block->head.made];
    *place = *event;
    place->sequence = block->head.first + block->head.made;
    block->head.made++;
    event_log_publish(log, true);
    event_log_wake(log);
}

// So many full ones, told apart by their revision: 1, 2...
static inline void alert_log_raise(struct event_log *log, unsigned count)
{
    struct alert_event event;
    sample_alert_full(&event);
    for (unsigned i = 0; i < count; i++) {
        event.alert.revision = i + 1;
        alert_log_put(log, &event);
    }
}
