// Which datagram a fragment is of: what all its fragments have in common. For fragments.c only. Pure.
#pragma once

#include "decode/packet.h"

// No padding: compared and hashed as bytes.
struct datagram {
    uint8_t source[16], target[16];
    uint32_t id;
    uint8_t version, protocol;
    // The same private addresses may live in several.
    uint16_t vlan;
    uint32_t tunnel_id;
    uint8_t tunnel_kind, tunnel_version[2], unused;
    uint8_t tunnel_source[16], tunnel_target[16];
};
_Static_assert(sizeof(struct datagram) == 80, "no padding");

struct datagram datagram_of(const struct packet *packet);
