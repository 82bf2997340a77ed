// Gives later fragments of an IP datagram the ports of its first one, so that they reach its flow.
// Bounded and timed: a table of 4-way sets whose size is fixed at start; the oldest entry of a set is
// replaced; an entry older than 30 s of packet->now_ns is forgotten. Owned by the source thread, before
// packets are hashed. No allocation after creation; one hash a fragment, nothing for other packets.
// A later fragment that comes before the first, or after it was replaced, keeps no ports.
#pragma once

#include <stdint.h>

#include "decode/packet.h"

struct fragments;

// `capacity` datagrams, rounded up to a power of two. NULL without memory.
struct fragments *fragments_create(unsigned capacity, uint64_t hash_seed);
void fragments_destroy(struct fragments *fragments);

// A first fragment with ports is remembered; a later one of the same datagram (addresses, protocol,
// identification) gets them, the transport's number (IPv6: the fragment may name an extension header)
// and ports_known. Its has_transport stays false.
void fragments_apply(struct fragments *fragments, struct packet *packet);
