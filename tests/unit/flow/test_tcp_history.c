#include "connection.h"

// What Zeek calls the states and the history of these connections.

static void expect_zeek(const struct flow_record *record, enum conn_state state, const char *history)
{
    cr_expect_str_eq(record->history, history);
    cr_expect_eq(record->conn_state, state, "%s", conn_state_name(record->conn_state));
}

Test(tcp_history, of_an_orderly_connection)
{
    struct connection connection;
    begin_open(&connection);
    send_data(&connection, 0, 100);
    send_ack(&connection, 100);
    send(&connection, SERVER, TCP_ACK, 0, 100, 500);
    send(&connection, CLIENT, TCP_FIN | TCP_ACK, 100, 500, 0);
    send(&connection, SERVER, TCP_FIN | TCP_ACK, 500, 101, 0);
    struct flow_record record = end(&connection);
    expect_zeek(&record, CONN_STATE_SF, "ShADadFf");
    cr_expect(record.payload_bytes[0] == 100 && record.payload_bytes[1] == 500);
}

Test(tcp_history, of_attempts)
{
    struct connection connection;
    begin(&connection);
    send(&connection, CLIENT, TCP_SYN, (uint32_t)-1, 0, 0);
    struct flow_record lone = end(&connection);
    expect_zeek(&lone, CONN_STATE_S0, "S");

    begin(&connection);
    send(&connection, CLIENT, TCP_SYN, (uint32_t)-1, 0, 0);
    send(&connection, SERVER, TCP_RST | TCP_ACK, 0, 0, 0);
    struct flow_record refused = end(&connection);
    expect_zeek(&refused, CONN_STATE_REJ, "Sr");

    begin_open(&connection);
    struct flow_record opened = end(&connection);
    expect_zeek(&opened, CONN_STATE_S1, "ShA");
    cr_expect(opened.payload_bytes[0] == 0 && opened.payload_bytes[1] == 0);
}

Test(tcp_history, of_resets)
{
    struct connection connection;
    begin_open(&connection);
    send_data(&connection, 0, 100);
    send(&connection, SERVER, TCP_RST, 0, 0, 0);
    struct flow_record by_server = end(&connection);
    expect_zeek(&by_server, CONN_STATE_RSTR, "ShADr");

    begin_open(&connection);
    send(&connection, CLIENT, TCP_RST, 0, 0, 0);
    send(&connection, CLIENT, TCP_RST, 0, 0, 0); // the same again
    struct flow_record by_client = end(&connection);
    expect_zeek(&by_client, CONN_STATE_RSTO, "ShAR");

    begin_open(&connection);
    send(&connection, CLIENT, TCP_FIN | TCP_ACK, 0, 0, 0);
    send(&connection, CLIENT, TCP_RST, 1, 0, 0);
    send(&connection, SERVER, TCP_FIN | TCP_ACK, 0, 1, 0);
    struct flow_record in_order = end(&connection);
    expect_zeek(&in_order, CONN_STATE_SF, "ShAFRf");
    cr_expect_eq(in_order.tcp_state, TCP_STATE_CLOSED);
}

// Each half of the same connection, as where one direction is not captured.
Test(tcp_history, of_one_direction)
{
    struct connection connection;
    begin(&connection);
    send(&connection, CLIENT, TCP_SYN, (uint32_t)-1, 0, 0);
    send(&connection, CLIENT, TCP_ACK, 0, 0, 0);
    send_data(&connection, 0, 100);
    send(&connection, CLIENT, TCP_FIN | TCP_ACK, 100, 500, 0);
    struct flow_record client = end(&connection);
    expect_zeek(&client, CONN_STATE_SH, "SADF");
    cr_expect(client.payload_bytes[0] == 100 && client.payload_bytes[1] == 0);

    begin(&connection);
    send(&connection, SERVER, TCP_SYN | TCP_ACK, (uint32_t)-1, 0, 0);
    send(&connection, SERVER, TCP_ACK, 0, 100, 500);
    send(&connection, SERVER, TCP_FIN | TCP_ACK, 500, 101, 0);
    struct flow_record server = end(&connection);
    expect_zeek(&server, CONN_STATE_SHR, "^hdf");
}

