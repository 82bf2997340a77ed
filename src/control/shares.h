// How a memory limit is divided: what each part of a run takes at most, so that together they stay below it and no input
// can be the end of the process. Without a limit (0) each part has its usual size. What the shares hold back for others is
// the memory plan's to add up (app/memory_plan.h), which refuses a run that does not fit all the same. Pure.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct settings;

// A flow with its texts or its losses; those with both take half as much again. Without either it takes a third.
enum { SHARES_FLOW_BYTES = 768, SHARES_NAME_BYTES = 320 };

struct memory_shares {
    uint64_t chunk_bytes; // frames on their way to the shards
    uint64_t flows;       // in the table where flow.max_flows is not given; 0 = no cap
    uint32_t
        tick_packets;   // a tick ends after so many: what ends in it stays until then, as do its DNS answers
    uint32_t names;     // of addresses, from DNS answers
    uint32_t datagrams; // in fragments that are known at a time
    uint64_t events;    // that outputs of flows may lag behind: at most events.capacity
    uint64_t export_bytes; // of each output that sorts, in memory
    uint64_t tap_bytes;    // of the recorder's queue, and that of packet lines
    // With a server on: of what waits for clients in streams and in answers, of the library, each...
    uint64_t server_bytes;
    uint64_t
        connection_bytes;   // ...of connections, likewise; without a limit as many as the settings allow...
    uint64_t capture_bytes; // ...and of the queue of each capture over the wire
};

// `limit_bytes` is memory_limit() of base/memory_limit.h.
struct memory_shares memory_shares_of(uint64_t limit_bytes, const struct settings *settings);
