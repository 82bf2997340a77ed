// What the calls that show packets have in common. For these only.
#pragma once

#include "api/call.h"
#include "capture/source.h"

struct own_connections;
struct packet;

// Whether who calls may see any packet: one whose sight has limits sees none, for what a packet holds (names, inner
// addresses, what others say) cannot be told apart by them. False with PERMISSION_DENIED.
bool packets_may_be_seen(struct call *call);

// Whether the packet is of one of the sensor's own connections: inside a tunnel, the inner one.
bool packet_is_own(const struct own_connections *own, const struct packet *packet);
// The same of a frame, which is taken apart only when there are any.
bool frame_is_own(const struct own_connections *own, const struct frame *frame);
