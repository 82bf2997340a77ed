// Addresses of a frame, changed so that a copy of a capture is a set of flows of its own. Pure.
#pragma once

#include <stdint.h>

// Flips the bits of `mask` (24) in the low part of every unicast IPv4 and IPv6 address, in the IP header of an
// Ethernet frame (VLAN tags, PPPoE) and in those of IP in IP, and mends IPv4 header checksums. Other tunnels,
// ARP and payloads stay, and so do the checksums of TCP and UDP. A mask of 0 leaves the frame as it is.
void rewrite_addresses(uint8_t *frame, uint32_t captured, uint32_t mask);
