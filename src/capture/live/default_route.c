#include "capture/live/default_route.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <limits.h>
#include <net/route.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/address.h"

enum { TABLE_BYTES_MAX = 4 * 1024 * 1024, ROUTE_REJECT = 0x0200 };

static const char *next_line(const char *line)
{
    const char *end = strchr(line, '\n');
    return end != NULL ? end + 1 : line + strlen(line);
}

bool default_route_parse_v4(const char *table, char name[IF_NAMESIZE], char *reason, size_t reason_bytes)
{
    unsigned long best = ULONG_MAX;
    for (const char *line = next_line(table); *line != 0; line = next_line(line)) {
        char device[IF_NAMESIZE];
        unsigned destination, gateway, flags, mask;
        unsigned long metric;
        if (sscanf(line, "%15s %x %x %x %*u %*u %lu %x", device, &destination, &gateway, &flags, &metric,
                   &mask) != 6)
            continue;
        if (destination != 0 || mask != 0 || (flags & RTF_UP) == 0 || (flags & ROUTE_REJECT) != 0 ||
            metric >= best)
            continue;
        best = metric;
        memcpy(name, device, sizeof device);
        uint8_t bytes[4];
        memcpy(bytes, &gateway, sizeof bytes); // the table prints network order as a host number
        struct address via = address_v4(bytes);
        char text[ADDRESS_TEXT_BYTES];
        snprintf(reason, reason_bytes, "it holds the IPv4 default route via %s", address_format(&via, text));
    }
    return best != ULONG_MAX;
}

bool default_route_parse_v6(const char *table, char name[IF_NAMESIZE], char *reason, size_t reason_bytes)
{
    unsigned long best = ULONG_MAX;
    for (const char *line = table; *line != 0; line = next_line(line)) {
        char device[IF_NAMESIZE];
        char destination[33];
        unsigned prefix, flags;
        unsigned long metric;
        if (sscanf(line, "%32s %x %*s %*x %*s %lx %*x %*x %x %15s", destination, &prefix, &metric, &flags,
                   device) != 5)
            continue;
        bool is_default = prefix == 0 && strspn(destination, "0") == 32;
        if (!is_default || (flags & RTF_UP) == 0 || (flags & ROUTE_REJECT) != 0 || metric >= best ||
            strcmp(device, "lo") == 0)
            continue;
        best = metric;
        memcpy(name, device, sizeof device);
        snprintf(reason, reason_bytes, "it holds the IPv6 default route");
    }
    return best != ULONG_MAX;
}

// The whole table as text; NULL when it cannot be read.
static char *read_table(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *text = fd >= 0 ? malloc(TABLE_BYTES_MAX + 1) : NULL;
    size_t length = 0;
    ssize_t got = 1;
    while (text != NULL && got > 0 && length < TABLE_BYTES_MAX) {
        got = read(fd, text + length, TABLE_BYTES_MAX - length);
        length += got > 0 ? (size_t)got : 0;
    }
    if (text != NULL)
        text[length] = 0;
    if (fd >= 0)
        close(fd);
    return text;
}

bool default_route_find(char name[IF_NAMESIZE], char *reason, size_t reason_bytes)
{
    char *table = read_table("/proc/net/route");
    bool found = table != NULL && default_route_parse_v4(table, name, reason, reason_bytes);
    free(table);
    if (found)
        return true;
    table = read_table("/proc/net/ipv6_route");
    found = table != NULL && default_route_parse_v6(table, name, reason, reason_bytes);
    free(table);
    return found;
}