Test(tcp_history, counts_in_powers_of_ten_and_ends_after_16)
{
    struct connection connection;
    begin_open(&connection);
    send_data(&connection, 0, 100);
    for (int i = 0; i < 10; i++)
        send_data(&connection, 0, 100);
    struct flow_record record = end(&connection);
    expect_zeek(&record, CONN_STATE_S1, "ShADTT");

    begin_open(&connection);
    for (uint32_t i = 0; i < 20; i++)
        send(&connection, CLIENT, TCP_RST, i, 0, 0);
    struct flow_record full = end(&connection);
    cr_expect_str_eq(full.history, "ShARRRRRRRRRRRRR");
}

Test(tcp_history, tells_a_gap_that_was_acknowledged)
{
    struct connection connection;
    begin_open(&connection);
    send_data(&connection, 100, 100);
    send_ack(&connection, 200);
    struct flow_record record = end(&connection);
    expect_zeek(&record, CONN_STATE_S1, "ShADaG");
}

static void close_in_order(struct connection *connection)
{
    shake_hands(connection);
    send_data(connection, 0, 100);
    send(connection, CLIENT, TCP_FIN | TCP_ACK, 100, 0, 0);
    send(connection, SERVER, TCP_FIN | TCP_ACK, 0, 101, 0);
}

// Zeek forgets a connection five seconds after its end.
Test(tcp_history, ends_five_seconds_behind_the_end)
{
    struct connection connection;
    begin(&connection);
    close_in_order(&connection);
    wait_ms(&connection, 3000);
    send(&connection, CLIENT, TCP_RST, 101, 0, 0); // part of it, and moves the clock no more
    wait_ms(&connection, 1999);
    send_ack(&connection, 101);
    wait_ms(&connection, 1);
    send(&connection, SERVER, TCP_ACK, 0, 101, 10);
    send(&connection, SERVER, TCP_RST, 11, 0, 0);
    struct flow_record record = end(&connection);
    expect_zeek(&record, CONN_STATE_SF, "ShADFfRa");
    cr_expect_eq(record.last_seen_ns - record.first_seen_ns, INT64_C(5012) * MS);
    cr_expect_eq(record.packets[0] + record.packets[1], 10);
}

Test(tcp_history, goes_on_when_the_other_side_ends_as_well)
{
    struct connection connection;
    begin_open(&connection);
    send(&connection, CLIENT, TCP_RST, 0, 0, 0);
    wait_ms(&connection, 4000);
    send(&connection, SERVER, TCP_FIN | TCP_ACK, 0, 0, 0);
    wait_ms(&connection, 4000);
    send(&connection, SERVER, TCP_ACK, 1, 0, 0);
    wait_ms(&connection, 2000);
    send(&connection, SERVER, TCP_ACK, 0, 0, 10);
    struct flow_record record = end(&connection);
    expect_zeek(&record, CONN_STATE_RSTO, "ShARfa");
}

// Half closed, a connection may go on for any time.
Test(tcp_history, has_no_clock_while_one_side_is_open)
{
    struct connection connection;
    begin_open(&connection);
    send(&connection, CLIENT, TCP_FIN | TCP_ACK, 0, 0, 0);
    wait_ms(&connection, 60000);
    send(&connection, SERVER, TCP_ACK, 0, 1, 10);
    send(&connection, SERVER, TCP_FIN | TCP_ACK, 10, 1, 0);
    struct flow_record record = end(&connection);
    expect_zeek(&record, CONN_STATE_SF, "ShAFdf");
}

// The steps in which the end is kept come around after 14 minutes.
Test(tcp_history, stays_over_when_steps_come_around)
{
    struct flow_policy policy = test_policy();
    policy.linger_ns = 1000 * NS_PER_S;
    for (int at_once = 0; at_once < 2; at_once++) {
        struct connection connection;
        begin_with(&connection, policy, 1000);
        close_in_order(&connection);
        for (int i = 0; i < (at_once ? 1 : 3); i++) {
            wait_ms(&connection, at_once ? 859000 : 286500);
            send(&connection, SERVER, TCP_ACK, 1, 101, 0);
        }
        send(&connection, SERVER, TCP_RST, 11, 0, 0);
        struct flow_record record = end(&connection);
        expect_zeek(&record, CONN_STATE_SF, "ShADFf");
    }
}

// A stamp before the end is not long behind it.
Test(tcp_history, knows_stamps_that_step_back)
{
    struct connection connection;
    begin(&connection);
    close_in_order(&connection);
    wait_ms(&connection, -500);
    send_ack(&connection, 101);
    struct flow_record record = end(&connection);
    expect_zeek(&record, CONN_STATE_SF, "ShADFfa");
}
