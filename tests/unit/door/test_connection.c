// Connections in plain: what goes through them, and what is closed.
#include "capture/own_connections.h"
#include "http2_frames.h"
#include "open_door.h"

TestSuite(connection, .init = begin, .fini = end, .timeout = 60);

Test(connection, passes_bytes_on_both_ways)
{
    open_door(DOOR_HTTP1);
    int client = connect_port(), transport = taken();
    send_text(client, "question");
    expect_text(transport, "question");
    send_text(transport, "answer");
    expect_text(client, "answer");
    close(client);
    expect_end(transport);
    close(transport);
}

Test(connection, passes_on_the_end_of_one_direction_alone)
{
    open_door(DOOR_HTTP1);
    int client = connect_port(), transport = taken();
    send_text(client, "all");
    shutdown(client, SHUT_WR);
    expect_text(transport, "all");
    expect_end(transport);
    send_text(transport, "still");
    expect_text(client, "still");
    shutdown(transport, SHUT_WR);
    expect_end(client);
    close(client);
    close(transport);
}

Test(connection, hears_the_client_when_the_transport_has_said_all)
{
    open_door(DOOR_HTTP1);
    int client = connect_port(), transport = taken();
    shutdown(transport, SHUT_WR);
    expect_end(client);
    send_text(client, "late");
    expect_text(transport, "late");
    close(client);
    expect_end(transport);
    close(transport);
}

Test(connection, gives_the_client_all_that_was_written_before_the_transport_closed)
{
    static char bytes[100000];
    open_door(DOOR_HTTP1);
    int client = connect_port(), transport = taken();
    memset(bytes, 'x', sizeof bytes);
    send_text(client, "never read");
    send_bytes(transport, bytes, sizeof bytes);
    close(transport);
    for (size_t at = 0; at < sizeof bytes; at += 10000)
        expect_bytes(client, bytes + at, 10000);
    expect_end(client);
    close(client);
}

static size_t fill(int descriptor)
{
    static const char bytes[65536];
    size_t filled = 0;
    struct pollfd room = {.fd = descriptor, .events = POLLOUT};
    while (poll(&room, 1, 200) == 1) {
        ssize_t put = send(descriptor, bytes, sizeof bytes, MSG_NOSIGNAL | MSG_DONTWAIT);
        cr_assert(put > 0);
        filled += (size_t)put;
        cr_assert(filled < 100 << 20, "there is no end to it");
    }
    return filled;
}

static void drain(int descriptor, size_t length)
{
    static char bytes[65536];
    while (length > 0) {
        wait_for(descriptor, POLLIN);
        ssize_t got = recv(descriptor, bytes, sizeof bytes, 0);
        cr_assert(got > 0 && (size_t)got <= length);
        length -= (size_t)got;
    }
}

Test(connection, holds_back_who_sends_to_who_does_not_read)
{
    open_door(DOOR_HTTP1);
    int client = connect_port(), transport = taken();
    size_t up = fill(client), down = fill(transport);
    drain(transport, up);
    drain(client, down);
    send_text(client, "on");
    expect_text(transport, "on");
    close(client);
    close(transport);
}

// A client that does not take answers causes no more of them.
Test(connection, reads_no_http2_from_a_client_that_does_not_read)
{
    static uint8_t ping[64];
    uint8_t opening[64];
    open_door(DOOR_HTTP2);
    int client = connect_port(), transport = taken();
    send_bytes(client, opening, add_preface(opening));
    expect_bytes(transport, opening, add_preface(opening));
    size_t down = fill(transport), length = add_frame(ping, 0, PING, 0, 0, 8);
    struct pollfd more = {.fd = transport, .events = POLLIN};
    send_bytes(client, ping, length);
    for (int i = 0; poll(&more, 1, 100) == 1; i++) { // there was some room still
        cr_assert(i < 100, "it is read for ever");
        expect_bytes(transport, ping, length);
        down += fill(transport);
        send_bytes(client, ping, length);
    }
    drain(client, down);
    expect_bytes(transport, ping, length);
    close(client);
    close(transport);
}

Test(connection, is_counted_while_it_is_there)
{
    open_door(DOOR_HTTP1);
    int client = connect_port(), transport = taken();
    cr_expect_eq(sample("netscope_connections{listener=\"grpc\"}"), 1);
    shutdown(client, SHUT_WR);
    expect_end(transport);
    shutdown(transport, SHUT_WR);
    expect_end(client);
    int second = connect_port(), second_transport = taken(); // the door has closed the first by then
    cr_expect_eq(sample("netscope_connections{listener=\"grpc\"}"), 1);
    cr_expect_eq(sample("netscope_connections_accepted_total{listener=\"grpc\"}"), 2);
    close(client);
    close(transport);
    close(second);
    close(second_transport);
}

