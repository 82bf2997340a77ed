// Who opened a flow, as far as its first packet tells. A SYN or its answer says it; else a multicast group is nobody's
// client, a STUN or GTP message is a question or an answer, and servers have known ports (which DHCP's clients have as
// well: 68 and 546 are theirs); only then whoever spoke first. Asked once a flow; pure.
#pragma once

#include <stdbool.h>

#include "decode/packet.h"
#include "flow/record.h"

struct flow_opener {
    enum client_from from; // CLIENT_PORT: a port, a group or a message told it
    bool is_sender;        // of the packet; else its target is the client
};
struct flow_opener flow_opener_of(const struct packet *packet);
