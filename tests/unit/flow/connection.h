// A TCP connection of two hosts for tests: what one sends, and what the flow says of it in the end.
#pragma once

#include "flow/tcp.h"
#include "packets.h"

// A connection between 10.0.0.1 (A, the client) and 10.0.0.2. Sequence numbers are told from each side's
// first data byte, which is number `base`.
struct connection {
    struct test_table test;
    uint32_t base;
    int64_t now_ns;
};

enum { CLIENT = 1, SERVER = 2, MS = 1000000 };

static inline void begin_with(struct connection *connection, struct flow_policy policy, uint32_t base)
{
    *connection = (struct connection){.base = base};
    test_table_init(&connection->test, policy);
}

static inline void begin(struct connection *connection)
{
    begin_with(connection, test_policy(), 1000);
}

static inline struct packet segment(const struct connection *connection, uint8_t from, uint8_t flags,
                                    uint32_t sequence, uint32_t acknowledgement, uint32_t bytes)
{
    struct packet packet = from == CLIENT ? tcp_packet(1, 40000, 2, 443, flags, connection->now_ns)
                                          : tcp_packet(2, 443, 1, 40000, flags, connection->now_ns);
    packet.tcp.sequence = connection->base + sequence;
    packet.tcp.acknowledgement = connection->base + acknowledgement;
    set_payload(&packet, bytes);
    return packet;
}

static inline void send(struct connection *connection, uint8_t from, uint8_t flags, uint32_t sequence,
                        uint32_t acknowledgement, uint32_t bytes)
{
    struct packet packet = segment(connection, from, flags, sequence, acknowledgement, bytes);
    feed(&connection->test, &packet);
}

static inline void wait_ms(struct connection *connection, int64_t ms)
{
    connection->now_ns += ms * MS;
}

static inline void send_data(struct connection *connection, uint32_t sequence, uint32_t bytes)
{
    send(connection, CLIENT, TCP_ACK, sequence, 0, bytes);
}

static inline void send_ack(struct connection *connection, uint32_t acknowledgement)
{
    send(connection, SERVER, TCP_ACK, 0, acknowledgement, 0);
}

// 10 ms from SYN to SYN-ACK, 2 more to the ACK.
static inline void shake_hands(struct connection *connection)
{
    send(connection, CLIENT, TCP_SYN, (uint32_t)-1, 0, 0);
    wait_ms(connection, 10);
    send(connection, SERVER, TCP_SYN | TCP_ACK, (uint32_t)-1, 0, 0);
    wait_ms(connection, 2);
    send(connection, CLIENT, TCP_ACK, 0, 0, 0);
}

static inline void begin_open(struct connection *connection)
{
    begin(connection);
    shake_hands(connection);
}

static inline struct flow_record end(struct connection *connection)
{
    finish(&connection->test, connection->now_ns);
    cr_assert_eq(ended(&connection->test), 1);
    struct flow_record record = take(&connection->test);
    test_table_done(&connection->test);
    return record;
}

static inline void expect_counters(const struct flow_record *record, uint64_t retransmissions,
                                   uint64_t out_of_order, uint64_t missed)
{
    cr_expect_eq(record->retransmissions[0], retransmissions, "%lu retransmissions",
                 record->retransmissions[0]);
    cr_expect_eq(record->out_of_order[0], out_of_order, "%lu out of order", record->out_of_order[0]);
    cr_expect_eq(record->bytes_missed[0], missed, "%lu bytes missed", record->bytes_missed[0]);
    cr_expect(record->retransmissions[1] == 0 && record->out_of_order[1] == 0 &&
              record->bytes_missed[1] == 0);
}
