// Brings the fragments of an IP datagram to one flow, and the datagram together (reassembly.h). The first fragment has the
// ports; later ones get them. What comes before the first one waits for it, without its bytes, which are kept where the
// datagram is put together. Bounded and timed: a table of 4-way sets whose size is fixed at start, of which the oldest entry
// is replaced; as many packets wait as it has entries, and datagrams are put together in FRAGMENTS_A_PLACE times fewer
// places. An entry older than 30 s of packet->now_ns is forgotten. What waited for it then, or for one that was replaced,
// goes on without ports; so does what finds no room. Owned by the source thread, before packets are hashed. No allocation
// after creation; one hash and a copy a fragment, nothing for other packets.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "decode/reassembly.h"

struct fragments;

enum { FRAGMENTS_A_PLACE = 64, FRAGMENTS_PLACES_LEAST = 8 };

enum fragment_outcome {
    FRAGMENT_GOES_ON,  // with ports, if they are known
    FRAGMENT_WAITS,    // kept: fragments_next() gives it back
    FRAGMENT_COMPLETES // its datagram is whole: fragments_finish() may follow, before anything else, or never
};

// `capacity` datagrams are known, rounded up to a power of two. NULL without memory.
struct fragments *fragments_create(unsigned capacity, uint64_t hash_seed);
void fragments_destroy(struct fragments *fragments);
size_t fragments_bytes(unsigned capacity); // all that such a one takes, touched as it is used

// A first fragment with ports is remembered; a later one of the same datagram (addresses, protocol,
// identification, VLAN, tunnel) gets them, the transport's number (IPv6: the fragment may name an extension header)
// and ports_known. Of fragments that are put together none has a transport but the one that completes them.
enum fragment_outcome fragments_apply(struct fragments *fragments, struct packet *packet);
// Of the packet that completes its datagram, see reassembly_finish().
size_t fragments_finish(struct fragments *fragments, const struct decode_options *options,
                        uint8_t into[REASSEMBLY_WHOLE_BYTES], struct packet *packet);

// Packets whose wait is over, in the order in which they came; without bytes. To be asked for after each of the other calls.
bool fragments_next(struct fragments *fragments, struct packet *out);
// Ends the wait of those whose time is over, within a second.
void fragments_expire(struct fragments *fragments, int64_t now_ns);
// No more come: ends the wait of all, and gives up the datagrams that are not whole.
void fragments_release_all(struct fragments *fragments);
unsigned fragments_waiting(const struct fragments *fragments);
uint64_t fragments_given_up(const struct fragments *fragments); // datagrams, see reassembly_given_up()
