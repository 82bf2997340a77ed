// The interface of the default route: what `-i auto` means. Reads the kernel's tables under /proc/net;
// needs no privilege.
#pragma once

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

// The interface that holds the IPv4 default route with the lowest metric, else the IPv6 one; `reason` says
// which, for a sentence: "it holds the IPv4 default route via 10.0.0.1". False = there is none.
bool default_route_find(char name[IF_NAMESIZE], char *reason, size_t reason_bytes);

// The same of tables given as text, in the formats of /proc/net/route and /proc/net/ipv6_route. Pure.
bool default_route_parse_v4(const char *table, char name[IF_NAMESIZE], char *reason, size_t reason_bytes);
bool default_route_parse_v6(const char *table, char name[IF_NAMESIZE], char *reason, size_t reason_bytes);