Test(connection, is_told_to_be_our_own_while_it_is_open)
{
    struct own_connections *own = own_connections_create(true);
    struct sockaddr_in client_end;
    socklen_t length = sizeof client_end;
    cr_assert(listen_as(DOOR_HTTP1), "%s", error.text);
    door_tell_own(door, own);
    cr_assert(door_start(door, &error), "%s", error.text);
    int client = connect_port(), transport = taken();
    cr_assert_eq(getsockname(client, (struct sockaddr *)&client_end, &length), 0);
    struct endpoint here = {address_v4((const uint8_t[]){127, 0, 0, 1}), door_port(door, "grpc")};
    struct endpoint there = {here.address, ntohs(client_end.sin_port)};
    cr_expect(own_connections_hold(own, &here, &there));
    shutdown(client, SHUT_WR);
    expect_end(transport);
    shutdown(transport, SHUT_WR);
    expect_end(client);
    int second = connect_port(), second_transport = taken(); // the door has closed the first by then
    cr_expect_not(own_connections_hold(own, &here, &there));
    cr_expect(own_connections_any(own));
    close(client);
    close(transport);
    close(second);
    close(second_transport);
    door_destroy(door);
    door = NULL;
    cr_expect_not(own_connections_any(own));
    own_connections_destroy(own);
}

// What a client sends, slowly or not at all, until it is closed for that.
static void expect_timeout(const void *bytes, size_t length)
{
    int client = connect_port(), transport = taken();
    send_bytes(client, bytes, length);
    expect_end(client);
    expect_closed(transport);
    close(client);
    close(transport);
}

Test(connection, ends_without_a_first_request_of_http1)
{
    limits.http1_ms = 100;
    open_door(DOOR_HTTP1);
    expect_timeout("", 0);
    expect_timeout("GET / HTTP/1.1\r\n", 16);
    cr_expect_eq(refused("request_timeout"), 2);
}

Test(connection, ends_without_a_first_request_of_http2)
{
    uint8_t bytes[256];
    limits.http2_ms = 100;
    open_door(DOOR_HTTP2);
    expect_timeout(PREFACE, 3);
    expect_timeout(bytes, add_preface(bytes));
    size_t length = add_preface(bytes);
    length = add_frame(bytes, length, HEADERS, 0, 1, 20);
    length = add_frame(bytes, length, CONTINUATION, END_HEADERS, 1, 20);
    expect_timeout(bytes, length - 1);
    cr_expect_eq(refused("request_timeout"), 3);
}

Test(connection, is_given_no_more_time_by_bytes_that_dribble)
{
    limits.http2_ms = 300;
    open_door(DOOR_HTTP2);
    int client = connect_port(), transport = taken();
    struct pollfd ended = {.fd = client, .events = POLLIN};
    for (size_t at = 0; poll(&ended, 1, 50) == 0; at++) {
        cr_assert(at < sizeof PREFACE - 1, "it was let in for ever");
        send_bytes(client, PREFACE + at, 1);
    }
    expect_end(client);
    cr_expect_eq(refused("request_timeout"), 1);
    close(client);
    close(transport);
}

Test(connection, stays_without_limit_once_it_has_asked)
{
    uint8_t bytes[256];
    limits.http2_ms = 500;
    open_door(DOOR_HTTP2);
    int asking = connect_port(), transport = taken();
    size_t length = add_frame(bytes, add_preface(bytes), HEADERS, END_HEADERS, 1, 20);
    send_bytes(asking, bytes, length);
    expect_bytes(transport, bytes, length);
    expect_timeout(PREFACE, 3); // it began later
    length = add_frame(bytes, 0, PING, 0, 0, 8);
    send_bytes(asking, bytes, length);
    expect_bytes(transport, bytes, length);
    close(asking);
    close(transport);
}

Test(connection, is_ended_with_a_goaway_for_streams_begun_and_reset)
{
    static uint8_t bytes[1 << 16];
    static const uint8_t farewell[] = {0, 0, 0, SETTINGS, 0, 0, 0, 0, 0, 0, 0, 8, GOAWAY, 0, 0, 0, 0, 0};
    open_door(DOOR_HTTP2);
    int client = connect_port(), transport = taken();
    size_t length = add_preface(bytes);
    for (uint32_t stream = 1; stream < 2400; stream += 2) {
        length = add_frame(bytes, length, HEADERS, END_HEADERS, stream, 0);
        length = add_frame(bytes, length, RST_STREAM, 0, stream, 4);
    }
    send_bytes(client, bytes, length);
    expect_bytes(client, farewell, sizeof farewell);
    uint8_t rest[8];
    wait_for(client, POLLIN);
    cr_assert_eq(recv(client, rest, sizeof rest, MSG_WAITALL), 8);
    cr_expect_eq(rest[7], 11, "ENHANCE_YOUR_CALM");
    expect_end(client);
    expect_closed(transport);
    cr_expect_eq(refused("headers") + refused("resets"), 1);
    close(client);
    close(transport);
}

Test(connection, is_ended_when_it_is_no_http2)
{
    open_door(DOOR_HTTP2);
    int client = connect_port(), transport = taken();
    send_text(client, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    expect_end(client);
    expect_end(transport);
    cr_expect_eq(refused("no_http2"), 1);
    close(client);
    close(transport);
}

Test(connection, is_closed_for_good_when_the_client_does_not_go)
{
    limits.linger_ms = 50;
    open_door(DOOR_HTTP2);
    int client = connect_port(), transport = taken();
    send_text(client, "GET");
    expect_end(transport);
    expect_end(client);
    int probe = connect_port(), other;
    while (sample("netscope_connections{listener=\"grpc\"}") != 1) { // goes on until the door has closed it
        close(probe);
        probe = connect_port();
        other = taken();
        close(other);
    }
    close(probe);
    close(client);
    close(transport);
}
