#include "connection.h"

Test(tcp_rtt, is_from_data_to_the_ack_that_covers_it)
{
    struct connection connection;
    begin(&connection);
    send_data(&connection, 0, 100);
    wait_ms(&connection, 20);
    send_ack(&connection, 100);
    send_data(&connection, 100, 100);
    wait_ms(&connection, 12);
    send_ack(&connection, 150);
    wait_ms(&connection, 28);
    send_ack(&connection, 200); // 40 ms after the data, the first ACK covered a part only
    struct flow_record record = end(&connection);
    cr_expect_eq(record.rtt_far.samples, 2);
    cr_expect_eq(record.rtt_far.last_ns, 40 * MS);
    cr_expect_eq(record.rtt_far.min_ns, 20 * MS);
    cr_expect_eq(record.rtt_far.ewma_ns, 20 * MS + (40 - 20) * MS / 8);
    expect_counters(&record, 0, 0, 0);
}

Test(tcp_rtt, is_that_of_the_newest_segment_covered)
{
    struct connection connection;
    begin(&connection);
    send_data(&connection, 0, 100);
    wait_ms(&connection, 30);
    send_data(&connection, 100, 100);
    wait_ms(&connection, 5);
    send_ack(&connection, 200);
    struct flow_record record = end(&connection);
    cr_expect_eq(record.rtt_far.samples, 1);
    cr_expect_eq(record.rtt_far.last_ns, 5 * MS);
}

// Karn: an ACK after a retransmission may be for either copy.
Test(tcp_rtt, is_not_taken_over_a_retransmission)
{
    struct connection connection;
    begin(&connection);
    send_data(&connection, 0, 100);
    wait_ms(&connection, 200);
    send_data(&connection, 0, 100);
    wait_ms(&connection, 10);
    send_ack(&connection, 100);
    send_data(&connection, 100, 100); // unambiguous again
    wait_ms(&connection, 7);
    send_ack(&connection, 200);
    struct flow_record record = end(&connection);
    expect_counters(&record, 1, 0, 0);
    cr_expect_eq(record.rtt_far.samples, 1);
    cr_expect_eq(record.rtt_far.last_ns, 7 * MS);
}

// Of more segments than one on the way the second is measured: receivers answer every second one.
Test(tcp_rtt, measures_the_second_of_many)
{
    struct connection connection;
    begin(&connection);
    for (uint32_t i = 0; i < 4; i++) {
        send_data(&connection, i * 100, 100);
        wait_ms(&connection, 1);
    }
    send_ack(&connection, 200);
    send_ack(&connection, 400);
    struct flow_record record = end(&connection);
    cr_expect_eq(record.rtt_far.samples, 1);
    cr_expect_eq(record.rtt_far.last_ns, 3 * MS);
}

// The client's ACKs tell how far the client is, the server's how far the server is; the near host answers at once.
Test(tcp_rtt, is_a_series_a_side)
{
    struct connection connection;
    begin_open(&connection);
    for (uint32_t i = 0; i < 3; i++) {
        send(&connection, CLIENT, TCP_ACK, i * 100, i * 100, 100);
        wait_ms(&connection, 20);
        send(&connection, SERVER, TCP_ACK, i * 100, i * 100 + 100, 100);
        wait_ms(&connection, 1);
        send(&connection, CLIENT, TCP_ACK, i * 100 + 100, i * 100 + 100, 0);
    }
    struct flow_record record = end(&connection);
    cr_expect(record.rtt[0].samples == 3 && record.rtt[0].min_ns == 1 * MS);
    cr_expect(record.rtt[1].samples == 3 && record.rtt[1].min_ns == 20 * MS);
    cr_expect_eq(record.rtt_far.ewma_ns, 20 * MS);
}

Test(tcp_rtt, is_none_beyond_five_minutes)
{
    for (int step = 0; step < 3; step++) {
        struct connection connection;
        begin_open(&connection);
        send_data(&connection, 0, 100);
        wait_ms(&connection, 299 * 1000);
        if (step > 0)
            send_ack(&connection, 0);
        wait_ms(&connection, step == 0 ? 0 : step == 1 ? 2000 : 299 * 1000);
        send_ack(&connection, 100);
        cr_expect_eq(end(&connection).rtt_far.samples, step == 0);
    }
}

Test(tcp_rtt, of_the_handshake_is_from_syn_to_ack)
{
    struct connection connection;
    begin_open(&connection);
    wait_ms(&connection, 500);
    send(&connection, CLIENT, TCP_ACK, 0, 0, 0);
    cr_expect_eq(end(&connection).handshake_rtt_ns, 12 * MS);
}

Test(tcp_rtt, of_the_handshake_counts_from_the_last_syn)
{
    struct connection connection;
    begin(&connection);
    send(&connection, CLIENT, TCP_SYN, (uint32_t)-1, 0, 0);
    wait_ms(&connection, 1000);
    shake_hands(&connection);
    cr_expect_eq(end(&connection).handshake_rtt_ns, 12 * MS);
}

Test(tcp_rtt, of_the_handshake_needs_no_syn_ack)
{
    struct connection connection;
    begin(&connection);
    send(&connection, CLIENT, TCP_SYN, (uint32_t)-1, 0, 0);
    wait_ms(&connection, 9);
    send(&connection, CLIENT, TCP_ACK, 0, 0, 0);
    cr_expect_eq(end(&connection).handshake_rtt_ns, 9 * MS);
}

Test(tcp_rtt, of_a_refused_handshake_ends_with_the_refusal)
{
    struct connection connection;
    begin(&connection);
    send(&connection, CLIENT, TCP_SYN, (uint32_t)-1, 0, 0);
    wait_ms(&connection, 9);
    send(&connection, SERVER, TCP_RST | TCP_ACK, 0, 0, 0);
    cr_expect_eq(end(&connection).handshake_rtt_ns, 9 * MS);
}

Test(tcp_rtt, is_null_where_stamps_step_back)
{
    struct connection connection;
    begin(&connection);
    connection.now_ns = 100 * MS;
    send(&connection, CLIENT, TCP_SYN, (uint32_t)-1, 0, 0);
    connection.now_ns = 90 * MS;
    send(&connection, CLIENT, TCP_ACK, 0, 0, 0);
    send_data(&connection, 0, 100);
    connection.now_ns = 80 * MS;
    send_ack(&connection, 100);
    struct flow_record record = end(&connection);
    cr_expect_lt(record.handshake_rtt_ns, 0);
    cr_expect_eq(record.rtt_far.samples, 0);
}

Test(tcp_rtt, works_across_the_end_of_the_numbers)
{
    struct connection connection;
    begin_with(&connection, test_policy(), UINT32_MAX - 150);
    for (uint32_t sequence = 0; sequence < 1000; sequence += 100) {
        send_data(&connection, sequence, 100);
        wait_ms(&connection, 5);
        send_ack(&connection, sequence + 100);
    }
    struct flow_record record = end(&connection);
    cr_expect_eq(record.rtt_far.samples, 10);
    expect_counters(&record, 0, 0, 0);
}
