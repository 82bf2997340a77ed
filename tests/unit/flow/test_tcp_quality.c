#include "connection.h"
#include "flow/tcp_segment.h"

// Retransmitted, out of order, missed.

Test(tcp_order, data_sent_before_is_retransmitted)
{
    struct connection connection;
    begin_open(&connection);
    send_data(&connection, 0, 100);
    send_data(&connection, 100, 100);
    send_data(&connection, 100, 100); // at once, but it ends where the highest number is
    wait_ms(&connection, 300);
    send_data(&connection, 0, 100);
    struct flow_record record = end(&connection);
    expect_counters(&record, 2, 0, 0);
}

// Whether it was seen before is not asked: who reads in the middle cannot tell a late segment from a repeated one.
Test(tcp_order, data_below_the_newest_is_out_of_order_soon_behind_it)
{
    struct connection connection;
    begin_open(&connection); // 12 ms
    send_data(&connection, 0, 100);
    send_data(&connection, 100, 100);
    wait_ms(&connection, 11);
    send_data(&connection, 0, 100);
    struct flow_record record = end(&connection);
    expect_counters(&record, 0, 1, 0);
}

Test(tcp_order, data_that_the_receiver_has_is_retransmitted_also_where_it_is_new_here)
{
    struct connection connection;
    begin_open(&connection);
    send_data(&connection, 0, 100);
    send_data(&connection, 200, 100); // 100 was not captured
    send_ack(&connection, 200);
    send_data(&connection, 100, 100);
    struct flow_record record = end(&connection);
    expect_counters(&record, 1, 0, 0);
}

// The receiver took the byte of a probe into its closed window: the data goes on behind it.
Test(tcp_order, goes_on_behind_a_probe_that_was_taken)
{
    struct connection connection;
    begin_open(&connection);
    send_data(&connection, 0, 100);
    struct packet closed = segment(&connection, SERVER, TCP_ACK, 0, 100, 0);
    closed.tcp.window = 0;
    feed(&connection.test, &closed);
    send_data(&connection, 100, 1);
    closed.tcp.acknowledgement++;
    feed(&connection.test, &closed);
    send_ack(&connection, 101);
    send_data(&connection, 101, 100);
    struct flow_record record = end(&connection);
    expect_counters(&record, 0, 0, 0);
    cr_expect_eq(record.payload_bytes[0], 201);
}

Test(tcp_order, a_hole_filled_soon_is_out_of_order)
{
    struct connection connection;
    begin_open(&connection); // 12 ms
    send_data(&connection, 0, 100);
    send_data(&connection, 200, 100);
    wait_ms(&connection, 11);
    send_data(&connection, 100, 100);
    struct flow_record record = end(&connection);
    expect_counters(&record, 0, 1, 0);
}

Test(tcp_order, a_hole_filled_late_is_retransmitted)
{
    struct connection connection;
    begin_open(&connection);
    send_data(&connection, 0, 100);
    send_data(&connection, 200, 100);
    wait_ms(&connection, 12);
    send_data(&connection, 100, 100);
    struct flow_record record = end(&connection);
    expect_counters(&record, 1, 0, 0);
}

// The time counts from when the highest number was reached, not from when the hole opened.
Test(tcp_order, soon_is_counted_from_the_newest_data)
{
    struct connection connection;
    begin(&connection); // no handshake seen: 3 ms
    send_data(&connection, 0, 100);
    send_data(&connection, 200, 100);
    for (uint32_t i = 0; i < 10; i++) {
        wait_ms(&connection, 2);
        send_data(&connection, 300 + i * 100, 100);
    }
    wait_ms(&connection, 2);
    send_data(&connection, 100, 100);
    struct flow_record record = end(&connection);
    expect_counters(&record, 0, 1, 0);
}

// Lost before it came by here, asked for, sent again.
Test(tcp_order, what_the_receiver_asked_for_is_retransmitted)
{
    struct connection connection;
    begin_open(&connection);
    send_data(&connection, 0, 100);
    send_ack(&connection, 100);
    for (uint32_t i = 0; i < 3; i++) {
        send_data(&connection, 200 + i * 100, 100);
        send_ack(&connection, 100);
    }
    wait_ms(&connection, 5);
    send_data(&connection, 100, 100);
    struct flow_record record = end(&connection);
    expect_counters(&record, 1, 0, 0);
    cr_expect_eq(record.duplicate_acks[1], 3);
}

Test(tcp_order, tells_many_holes_apart)
{
    struct connection connection;
    begin_open(&connection);
    for (uint32_t i = 0; i < TCP_HOLES + 1; i++)
        send_data(&connection, i * 200, 100);
    for (uint32_t i = 0; i < TCP_HOLES; i++)
        send_data(&connection, i * 200 + 100, 100);
    struct flow_record record = end(&connection);
    expect_counters(&record, 0, TCP_HOLES, 0);
}

Test(tcp_order, counts_the_bytes_of_holes_that_stay)
{
    struct connection connection;
    begin(&connection);
    send_data(&connection, 0, 100);
    send_data(&connection, 1100, 100); // 1000 missed
    send_data(&connection, 400, 200);  // 200 of them in the middle come late
    send_data(&connection, 1000, 150); // 100 at the end, with 50 that were seen
    struct flow_record record = end(&connection);
    expect_counters(&record, 0, 2, 700);
}

