// talk: an application whose latency is measured: requests and their answers over TCP, and a bulk transfer. See --help.
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/time.h"

enum { REQUEST_BYTES = 100, ANSWER_BYTES = 500, BULK_BYTES = 1 << 20 };
static const char asks = 'a';

static void explain(void)
{
    puts("Usage: talk serve PORT\n"
         "       talk ask ADDRESS PORT REQUESTS EACH_US\n"
         "       talk send ADDRESS PORT BYTES_PER_SECOND SECONDS\n"
         "`serve` answers requests of 100 bytes with 500, and drops what is sent in bulk. `ask` sends a "
         "request each so many\n"
         "microseconds on one connection and prints how long every answer took, in ns. `send` sends at a "
         "rate, 0 = no\n"
         "limit, and prints how many bytes went.");
}

static void fail(const char *what)
{
    fprintf(stderr, "talk: %s: %s\n", what, strerror(errno));
    exit(1);
}

static bool receive_all(int descriptor, char *into, size_t bytes)
{
    for (size_t there = 0; there < bytes;) {
        ssize_t count = recv(descriptor, into + there, bytes - there, 0);
        if (count <= 0)
            return false;
        there += (size_t)count;
    }
    return true;
}

static void send_all(int descriptor, const char *from, size_t bytes)
{
    for (size_t sent = 0; sent < bytes;) {
        ssize_t count = send(descriptor, from + sent, bytes - sent, MSG_NOSIGNAL);
        if (count <= 0)
            fail("send");
        sent += (size_t)count;
    }
}

static void set_option(int descriptor, int level, int option, uint32_t value)
{
    if (setsockopt(descriptor, level, option, &value, sizeof value) != 0)
        fail("setsockopt");
}

static void answer_requests(int descriptor, char *buffer)
{
    while (receive_all(descriptor, buffer, REQUEST_BYTES - 1)) {
        char next;
        send_all(descriptor, buffer, ANSWER_BYTES);
        if (!receive_all(descriptor, &next, 1))
            return;
    }
}

// The first byte tells what a connection is for.
static void *serve_one(void *argument)
{
    int descriptor = (int)(intptr_t)argument;
    char *buffer = calloc(1, BULK_BYTES);
    if (buffer == NULL || !receive_all(descriptor, buffer, 1))
        fail("a connection");
    if (buffer[0] == asks)
        answer_requests(descriptor, buffer);
    else
        while (recv(descriptor, buffer, BULK_BYTES, 0) > 0)
            ;
    close(descriptor);
    free(buffer);
    return NULL;
}

static void serve(uint16_t port)
{
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(port)};
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    set_option(listener, SOL_SOCKET, SO_REUSEADDR, 1);
    if (bind(listener, (struct sockaddr *)&here, sizeof here) != 0 || listen(listener, 16) != 0)
        fail("listen");
    for (;;) {
        pthread_t thread;
        int descriptor = accept(listener, NULL, NULL);
        if (descriptor < 0)
            fail("accept");
        set_option(descriptor, IPPROTO_TCP, TCP_NODELAY, 1);
        if (pthread_create(&thread, NULL, serve_one, (void *)(intptr_t)descriptor) != 0)
            fail("pthread_create");
        pthread_detach(thread);
    }
}

static int connect_to(const char *address, const char *port)
{
    struct sockaddr_in there = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    int descriptor = socket(AF_INET, SOCK_STREAM, 0);
    if (inet_pton(AF_INET, address, &there.sin_addr) != 1 ||
        connect(descriptor, (struct sockaddr *)&there, sizeof there) != 0)
        fail("connect");
    set_option(descriptor, IPPROTO_TCP, TCP_NODELAY, 1);
    return descriptor;
}

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static void sleep_until(int64_t at_ns)
{
    struct timespec at = {.tv_sec = at_ns / NS_PER_S, .tv_nsec = at_ns % NS_PER_S};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
}

static void ask(int descriptor, unsigned requests, int64_t each_ns)
{
    char request[REQUEST_BYTES] = {asks}, answer[ANSWER_BYTES];
    int64_t *took_ns = calloc(requests, sizeof *took_ns);
    if (took_ns == NULL)
        fail("memory");
    int64_t due_ns = now_ns();
    for (unsigned i = 0; i < requests; i++) {
        due_ns += each_ns;
        sleep_until(due_ns);
        int64_t begun_ns = now_ns();
        send_all(descriptor, request, sizeof request);
        if (!receive_all(descriptor, answer, sizeof answer))
            fail("no answer");
        took_ns[i] = now_ns() - begun_ns;
    }
    for (unsigned i = 0; i < requests; i++)
        printf("%" PRId64 "\n", took_ns[i]);
    free(took_ns);
}

static void send_bulk(int descriptor, uint32_t rate, int64_t span_ns)
{
    char *buffer = calloc(1, BULK_BYTES);
    uint64_t sent = 0;
    if (buffer == NULL)
        fail("memory");
    if (rate > 0)
        set_option(descriptor, SOL_SOCKET, SO_MAX_PACING_RATE, rate);
    for (int64_t end_ns = now_ns() + span_ns; now_ns() < end_ns; sent += BULK_BYTES)
        send_all(descriptor, buffer, BULK_BYTES);
    printf("%" PRIu64 "\n", sent);
    free(buffer);
}

int main(int count, char **words)
{
    if (count == 3 && strcmp(words[1], "serve") == 0)
        serve((uint16_t)atoi(words[2]));
    else if (count == 6 && strcmp(words[1], "ask") == 0)
        ask(connect_to(words[2], words[3]), (unsigned)atoi(words[4]), atoll(words[5]) * 1000);
    else if (count == 6 && strcmp(words[1], "send") == 0)
        send_bulk(connect_to(words[2], words[3]), (uint32_t)atoll(words[4]), atoll(words[5]) * NS_PER_S);
    else
        explain();
    return count < 3;
}
