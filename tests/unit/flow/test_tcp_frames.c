#include "connection.h"

// A frame captured twice is told apart from a retransmission by its IP id.
static void send_with_id(struct connection *connection, uint16_t id, uint32_t sequence)
{
    struct packet packet = segment(connection, CLIENT, TCP_ACK, sequence, 0, 100);
    packet.tcp.ip_id = id;
    feed(&connection->test, &packet);
}

Test(tcp_frames, captured_twice_are_counted_apart)
{
    struct connection connection;
    begin_open(&connection);
    for (uint16_t i = 0; i < 20; i++) {
        send_with_id(&connection, (uint16_t)(500 + i), i * 100u);
        send_with_id(&connection, (uint16_t)(500 + i), i * 100u);
    }
    send_with_id(&connection, 600, 1900); // a new id: sent again
    wait_ms(&connection, 1001);
    send_with_id(&connection, 600, 1900); // some hosts keep it
    for (int i = 0; i < 2; i++) {
        wait_ms(&connection, 2);
        send_with_id(&connection, 0, 1900); // none: nobody knows after so long
    }
    struct flow_record record = end(&connection);
    expect_counters(&record, 24, 0, 0);
    cr_expect_eq(record.duplicate_frames[0], 20);
    cr_expect_eq(record.duplicate_retransmissions[0], 20);
}

// Equal ACKs without an IP id are sent by receivers of holes, too: they count where all is there twice.
Test(tcp_frames, without_an_id_are_told_by_their_number)
{
    struct connection connection;
    begin_open(&connection);
    for (uint32_t i = 0; i < 10; i++) {
        send_data(&connection, i * 100, 100);
        wait_ms(&connection, 1);
        send_ack(&connection, 0);
    }
    for (int i = 0; i < 3; i++)
        send_ack(&connection, 0);
    cr_expect_eq(end(&connection).duplicate_frames[1], 0, "holes");

    begin_open(&connection);
    for (uint32_t i = 0; i < 20; i++) {
        send_data(&connection, i * 100, 100);
        send_data(&connection, i * 100, 100);
        wait_ms(&connection, 50);
        send_ack(&connection, (i + 1) * 100);
        send_ack(&connection, (i + 1) * 100);
        wait_ms(&connection, 50);
    }
    struct flow_record doubled = end(&connection);
    cr_expect_eq(doubled.duplicate_frames[0], 20);
    cr_expect_eq(doubled.duplicate_frames[1], 20);
    cr_expect_eq(doubled.retransmissions[0] - doubled.duplicate_retransmissions[0], 0);
}

// tshark takes copies of an ACK for duplicate ACKs and what is late for asked for; what is told to people leaves it out.
Test(tcp_frames, ask_for_nothing)
{
    struct connection connection;
    begin_open(&connection);
    send_data(&connection, 0, 100);
    send_data(&connection, 200, 100);
    for (int i = 0; i < 3; i++)
        send_ack(&connection, 100);
    send_data(&connection, 100, 50);
    struct flow_record record = end(&connection);
    expect_counters(&record, 1, 0, 50);
    cr_expect_eq(record.duplicate_retransmissions[0], 1);
}

// A copy of the first segment is no second word.
Test(tcp_frames, prove_nothing)
{
    struct connection connection;
    begin(&connection);
    send_with_id(&connection, 7, 0);
    send_with_id(&connection, 7, 0);
    cr_expect_eq(end(&connection).tcp_state, TCP_STATE_UNKNOWN);
    begin(&connection);
    send_with_id(&connection, 7, 0);
    send_with_id(&connection, 8, 0);
    cr_expect_eq(end(&connection).tcp_state, TCP_STATE_ESTABLISHED);
}

// Hosts answer each segment of a closed connection with an equal RST.
Test(tcp_frames, without_an_id_no_reset_is_known_again)
{
    struct connection connection;
    begin_open(&connection);
    send(&connection, SERVER, TCP_RST, 0, 0, 0);
    send(&connection, SERVER, TCP_RST, 0, 0, 0);
    cr_expect_eq(end(&connection).duplicate_frames[1], 0);
}

// Where pairs are not side by side, the trouble of the first one remembers the others.
Test(tcp_frames, are_known_again_behind_others)
{
    struct connection connection;
    begin_open(&connection);
    send_with_id(&connection, 499, 0);
    send_with_id(&connection, 499, 0);
    for (uint16_t round = 0; round < 2; round++)
        for (uint16_t i = 0; i < 8; i++)
            send_with_id(&connection, (uint16_t)(500 + i), 100 + i * 100u);
    cr_expect_eq(end(&connection).duplicate_frames[0], 1 + 8);
}

// Data that does not move its side's numbers: a probe into a closed window, and a RST that carries some.
Test(tcp_frames, of_probes_and_resets_are_told)
{
    struct connection connection;
    begin_open(&connection);
    send_data(&connection, 0, 100);
    for (uint16_t i = 0; i < 4; i++) {
        wait_ms(&connection, 1);
        struct packet closed = segment(&connection, SERVER, TCP_ACK, 0, 100, 0);
        closed.tcp.window = 0;
        closed.tcp.ip_id = (uint16_t)(700 + i);
        feed(&connection.test, &closed);
        wait_ms(&connection, 200);
        struct packet probe = segment(&connection, CLIENT, TCP_ACK, 100, 0, 1);
        probe.tcp.ip_id = (uint16_t)(500 + i);
        feed(&connection.test, &probe);
        feed(&connection.test, &probe);
    }
    struct packet reset = segment(&connection, CLIENT, TCP_RST | TCP_ACK, 100, 0, 10);
    reset.tcp.ip_id = 600;
    feed(&connection.test, &reset);
    feed(&connection.test, &reset);
    cr_expect_eq(end(&connection).duplicate_frames[0], 5);
}