Test(tcp_order, bounds_what_it_remembers_of_holes)
{
    struct connection connection;
    begin(&connection);
    for (uint32_t i = 0; i < 1000; i++)
        send_data(&connection, i * 200, 100);
    for (uint32_t i = 0; i < 999; i++)
        send_data(&connection, i * 200 + 100, 100);
    struct flow_record record = end(&connection);
    cr_expect_eq(record.out_of_order[0], 999);
    cr_expect_eq(record.bytes_missed[0], 100 * (999 - TCP_HOLES));
}

// An empty segment ahead of the data, as a FIN's last ACK: one hole, however many such segments come.
Test(tcp_order, an_empty_segment_ahead_opens_one_hole)
{
    struct connection connection;
    begin(&connection);
    send_data(&connection, 0, 100);
    for (uint32_t i = 0; i < 10; i++)
        send_data(&connection, 150, 0);
    struct flow_record record = end(&connection);
    expect_counters(&record, 0, 0, 50);
}

Test(tcp_order, a_syn_with_another_number_starts_anew)
{
    struct connection connection;
    begin(&connection);
    for (uint32_t i = 0; i < 10; i++)
        send(&connection, CLIENT, TCP_SYN, i * 500000000u, 0, 0);
    struct flow_record record = end(&connection);
    expect_counters(&record, 0, 0, 0);
}

Test(tcp_order, syn_and_fin_take_a_number)
{
    struct connection connection;
    begin_open(&connection);
    send(&connection, CLIENT, TCP_SYN, (uint32_t)-1, 0, 0);
    send_data(&connection, 0, 100);
    send(&connection, CLIENT, TCP_FIN | TCP_ACK, 100, 0, 0);
    send(&connection, CLIENT, TCP_FIN | TCP_ACK, 100, 0, 0);
    struct flow_record record = end(&connection);
    expect_counters(&record, 2, 0, 0);
}

Test(tcp_order, ignores_resets)
{
    struct connection connection;
    begin(&connection);
    send_data(&connection, 0, 100);
    send(&connection, CLIENT, TCP_RST, 90000, 0, 0);
    struct flow_record record = end(&connection);
    expect_counters(&record, 0, 0, 0);
}

// A hole that the receiver acknowledged beyond is missed whole; of one that nobody answers for no more than a window.
Test(tcp_order, misses_what_the_receiver_has_and_this_capture_has_not)
{
    for (int acknowledged = 0; acknowledged < 2; acknowledged++) {
        struct connection connection;
        begin_open(&connection);
        send_data(&connection, 0, 100);
        send_data(&connection, 200000, 100);
        send_ack(&connection, acknowledged ? 200300 : 100); // 200 more that nothing follows
        struct flow_record record = end(&connection);
        expect_counters(&record, 0, 0, acknowledged ? 199900 + 200 : TCP_WINDOW_BYTES);
        cr_expect_eq(record.payload_bytes[0], acknowledged ? 200300 : 200100);
    }
}

// A FIN that was not captured is no byte.
Test(tcp_order, misses_no_fin)
{
    struct connection connection;
    begin_open(&connection);
    send_data(&connection, 0, 100);
    send_ack(&connection, 101);
    struct flow_record record = end(&connection);
    expect_counters(&record, 0, 0, 0);
}

// A hostile sender jumps as far as it can: each jump is a window at most.
Test(tcp_order, does_not_overflow)
{
    struct connection connection;
    begin(&connection);
    for (uint32_t i = 0; i < 20; i++)
        send_data(&connection, i * ((1u << 30) - 1), 1);
    send_data(&connection, 0, 65535);
    struct flow_record record = end(&connection);
    cr_expect_leq(record.bytes_missed[0], UINT64_C(19) * TCP_WINDOW_BYTES);
    cr_expect_geq(record.bytes_missed[0], UINT64_C(2) * TCP_WINDOW_BYTES);
}

Test(tcp_order, counts_only_what_is_asked_for)
{
    struct flow_policy policy = test_policy();
    policy.retransmissions = policy.rtt = false;
    struct connection connection;
    begin_with(&connection, policy, 1000);
    send_data(&connection, 0, 100);
    send_data(&connection, 200, 100);
    send_data(&connection, 100, 100);
    send_data(&connection, 0, 100);
    send_ack(&connection, 300);
    struct flow_record record = end(&connection);
    expect_counters(&record, 0, 2, 0);
    cr_expect_eq(record.rtt_far.samples, 0);
}

// Windows and ACKs.

static void send_window(struct connection *connection, uint32_t acknowledgement, uint16_t window)
{
    struct packet packet = segment(connection, SERVER, TCP_ACK, 0, acknowledgement, 0);
    packet.tcp.window = window;
    feed(&connection->test, &packet);
}

