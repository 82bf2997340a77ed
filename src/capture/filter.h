// BPF filters over frames of any link type, compiled by libpcap for each link type when its first frame
// comes. Owned by a source; the source thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct frame;
struct filter;

// Compiles for `link_type` (LINKTYPE number) to check the expression: when it fits neither that nor Ethernet NULL and
// ERROR_INVALID_ARGUMENT with libpcap's reason. When only the link type is at odds with it, its packets are rejected, as
// those of any that comes later.
struct filter *filter_create(const char *expression, uint16_t link_type, struct error *error);
void filter_destroy(struct filter *filter); // takes NULL
// Whether it compiles, with the same sentence. `live`: in the kernel, which knows more of a packet (its
// direction for one) than a file.
bool filter_check(const char *expression, uint16_t link_type, bool live, struct error *error);

// The length the filter accepts of the frame, 0 = rejected. Frames of a link type for which it cannot be
// compiled are rejected, which is told once for each.
uint32_t filter_accepts(struct filter *filter, const struct frame *frame);
