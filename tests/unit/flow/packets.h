// Packets for the tests of the flow table, as decode_packet() would leave them: no bytes, only what flows
// read. Times are in nanoseconds since TEST_START_NS; endpoints are named by their last byte, 10.0.0.x.
#pragma once

#include <criterion/criterion.h>
#include <string.h>

#include "base/time.h"
#include "flow/key.h"
#include "flow/table.h"

#define TEST_START_NS (INT64_C(1700000000) * NS_PER_S)

enum { HEADERS_BYTES = 54 }; // Ethernet, IPv4, TCP

static inline struct address host(uint8_t last)
{
    return address_v4((const uint8_t[4]){10, 0, 0, last});
}

static inline struct address host_v6(uint8_t last)
{
    uint8_t bytes[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = last};
    return address_v6(bytes);
}

static inline void set_time(struct packet *packet, int64_t at_ns)
{
    packet->time_ns = packet->now_ns = TEST_START_NS + at_ns;
}

static inline struct packet ip_packet(uint8_t protocol, uint8_t from, uint8_t to, int64_t at_ns)
{
    struct packet packet = {
        .length = HEADERS_BYTES,
        .captured = HEADERS_BYTES,
        .ip_protocol = protocol,
        .source = host(from),
        .target = host(to),
    };
    set_time(&packet, at_ns);
    return packet;
}

static inline struct packet udp_packet(uint8_t from, uint16_t from_port, uint8_t to, uint16_t to_port,
                                       int64_t at_ns)
{
    struct packet packet = ip_packet(IP_PROTOCOL_UDP, from, to, at_ns);
    packet.has_transport = packet.ports_known = true;
    packet.source_port = from_port;
    packet.target_port = to_port;
    return packet;
}

// ICMP and ICMPv6 carry type and code in the ports.
static inline struct packet icmp_packet(uint8_t from, uint8_t to, uint8_t type, uint8_t code, int64_t at_ns)
{
    struct packet packet = ip_packet(IP_PROTOCOL_ICMP, from, to, at_ns);
    packet.has_transport = packet.ports_known = true;
    packet.source_port = type;
    packet.target_port = code;
    return packet;
}

static inline struct packet tcp_packet(uint8_t from, uint16_t from_port, uint8_t to, uint16_t to_port,
                                       uint8_t flags, int64_t at_ns)
{
    struct packet packet = ip_packet(IP_PROTOCOL_TCP, from, to, at_ns);
    packet.has_transport = packet.ports_known = true;
    packet.source_port = from_port;
    packet.target_port = to_port;
    packet.tcp.flags = flags;
    packet.tcp.window = 1000;
    return packet;
}

static inline void set_payload(struct packet *packet, uint32_t bytes)
{
    packet->payload_length = bytes;
    packet->length = packet->captured = HEADERS_BYTES + bytes;
}

// What flow.timeout_secs and its companions are by default, with the seed that files have.
static inline struct flow_policy test_policy(void)
{
    return (struct flow_policy){
        .hash_seed = 5,
        .index_seed = 7,
        .timeout_ns = 60 * NS_PER_S,
        .tcp_timeout_ns = 600 * NS_PER_S,
        .udp_timeout_ns = 60 * NS_PER_S,
        .icmp_timeout_ns = 60 * NS_PER_S,
        .linger_ns = 5 * NS_PER_S,
        .rtt = true,
        .retransmissions = true,
        .out_of_order = true,
    };
}

// A table as a shard has it, of all partitions.
struct test_table {
    struct flow_policy policy;
    struct flow_table table;
};

static inline void test_table_init(struct test_table *test, struct flow_policy policy)
{
    *test = (struct test_table){.policy = policy};
    cr_assert(flow_table_init(&test->table, &test->policy, 0, 1));
}

// Records that wait to be taken.
static inline size_t ended(const struct test_table *test)
{
    const struct ended_list *list = &test->table.ended;
    size_t count = 0;
    for (unsigned i = 0; i < list->run_count; i++)
        count += list->runs[i].end - list->runs[i].next;
    return count;
}

// Takes a record, also of packets before the tick, for tests that do not expire.
static inline struct flow_record take(struct test_table *test)
{
    cr_assert_gt(ended(test), 0, "no record");
    if (test->table.ended.heap_count == 0)
        ended_list_sort(&test->table.ended, &test->table.store);
    struct flow_record record;
    int64_t order_ns;
    cr_assert(flow_table_take(&test->table, &record, &order_ns));
    return record;
}

static inline void take_none(struct test_table *test)
{
    struct flow_record record;
    int64_t order_ns;
    cr_assert_eq(ended(test), 0, "records were left");
    cr_assert_not(flow_table_take(&test->table, &record, &order_ns));
}

static inline void test_table_done(struct test_table *test)
{
    take_none(test);
    flow_table_done(&test->table);
}

// What became of a packet, and whether it made a flow.
struct fed {
    struct flow *flow;
    bool duplicate, second_sighting, created;
    struct flow_hit hit;
    uint64_t hash;
};

static inline struct fed feed(struct test_table *test, const struct packet *packet)
{
    struct flow_key key;
    uint8_t sender;
    cr_assert(flow_key_of_packet(packet, &key, &sender));
    uint64_t before = test->table.counts.created;
    uint64_t hash = flow_hash(&key, test->policy.hash_seed, test->policy.index_seed);
    struct flow_hit hit = {.sender = sender};
    flow_table_packet(&test->table, packet, &key, hash, &hit);
    return (struct fed){hit.flow, hit.duplicate, hit.second_sighting, test->table.counts.created > before,
                        hit,      hash};
}

// The end of a tick at `at_ns`: what ended, in order, is then there for take().
static inline void tick(struct test_table *test, int64_t at_ns)
{
    take_none(test);
    flow_table_tick(&test->table, TEST_START_NS + at_ns, false);
}

// The end of the run.
static inline void finish(struct test_table *test, int64_t at_ns)
{
    flow_table_tick(&test->table, TEST_START_NS + at_ns, true);
}
