// Frames of "any" (Linux cooked, v1 and v2) as filters are meant. The kernel filters them before libpcap puts VLAN tags into
// them; so a filter of a file asks the frame without its tags, and one that asks for what a cooked header has no place for
// (vlan, MPLS...) the Ethernet frame that it was, whose target is not known. Pure.
#pragma once

#include "capture/source.h"

enum { COOKED_ETHERNET_BYTES = 14 + 4 * 4 }; // of the header that is made at most

bool filter_is_cooked(uint16_t link_type);
// Writes the frame without its tags; false when it has none, and nothing is written. `into` has room for frame->captured.
bool filter_cooked_untag(const struct frame *frame, uint8_t *into, struct frame *out);
// Writes it as Ethernet; false when its header is cut. `into` has room for frame->captured and COOKED_ETHERNET_BYTES.
bool filter_cooked_to_ethernet(const struct frame *frame, uint8_t *into, struct frame *out);
