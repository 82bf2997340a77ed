// Entrances: who is let in, how many, and what the door knows of them.
#include <net/if.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "open_door.h"

TestSuite(listener, .init = begin, .fini = end, .timeout = 60);

static struct peer peer_of(int descriptor)
{
    struct peer peer;
    cr_assert(door_peer(door, descriptor, &peer));
    return peer;
}

Test(listener, knows_the_address_of_a_client)
{
    struct sockaddr_in own;
    socklen_t length = sizeof own;
    open_door(DOOR_HTTP1);
    int client = connect_port(), transport = taken();
    getsockname(client, (struct sockaddr *)&own, &length);
    struct peer peer = peer_of(transport);
    char text[ENDPOINT_TEXT_BYTES], expected[ENDPOINT_TEXT_BYTES];
    snprintf(expected, sizeof expected, "127.0.0.1:%u", ntohs(own.sin_port));
    cr_expect_str_eq(endpoint_format(&peer.endpoint, text), expected);
    cr_expect(peer.loopback && !peer.tls && !peer.local_socket && peer.name_count == 0);
    close(client);
    close(transport);
}

Test(listener, knows_ipv4_clients_of_an_ipv6_port_by_their_address)
{
    settings.bind = "::";
    if (!listen_as(DOOR_HTTP1) && error.kind == ERROR_UNAVAILABLE)
        cr_skip_test("no IPv6 here");
    cr_assert(door_start(door, &error), "%s", error.text);
    int client = connect_port(), transport = taken();
    cr_expect_eq(peer_of(transport).endpoint.address.version, 4);
    cr_expect(peer_of(transport).loopback);
    close(client);
    close(transport);
}

Test(listener, knows_the_user_of_a_local_socket)
{
    char path[64];
    struct stat status;
    snprintf(path, sizeof path, "/tmp/netscope-test-door-%d", (int)getpid());
    settings.bind = "";
    settings.socket = path;
    open_door(DOOR_HTTP1);
    int client = connect_local(path), transport = taken();
    struct peer peer = peer_of(transport);
    cr_expect(peer.local_socket && !peer.tls && !peer.loopback);
    cr_expect_eq(peer.uid, getuid());
    cr_expect_eq(peer.gid, getgid());
    cr_expect_eq(peer.pid, getpid());
    cr_expect_eq(peer.endpoint.address.version, 0);
    send_text(client, "hello");
    expect_text(transport, "hello");
    close(client);
    close(transport);
    door_stop_accepting(door);
    cr_expect_neq(stat(path, &status), 0, "its file is gone");
}

Test(listener, forgets_nobody_until_the_number_is_used_again)
{
    open_door(DOOR_HTTP1);
    int client = connect_port(), transport = taken();
    struct peer first = peer_of(transport);
    close(client);
    expect_end(transport);
    cr_expect_eq(peer_of(transport).endpoint.port, first.endpoint.port);
    close(transport);
    cr_expect_eq(peer_of(transport).endpoint.port, first.endpoint.port);
    struct peer nobody;
    cr_expect_not(door_peer(door, 10000, &nobody));
}

static int option_of(int descriptor, int level, int option)
{
    int value = 0;
    socklen_t length = sizeof value;
    getsockopt(descriptor, level, option, &value, &length);
    return value;
}

// The door's own end of the connection, found among the descriptors of the process.
Test(listener, sets_the_options_that_a_transport_would)
{
    struct sockaddr_in own, peer;
    socklen_t length = sizeof own;
    open_door(DOOR_HTTP1);
    int client = connect_port(), transport = taken(), found = -1;
    getsockname(client, (struct sockaddr *)&own, &length);
    for (int i = 0; i < 256 && found < 0; i++)
        if (length = sizeof peer, getpeername(i, (struct sockaddr *)&peer, &length) == 0 &&
                                      peer.sin_family == AF_INET && peer.sin_port == own.sin_port)
            found = i;
    cr_assert(found >= 0);
    cr_expect_eq(option_of(found, IPPROTO_TCP, TCP_NODELAY), 1);
    cr_expect_eq(option_of(found, SOL_SOCKET, SO_KEEPALIVE), 1);
    cr_expect_eq(option_of(found, IPPROTO_TCP, TCP_USER_TIMEOUT), 60000);
    cr_expect_leq(option_of(found, IPPROTO_TCP, TCP_KEEPIDLE), 60);
    close(client);
    close(transport);
}

