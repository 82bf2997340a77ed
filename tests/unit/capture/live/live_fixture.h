// A live source on the loopback of a network namespace of the test's own, which needs the privilege to make one.
#pragma once

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "capture/live/live_source.h"

static inline bool set_link(const char *name, bool up)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    struct ifreq request = {.ifr_flags = up ? IFF_UP | IFF_RUNNING : 0};
    strcpy(request.ifr_name, name);
    bool done = ioctl(fd, SIOCSIFFLAGS, &request) == 0;
    close(fd);
    return done;
}

// Skips the test where it may make none.
static inline void enter_namespace(void)
{
    if (unshare(CLONE_NEWNET) != 0 || !set_link("lo", true))
        cr_skip_test("no permission to make a network namespace");
}

static inline void make_veth(const char *name)
{
    char command[128];
    snprintf(command, sizeof command, "ip link add %s type veth peer name %sx && ip link set %s up", name,
             name, name);
    cr_assert_eq(system(command), 0);
}

static inline void send_datagrams(unsigned count, uint16_t port)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    for (unsigned i = 0; i < count; i++)
        (void)sendto(fd, "datagram", 8, 0, (const struct sockaddr *)&to, sizeof to);
    close(fd);
}

// Both are borrowed.
static inline struct capture_settings settings_of(char **words, unsigned count, char *filter)
{
    return (struct capture_settings){
        .interfaces = {.items = words, .count = count},
        .filter = filter,
        .snaplen = 262144,
        .timeout_ms = 5,
        .buffer_size_mb = 4,
    };
}

// What was counted since it was last asked, over all interfaces.
static inline struct source_drops take_drops(struct source *source)
{
    struct source_drops sum = {.exact = true}, drops;
    for (bool first = true; source->ops->drops(source, first, &drops); first = false) {
        sum.received += drops.received;
        sum.kernel_dropped += drops.kernel_dropped;
        sum.delivered += drops.delivered;
        sum.no_chunk += drops.no_chunk;
        sum.unread += drops.unread;
        sum.exact &= drops.exact;
        sum.left |= drops.left;
    }
    return sum;
}
