// A door that listens on loopback, its clients, and the transport behind it: what it hands on comes through a pipe.
#pragma once

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/metric_text.h"
#include "door/door.h"

enum { PATIENCE_MS = 20000 };

static struct error error;
static struct metric_registry registry;
static struct listener_settings settings;
static struct door_limits limits;
static struct door *door;
static int handed_on[2]; // a pipe

static inline void take(void *taker, int descriptor)
{
    ssize_t put = write(((int *)taker)[1], &descriptor, sizeof descriptor);
    cr_assert_eq(put, sizeof descriptor);
}

static inline void begin(void)
{
    metric_registry_init(&registry);
    cr_assert_eq(pipe(handed_on), 0);
    limits = door_usual_limits;
    settings = (struct listener_settings){
        .enabled = true,
        .bind = "127.0.0.1",
        .socket = "",
        .max_connections = 16,
        .tls = {.cert_path = "", .key_path = "", .client_ca_path = ""},
        .auth = {.tokens_file = ""},
    };
}

static inline void end(void)
{
    door_destroy(door);
    close(handed_on[0]);
    close(handed_on[1]);
    metric_registry_done(&registry);
}

static inline bool listen_as(enum door_protocol protocol)
{
    struct door_listener listener = {
        .name = "grpc", .settings = &settings, .protocol = protocol, .take = take, .taker = handed_on};
    door = door_create(&registry, &limits, &error);
    cr_assert(door != NULL, "%s", error.text);
    return door_listen(door, &listener, &error);
}

static inline void open_door(enum door_protocol protocol)
{
    cr_assert(listen_as(protocol), "%s", error.text);
    cr_assert(door_start(door, &error), "%s", error.text);
}

static inline int connect_to(const char *address, uint16_t port)
{
    struct sockaddr_in where = {.sin_family = AF_INET, .sin_port = htons(port)};
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(inet_pton(AF_INET, address, &where.sin_addr), 1);
    cr_assert_eq(connect(client, (struct sockaddr *)&where, sizeof where), 0, "%s", strerror(errno));
    return client;
}

static inline int connect_port(void)
{
    return connect_to("127.0.0.1", door_port(door, "grpc"));
}

static inline int connect_local(const char *path)
{
    struct sockaddr_un where = {.sun_family = AF_UNIX};
    int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(where.sun_path, sizeof where.sun_path, "%s", path);
    cr_assert_eq(connect(client, (struct sockaddr *)&where, sizeof where), 0, "%s", strerror(errno));
    return client;
}

static inline void wait_for(int descriptor, short events)
{
    struct pollfd ready = {.fd = descriptor, .events = events};
    cr_assert_eq(poll(&ready, 1, PATIENCE_MS), 1, "nothing came");
}

// The next connection as the transport gets it.
static inline int taken(void)
{
    int descriptor = -1;
    wait_for(handed_on[0], POLLIN);
    cr_assert_eq(read(handed_on[0], &descriptor, sizeof descriptor), sizeof descriptor);
    cr_assert(fcntl(descriptor, F_GETFL) & O_NONBLOCK);
    return descriptor;
}

static inline void send_bytes(int descriptor, const void *bytes, size_t length)
{
    const char *at = bytes;
    while (length > 0) {
        wait_for(descriptor, POLLOUT);
        ssize_t put = send(descriptor, at, length, MSG_NOSIGNAL | MSG_DONTWAIT);
        cr_assert(put > 0 || errno == EAGAIN, "%s", strerror(errno));
        at += put > 0 ? put : 0;
        length -= put > 0 ? (size_t)put : 0;
    }
}

static inline void send_text(int descriptor, const char *text)
{
    send_bytes(descriptor, text, strlen(text));
}

static inline void expect_bytes(int descriptor, const void *expected, size_t length)
{
    char got[65536];
    size_t have = 0;
    cr_assert(length <= sizeof got);
    while (have < length) {
        wait_for(descriptor, POLLIN);
        ssize_t more = recv(descriptor, got + have, length - have, 0);
        cr_assert(more > 0, "the end came after %zu of %zu bytes", have, length);
        have += (size_t)more;
    }
    cr_assert_eq(memcmp(got, expected, length), 0);
}

static inline void expect_text(int descriptor, const char *text)
{
    expect_bytes(descriptor, text, strlen(text));
}

// The end, and nothing before it.
static inline void expect_end(int descriptor)
{
    char byte;
    wait_for(descriptor, POLLIN);
    cr_assert_eq(recv(descriptor, &byte, 1, 0), 0, "more came");
}

// The end, by whatever comes before it, and be it a reset.
static inline void expect_closed(int descriptor)
{
    char bytes[4096];
    ssize_t got;
    do {
        wait_for(descriptor, POLLIN);
        got = recv(descriptor, bytes, sizeof bytes, 0);
    } while (got > 0);
}

// The value of a sample, by its name with labels: "netscope_connections{listener=\"grpc\"}".
static inline double sample(const char *name)
{
    struct strbuf text;
    double value = -1;
    strbuf_init(&text, 1 << 20);
    metric_text_add(&text, &registry, METRIC_PROMETHEUS);
    for (char *line = strtok(text.text, "\n"); line != NULL; line = strtok(NULL, "\n"))
        if (strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ' ')
            value = strtod(line + strlen(name), NULL);
    strbuf_done(&text);
    cr_assert(value >= 0, "%s is not counted", name);
    return value;
}

static inline double refused(const char *reason)
{
    char name[128];
    snprintf(name, sizeof name, "netscope_connections_refused_total{listener=\"grpc\",reason=\"%s\"}",
             reason);
    return sample(name);
}