Test(tcp_window, counts_zero_windows)
{
    struct connection connection;
    begin(&connection);
    send_data(&connection, 0, 100);
    send_window(&connection, 100, 0);
    send_window(&connection, 100, 0);
    send_window(&connection, 100, 500);
    struct packet reset = segment(&connection, SERVER, TCP_RST | TCP_ACK, 0, 100, 0);
    reset.tcp.window = 0;
    feed(&connection.test, &reset);
    struct flow_record record = end(&connection);
    cr_expect_eq(record.zero_windows[1], 2, "a reset's window means nothing");
    cr_expect_eq(record.zero_windows[0], 0);
    cr_expect_eq(record.duplicate_acks[1], 0, "nor is a zero window a duplicate ACK");
}

Test(tcp_window, probes_are_no_data)
{
    struct connection connection;
    begin(&connection);
    send_data(&connection, 0, 100);
    send_window(&connection, 100, 0);
    for (int i = 0; i < 3; i++) {
        wait_ms(&connection, 200);
        send_data(&connection, 100, 1);
        send_window(&connection, 100, 0);
    }
    send_window(&connection, 100, 500);
    send_data(&connection, 100, 100);
    struct flow_record record = end(&connection);
    expect_counters(&record, 0, 0, 0);
}

Test(tcp_window, keep_alives_are_neither_retransmissions_nor_asked_for)
{
    struct connection connection;
    begin(&connection);
    send_data(&connection, 0, 100);
    send_ack(&connection, 100);
    for (int i = 0; i < 5; i++) {
        wait_ms(&connection, 30000);
        send_data(&connection, 99, (uint32_t)i % 2); // with the last byte, or none
        send_ack(&connection, 100);
    }
    struct flow_record record = end(&connection);
    expect_counters(&record, 0, 0, 0);
    cr_expect_eq(record.duplicate_acks[1], 0);
}

// Numbers end at 2^32 and go on with 0: each case once where that lies amid it.
enum { FROM_THE_END = 150 };
static const uint32_t near_the_end = 0u - FROM_THE_END;

Test(tcp_wrap, data_goes_on_behind_the_end_of_the_numbers)
{
    struct connection connection;
    begin_with(&connection, test_policy(), near_the_end);
    shake_hands(&connection);
    for (uint32_t i = 0; i < 4; i++)
        send_data(&connection, i * 100, 100);
    send_ack(&connection, 400);
    send_data(&connection, 100, 100); // again, across the end
    send_data(&connection, 500, 100);
    send_ack(&connection, 600); // a hole that was not captured
    struct flow_record record = end(&connection);
    expect_counters(&record, 1, 0, 100);
    cr_expect_eq(record.payload_bytes[0], 600);
    cr_expect_eq(record.conn_state, CONN_STATE_S1);
}

Test(tcp_wrap, what_is_late_fills_a_hole_across_the_end)
{
    struct connection connection;
    begin_with(&connection, test_policy(), near_the_end);
    shake_hands(&connection);
    send_data(&connection, 0, 100);
    send_data(&connection, 200, 100);
    send_data(&connection, 100, 100);
    send_ack(&connection, 300);
    struct flow_record record = end(&connection);
    expect_counters(&record, 0, 1, 0);
}

Test(tcp_wrap, probes_and_keep_alives_are_known_at_the_end)
{
    struct connection connection;
    begin_with(&connection, test_policy(), near_the_end);
    shake_hands(&connection);
    send_data(&connection, 0, FROM_THE_END);
    send_window(&connection, FROM_THE_END, 0);
    wait_ms(&connection, 200);
    send_data(&connection, FROM_THE_END, 1); // number 0, not taken
    send_window(&connection, FROM_THE_END, 0);
    send_window(&connection, FROM_THE_END, 500);
    wait_ms(&connection, 30000);
    send_data(&connection, FROM_THE_END - 1, 1); // the last number, again
    send_ack(&connection, FROM_THE_END);
    send_data(&connection, FROM_THE_END, 100);
    send_ack(&connection, FROM_THE_END + 100);
    struct flow_record record = end(&connection);
    expect_counters(&record, 0, 0, 0);
    cr_expect_eq(record.zero_windows[1], 2);
    cr_expect_eq(record.payload_bytes[0], FROM_THE_END + 100);
}

Test(tcp_window, duplicate_acks_repeat_everything)
{
    struct connection connection;
    begin(&connection);
    send_data(&connection, 0, 100);
    send_ack(&connection, 100);
    send_ack(&connection, 100);          // 1
    send_ack(&connection, 100);          // 2
    send_window(&connection, 100, 2000); // an update
    send_window(&connection, 100, 2000); // 3
    send_ack(&connection, 200);
    send(&connection, SERVER, TCP_ACK, 0, 200, 50); // with data
    send(&connection, SERVER, TCP_ACK, 50, 200, 0);
    send(&connection, SERVER, TCP_ACK, 50, 200, 0); // 4
    send(&connection, SERVER, TCP_FIN | TCP_ACK, 50, 200, 0);
    struct flow_record record = end(&connection);
    cr_expect_eq(record.duplicate_acks[1], 5, "%lu", record.duplicate_acks[1]);
    cr_expect_eq(record.duplicate_acks[0], 0);
}
