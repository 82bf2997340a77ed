#include "control/shares.h"

#include "aggregate/aggregate.h"
#include "aggregate/flow_event.h"
#include "capture/record/tap.h"
#include "config/config.h"
#include "config/settings.h"
#include "flow/assembly.h"
#include "flow/policy.h"
#include "pipeline/dispatch.h"

enum { MB = 1 << 20 };

// One part of the limit, between the least that works and what is of use.
static uint64_t part_of(uint64_t limit_bytes, unsigned part, uint64_t least, uint64_t most)
{
    uint64_t share = limit_bytes / part;
    if (limit_bytes == 0 || share > most)
        return most;
    return share > least ? share : least;
}

static uint32_t power_of_two(uint64_t number)
{
    uint32_t power = 1;
    while (power <= number / 2)
        power *= 2;
    return power;
}

// Servers take a quarter, most of it for what waits for clients.
static uint64_t servers_bytes(uint64_t limit_bytes, const struct settings *settings)
{
    return settings_serve(settings) ? limit_bytes / 4 : 0;
}

// A third of what is above the least that a run takes without flows.
static uint64_t flow_bytes(uint64_t limit_bytes, const struct settings *settings)
{
    const uint64_t least = 2 * (uint64_t)MB;
    uint64_t rest = 58 * (uint64_t)MB + servers_bytes(limit_bytes, settings);
    uint64_t share = limit_bytes > rest ? (limit_bytes - rest) / 3 : 0;
    return share > least ? share : least;
}

static uint64_t flows_of(uint64_t limit_bytes, const struct settings *settings)
{
    bool live = settings->capture.read_pcap.count == 0;
    uint64_t usual = live ? settings->flow.max_flows : 0;
    uint64_t flows = limit_bytes != 0 ? flow_bytes(limit_bytes, settings) / SHARES_FLOW_BYTES : 0;
    return flows != 0 && (usual == 0 || flows < usual) ? flows : usual;
}

// Live a reader that lags holds blocks of events; a file's run waits for it.
static uint64_t events_of(uint64_t limit_bytes, const struct settings *settings)
{
    enum {
        EVENT_BYTES = 2 * sizeof(struct flow_block) / FLOW_BLOCK_EVENTS,
        LIVE_PART = 8,
        FILE_PART = 128 << 10
    };
    bool live = settings->capture.read_pcap.count == 0;
    uint64_t most = settings->events.capacity;
    return live ? part_of(limit_bytes, LIVE_PART * EVENT_BYTES, EVENTS_WAITED_FOR / 4, most)
                : part_of(limit_bytes, FILE_PART, EVENTS_WAITED_FOR / 8, most);
}

// Frames on their way and what is put together of them have one share: where it is short, the buffers have less by what
// datagrams and streams take.
static uint64_t chunks_of(uint64_t limit_bytes, uint32_t datagrams)
{
    const uint64_t least = 8 * (uint64_t)MB, most = 64 * (uint64_t)MB;
    const uint64_t streams = FLOW_PARTITIONS * (uint64_t)ASSEMBLY_POOL_BYTES;
    uint64_t share = part_of(limit_bytes, 8, least, most);
    uint64_t taken = dispatch_datagram_bytes(datagrams) + streams;
    if (share == most)
        return most;
    return share > least + taken ? share - taken : least;
}

struct memory_shares memory_shares_of(uint64_t limit_bytes, const struct settings *settings)
{
    enum {
        TICK_PART = 32 << 10,
        TICK_LEAST = 2048,
        NAMES_PART = 8 << 10,
        NAMES_LEAST = 2048,
        DATAGRAMS_PART = 128 << 10,
        DATAGRAMS_LEAST = 512
    };
    uint32_t datagrams = power_of_two(part_of(limit_bytes, DATAGRAMS_PART, DATAGRAMS_LEAST, DATAGRAMS_KNOWN));
    return (struct memory_shares){
        .chunk_bytes = chunks_of(limit_bytes, datagrams),
        .flows = flows_of(limit_bytes, settings),
        .tick_packets = power_of_two(part_of(limit_bytes, TICK_PART, TICK_LEAST, TICK_PACKETS)),
        .names = power_of_two(part_of(limit_bytes, NAMES_PART, NAMES_LEAST, AGGREGATE_NAMES)),
        .datagrams = datagrams,
        .events = events_of(limit_bytes, settings),
        .export_bytes = part_of(limit_bytes, 32, 2 * MB, 64 * MB),
        .server_bytes = part_of(limit_bytes, 32, 2 * MB, 64 * MB),
        .connection_bytes = limit_bytes == 0 ? UINT64_MAX : part_of(limit_bytes, 32, 2 * MB, 64 * MB),
        .capture_bytes = power_of_two(part_of(limit_bytes, 128, MB, TAP_RING_BYTES / 2)),
        .tap_bytes = power_of_two(part_of(limit_bytes, 16, 2 * MB, TAP_RING_BYTES)),
    };
}
