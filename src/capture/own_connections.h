// The sensor's own connections: those that its servers accepted and its clients made. What is told of packets to clients of
// the API leaves them out (capture.exclude_self), for a capture over the link that is captured would feed itself.
//
// Any thread; nobody waits. A look costs a hash and a cache line, and one load while there are none. Bounded: what finds no
// place is left out and its packets are told; 512 connections find one, but by a chance of one in 10^9.
#pragma once

#include <stdbool.h>

#include "net/address.h"

struct own_connections;

// With `excluded` off it remembers nothing. NULL without memory.
struct own_connections *own_connections_create(bool excluded);
void own_connections_destroy(struct own_connections *own); // takes NULL

// A connection of TCP, by its ends in either order; IPv4 in IPv6 (::ffff:10.0.0.1) is IPv4. False when there is no place.
bool own_connections_add(struct own_connections *own, const struct endpoint *here,
                         const struct endpoint *there);
// Takes what was not added, too.
void own_connections_remove(struct own_connections *own, const struct endpoint *here,
                            const struct endpoint *there);

// Whether there are any at all: else nobody need take a packet apart.
bool own_connections_any(const struct own_connections *own);
bool own_connections_hold(const struct own_connections *own, const struct endpoint *one,
                          const struct endpoint *other);
