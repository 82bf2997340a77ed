// What the detectors' look at a packet costs the shard, by what the packet is (detect/observe.h): nothing else is done with
// the packets, in partitions and ticks as a shard has them.
#include <string.h>

#include "detect/observe.h"
#include "micro/rows.h"
#include "micro/series.h"

enum { BATCH = 1024, TICK_BATCHES = 64, BATCHES = 16 * TICK_BATCHES, SOURCES = 250, TARGETS = 10 };

static const uint64_t observe_seed = 0x6f627365727665;

struct observe_case {
    const char *name;
    uint8_t protocol, tcp_flags;
    unsigned facts;
    uint16_t source_port;
    bool spoofed_sources, spoofed_targets; // any; else few
};

static const struct observe_case cases[] = {
    {"observe, TCP data", IP_PROTOCOL_TCP, TCP_ACK, OBSERVED_RECEIVER_SENT, 40000, false, false},
    {"observe, UDP in known flows", IP_PROTOCOL_UDP, 0, OBSERVED_RECEIVER_SENT, 443, false, false},
    {"observe, UDP flood, spoofed targets", IP_PROTOCOL_UDP, 0, 0, 40000, true, true},
    {"observe, unasked DNS, spoofed targets", IP_PROTOCOL_UDP, 0, 0, 53, true, true},
    {"observe, SYNs to known servers", IP_PROTOCOL_TCP, TCP_SYN, 0, 40000, false, false},
    {"observe, SYNs, spoofed sources", IP_PROTOCOL_TCP, TCP_SYN, 0, 40000, true, false},
    {"observe, SYNs, spoofed targets", IP_PROTOCOL_TCP, TCP_SYN, 0, 40000, true, true},
    {"observe, echo requests", IP_PROTOCOL_ICMP, 0, 0, 8, false, false},
};

static struct packet packet_of(const struct observe_case *what)
{
    struct packet packet = {
        .ip_protocol = what->protocol,
        .has_transport = true,
        .ports_known = true,
        .tcp.flags = what->tcp_flags,
        .source_port = what->source_port,
        .target_port = what->protocol == IP_PROTOCOL_ICMP ? 0 : 443,
        .source = address_v4((const uint8_t[4]){10, 0, 0, 1}),
        .target = address_v4((const uint8_t[4]){10, 1, 0, 1}),
    };
    return packet;
}

static void set_host(struct address *address, uint32_t number, uint32_t hosts)
{
    if (hosts == 0) {
        number &= 0x3fffffff; // no multicast
        memcpy(address->bytes, &number, sizeof number);
        address->bytes[0] &= 0x7f;
    } else {
        address->bytes[3] = (uint8_t)(number % hosts);
    }
}

// Packets come in batches: what was just stored is not read at once.
static uint64_t make_packets(const struct observe_case *what, struct packet packets[BATCH], uint64_t first)
{
    uint64_t state = first;
    for (unsigned i = 0; i < BATCH; i++) {
        state = state * 6364136223846793005 + 1442695040888963407;
        set_host(&packets[i].source, (uint32_t)(state >> 32), what->spoofed_sources ? 0 : SOURCES);
        set_host(&packets[i].target, (uint32_t)(state >> 20), what->spoofed_targets ? 0 : TARGETS);
        packets[i].number = state;
    }
    return state;
}

static double time_observe(const struct observe_case *what, struct evidence *evidence)
{
    static struct packet packets[BATCH];
    uint64_t state = 1;
    int64_t spent_ns = 0;
    for (unsigned i = 0; i < BATCH; i++)
        packets[i] = packet_of(what);
    for (unsigned batch = 0; batch < BATCHES; batch++) {
        state = make_packets(what, packets, state);
        int64_t begin_ns = micro_thread_now_ns();
        for (unsigned i = 0; i < BATCH; i++)
            observe_packet(evidence, (unsigned)(packets[i].number >> 58), &packets[i], what->facts,
                           observe_seed);
        if (batch % TICK_BATCHES == 0)
            evidence_reset(evidence);
        spent_ns += micro_thread_now_ns() - begin_ns;
    }
    return (double)spent_ns / ((double)BATCHES * BATCH);
}

static void measure_case(const struct observe_case *what, unsigned repetitions)
{
    struct evidence evidence = {0};
    struct series series = {0};
    time_observe(what, &evidence);
    for (unsigned i = 0; i < repetitions; i++)
        series_add(&series, time_observe(what, &evidence));
    series_print(&series, what->name, "ns/packet");
    evidence_done(&evidence);
}

void measure_observe(const struct micro_options *options)
{
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++)
        measure_case(&cases[i], options->repetitions);
}