Test(listener, serves_so_many_connections_and_no_more)
{
    int clients[2], transports[2];
    settings.max_connections = 2;
    open_door(DOOR_HTTP1);
    for (int i = 0; i < 2; i++) {
        clients[i] = connect_port();
        transports[i] = taken();
    }
    int more = connect_port();
    expect_closed(more);
    cr_expect_eq(refused("connections"), 1);
    shutdown(clients[0], SHUT_WR);
    expect_end(transports[0]);
    shutdown(transports[0], SHUT_WR);
    expect_end(clients[0]);
    close(more);
    more = connect_port(); // there is a place again
    close(taken());
    close(more);
    for (int i = 0; i < 2; i++) {
        close(clients[i]);
        close(transports[i]);
    }
}

// Whoever fills one entrance does not close the other.
Test(listener, serves_so_many_at_each_entrance)
{
    char path[64];
    int clients[2], transports[2];
    snprintf(path, sizeof path, "/tmp/netscope-test-door-%d", (int)getpid());
    settings.max_connections = 1;
    settings.socket = path;
    open_door(DOOR_HTTP1);
    for (int i = 0; i < 2; i++) {
        clients[i] = i == 0 ? connect_port() : connect_local(path);
        transports[i] = taken();
    }
    int more_port = connect_port(), more_local = connect_local(path);
    expect_closed(more_port);
    expect_closed(more_local);
    cr_expect_eq(refused("connections"), 2);
    for (int i = 0; i < 2; i++) {
        close(clients[i]);
        expect_end(transports[i]);
        close(transports[i]);
        clients[i] = i == 0 ? connect_port() : connect_local(path);
        transports[i] = taken();
    }
    for (int i = 0; i < 2; i++) {
        close(clients[i]);
        close(transports[i]);
    }
    close(more_port);
    close(more_local);
}

