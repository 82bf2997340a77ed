// The door as a whole: it may be stopped at any stage, and nothing is left behind.
#include "open_door.h"

TestSuite(door, .init = begin, .fini = end, .timeout = 60);

Test(door, may_go_before_it_listens)
{
    door = door_create(&registry, &limits, &error);
    cr_assert(door != NULL);
}

Test(door, may_go_before_it_starts)
{
    cr_assert(listen_as(DOOR_HTTP2));
    close(connect_port());
}

Test(door, may_stop_before_it_starts)
{
    cr_assert(listen_as(DOOR_HTTP2));
    door_stop_accepting(door);
    door_stop_accepting(door);
}

Test(door, may_go_at_once_after_its_start)
{
    open_door(DOOR_HTTP2);
}

Test(door, closes_what_transports_and_clients_hold)
{
    open_door(DOOR_HTTP1);
    int client = connect_port(), transport = taken();
    send_text(client, "not read");
    door_destroy(door);
    door = NULL;
    expect_closed(client);
    expect_text(transport, "not read");
    expect_end(transport);
    close(client);
    close(transport);
}

Test(door, serves_who_is_there_when_it_stops_accepting)
{
    open_door(DOOR_HTTP1);
    int client = connect_port(), transport = taken();
    door_stop_accepting(door);
    door_stop_accepting(door);
    struct sockaddr_in where = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    where.sin_port = htons(door_port(door, "grpc"));
    int late = socket(AF_INET, SOCK_STREAM, 0);
    cr_expect_neq(connect(late, (struct sockaddr *)&where, sizeof where), 0);
    send_text(transport, "on");
    expect_text(client, "on");
    close(late);
    close(client);
    close(transport);
}

Test(door, keeps_its_listeners_apart)
{
    static int others[2];
    struct listener_settings web = settings;
    struct door_listener listener = {
        .name = "web", .settings = &web, .protocol = DOOR_HTTP1, .take = take, .taker = others};
    cr_assert_eq(pipe(others), 0);
    cr_assert(listen_as(DOOR_HTTP2));
    cr_assert(door_listen(door, &listener, &error), "%s", error.text);
    cr_assert(door_start(door, &error), "%s", error.text);
    cr_expect_neq(door_port(door, "web"), door_port(door, "grpc"));
    cr_expect_eq(door_port(door, "metrics"), 0);
    int client = connect_to("127.0.0.1", door_port(door, "web")), transport;
    wait_for(others[0], POLLIN);
    cr_assert_eq(read(others[0], &transport, sizeof transport), sizeof transport);
    cr_expect_eq(sample("netscope_connections{listener=\"web\"}"), 1);
    cr_expect_eq(sample("netscope_connections{listener=\"grpc\"}"), 0);
    close(client);
    close(transport);
    close(others[0]);
    close(others[1]);
}
