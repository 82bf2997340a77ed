// Puts IP datagrams together from their fragments, in whatever order they come. So many at a time as there are places;
// a new datagram takes the place of the one that was begun first. What overlaps: the last one counts. Owned by the source
// thread; memory is fixed at start (66,584 bytes a place, touched as it is used). Cost: a copy of each fragment, and of the
// whole.
#pragma once

#include <stddef.h>

#include "decode/decode.h"

struct reassembly;

enum { REASSEMBLY_WHOLE_BYTES = 40 + 65536 }; // a header of ours and the longest datagram

struct reassembly *reassembly_create(unsigned places);
void reassembly_destroy(struct reassembly *reassembly); // takes NULL
// Datagrams that were begun and are none: their place was taken over, their parts contradict each other, nobody took the
// whole, or all were given up.
uint64_t reassembly_given_up(const struct reassembly *reassembly);
size_t reassembly_bytes(unsigned places);

// A ticket for a new datagram; never 0. It is void once its place was taken over.
uint32_t reassembly_begin(struct reassembly *reassembly);
bool reassembly_is_valid(const struct reassembly *reassembly, uint32_t ticket);
void reassembly_give_up(struct reassembly *reassembly, uint32_t ticket); // voids it, if it is valid
void reassembly_give_up_all(struct reassembly *reassembly);
// Adds what the fragment carries, all of which was captured. True when the datagram is whole. Does nothing with a void
// ticket, or 0; a part that contradicts the datagram's end voids it.
bool reassembly_add(struct reassembly *reassembly, uint32_t ticket, const struct packet *packet);

// Writes the whole datagram behind an IP header, decodes it, and makes it what the packet tells: addresses, ports, transport,
// payload and tunnel; of the frame it stays what it was. The fragment becomes FRAGMENT_WHOLE and the ticket void. The bytes
// are borrowed from `into` from then on; returns how many there are.
size_t reassembly_finish(struct reassembly *reassembly, uint32_t ticket, const struct decode_options *options,
                         uint8_t into[REASSEMBLY_WHOLE_BYTES], struct packet *packet);