// An address that is not loopback's, in a network namespace of this test's own.
static void add_address(const char *address)
{
    struct ifreq request = {.ifr_name = "lo"};
    struct sockaddr_in *at = (struct sockaddr_in *)&request.ifr_addr;
    if (unshare(CLONE_NEWNET) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
        cr_skip_test("needs a network namespace");
    int control = socket(AF_INET, SOCK_DGRAM, 0);
    request.ifr_flags = IFF_UP;
    cr_assert_eq(ioctl(control, SIOCSIFFLAGS, &request), 0);
    strcpy(request.ifr_name, "lo:1");
    at->sin_family = AF_INET;
    inet_pton(AF_INET, address, &at->sin_addr);
    cr_assert_eq(ioctl(control, SIOCSIFADDR, &request), 0);
    close(control);
}

Test(listener, gives_an_address_a_quarter_of_the_connections)
{
    add_address("10.9.8.7");
    settings.bind = "0.0.0.0";
    settings.max_connections = 8;
    open_door(DOOR_HTTP1);
    uint16_t port = door_port(door, "grpc");
    int clients[5], transports[5];
    for (int i = 0; i < 2; i++) {
        clients[i] = connect_to("10.9.8.7", port);
        transports[i] = taken();
        cr_expect_not(peer_of(transports[i]).loopback);
    }
    int more = connect_to("10.9.8.7", port);
    expect_closed(more);
    cr_expect_eq(refused("address"), 1);
    for (int i = 2; i < 5; i++) { // loopback is not counted so
        clients[i] = connect_port();
        transports[i] = taken();
    }
    close(more);
    for (int i = 0; i < 5; i++) {
        close(clients[i]);
        close(transports[i]);
    }
}

Test(listener, keeps_the_last_places_for_addresses_that_have_none)
{
    enum { OTHERS = 12, MINE = 3 };
    add_address("10.9.8.7");
    settings.bind = "0.0.0.0";
    settings.max_connections = OTHERS + MINE + 1;
    open_door(DOOR_HTTP1);
    uint16_t port = door_port(door, "grpc");
    int clients[OTHERS + MINE + 1], transports[OTHERS + MINE + 1], count = 0;
    for (; count < OTHERS + MINE; count++) {
        clients[count] = count < OTHERS ? connect_port() : connect_to("10.9.8.7", port);
        transports[count] = taken();
    }
    int more = connect_to("10.9.8.7", port);
    expect_closed(more);
    cr_expect_eq(refused("connections"), 1);
    clients[count] = connect_port();
    transports[count++] = taken();
    close(more);
    while (count-- > 0) {
        close(clients[count]);
        close(transports[count]);
    }
}

// It was told the end; a new one is not refused for it.
Test(listener, has_who_lingers_make_room)
{
    settings.max_connections = 1;
    limits.linger_ms = PATIENCE_MS;
    open_door(DOOR_HTTP1);
    int lingers = connect_port();
    int first = taken();
    send_text(first, "bye");
    close(first);
    expect_text(lingers, "bye");
    expect_end(lingers);
    int client = connect_port(), transport = taken();
    send_text(client, "here");
    expect_text(transport, "here");
    cr_expect_eq(refused("connections"), 0);
    close(lingers);
    close(client);
    close(transport);
}

// Whoever makes room does so for one that is let in.
Test(listener, refuses_an_address_over_its_share_before_anyone_makes_room)
{
    enum { MOST = 8, SHARE = 2 };
    add_address("10.9.8.7");
    settings.bind = "0.0.0.0";
    settings.max_connections = MOST;
    limits.linger_ms = PATIENCE_MS;
    open_door(DOOR_HTTP1);
    uint16_t port = door_port(door, "grpc");
    int clients[MOST], transports[MOST];
    for (int i = 0; i < MOST; i++) {
        clients[i] = i < SHARE ? connect_to("10.9.8.7", port) : connect_port();
        transports[i] = taken();
    }
    close(transports[MOST - 1]);
    expect_end(clients[MOST - 1]); // and lingers
    int more = connect_to("10.9.8.7", port);
    expect_closed(more);
    cr_expect_eq(refused("address"), 1);
    cr_expect_eq(sample("netscope_connections{listener=\"grpc\"}"), MOST);
    close(more);
    for (int i = 0; i < MOST; i++) {
        close(clients[i]);
        if (i < MOST - 1)
            close(transports[i]);
    }
}

static int lowest_free(void)
{
    int descriptor = dup(0);
    close(descriptor);
    return descriptor;
}

Test(listener, outlives_having_no_more_descriptors)
{
    struct rlimit before, none;
    struct sockaddr_in where = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    limits.pause_ms = 50;
    open_door(DOOR_HTTP1);
    where.sin_port = htons(door_port(door, "grpc"));
    int clients[3];
    for (int i = 0; i < 3; i++)
        clients[i] = socket(AF_INET, SOCK_STREAM, 0);
    getrlimit(RLIMIT_NOFILE, &before);
    none = before;
    none.rlim_cur = (rlim_t)lowest_free();
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(connect(clients[i], (struct sockaddr *)&where, sizeof where), 0);
        expect_closed(clients[i]); // not left waiting
    }
    cr_expect_geq(refused("descriptors"), 2);
    cr_expect_leq(refused("descriptors"), 3);
    setrlimit(RLIMIT_NOFILE, &before);
    cr_assert_eq(connect(clients[2], (struct sockaddr *)&where, sizeof where), 0);
    int transport = taken();
    send_text(clients[2], "back");
    expect_text(transport, "back");
    close(transport);
    for (int i = 0; i < 3; i++)
        close(clients[i]);
}

Test(listener, says_why_it_cannot_listen)
{
    struct sockaddr_in taken_port = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof taken_port;
    int other = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert_eq(bind(other, (struct sockaddr *)&taken_port, length), 0);
    cr_assert_eq(listen(other, 1), 0);
    getsockname(other, (struct sockaddr *)&taken_port, &length);
    settings.port = ntohs(taken_port.sin_port);
    cr_expect_not(listen_as(DOOR_HTTP1));
    cr_expect(strstr(error.text, "grpc cannot listen on 127.0.0.1:") != NULL, "%s", error.text);
    cr_expect(strstr(error.text, "another process has the port") != NULL, "%s", error.text);
    door_destroy(door);
    settings.port = 0;
    settings.bind = "192.0.2.1";
    cr_expect_not(listen_as(DOOR_HTTP1));
    cr_expect(strstr(error.text, "no interface has the address") != NULL, "%s", error.text);
    close(other);
}
