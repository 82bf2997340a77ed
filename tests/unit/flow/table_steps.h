// What the tests of the flow table do step by step.
#pragma once

#include "packets.h"

static inline struct fed feed_udp(struct test_table *test, uint8_t from, uint16_t from_port, int64_t at_ns)
{
    struct packet packet =
        from == 1 ? udp_packet(1, from_port, 2, 53, at_ns) : udp_packet(2, 53, 1, from_port, at_ns);
    return feed(test, &packet);
}

// A segment between 10.0.0.1:40000, the client, and 10.0.0.2:443.
static inline struct fed feed_tcp(struct test_table *test, uint8_t from, uint8_t flags, uint32_t sequence,
                                  int64_t at_ns)
{
    struct packet packet =
        from == 1 ? tcp_packet(1, 40000, 2, 443, flags, at_ns) : tcp_packet(2, 443, 1, 40000, flags, at_ns);
    packet.tcp.sequence = sequence;
    return feed(test, &packet);
}

static inline void shake_hands(struct test_table *test, uint32_t sequence, int64_t at_ns)
{
    feed_tcp(test, 1, TCP_SYN, sequence, at_ns);
    feed_tcp(test, 2, TCP_SYN | TCP_ACK, 9000, at_ns + NS_PER_MS);
    feed_tcp(test, 1, TCP_ACK, sequence + 1, at_ns + 2 * NS_PER_MS);
}

static inline void close_both(struct test_table *test, uint32_t sequence, int64_t at_ns)
{
    feed_tcp(test, 1, TCP_FIN | TCP_ACK, sequence, at_ns);
    feed_tcp(test, 2, TCP_FIN | TCP_ACK, 9001, at_ns + NS_PER_MS);
}

static inline void expect_ended(struct test_table *test, enum end_reason reason, int64_t end_ns)
{
    struct flow_record record = take(test);
    cr_expect_eq(record.reason, reason, "%s", end_reason_name(record.reason));
    cr_expect_eq(record.end_ns, TEST_START_NS + end_ns, "off by %ld ns",
                 record.end_ns - TEST_START_NS - end_ns);
    cr_expect(record.final);
    flow_names_free(record.names);
}

static inline void end(struct test_table *test)
{
    while (ended(test) > 0)
        flow_names_free(take(test).names);
    take_none(test);
    finish(test, 0);
    while (ended(test) > 0)
        flow_names_free(take(test).names);
    test_table_done(test);
}
