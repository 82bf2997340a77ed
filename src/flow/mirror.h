// Flows that are seen in two forms: the two directions of a connection with two ids between the same outer endpoints
// (VXLAN, Geneve), or one way inside a tunnel and the other way outside (where every observation counts, on the same
// interface); and, where the first observation counts, the whole connection inside a tunnel on one interface and plain on
// another. The form that began the flow is its key's; a packet of another form finds it here: of several that it fits,
// the one that such packets were counted in before, then one inside between the same outer endpoints, then the one that
// was seen last. Only packets that no flow has the key of are looked up, and of those outside of tunnels only while there
// are flows inside. A second index holds the flows inside tunnels by what they are outside of any, at most MIRRORS_MOST a
// key. Internal to flow/. The table's thread.
#pragma once

#include "flow/table.h"

enum { MIRRORS_MOST = 8 };

// How the second index finds the hash of a flow.
uint64_t flow_mirror_hash(const void *owner, uint32_t id);

// A flow inside a tunnel begins or ends.
void flow_mirror_add(struct flow_table *table, uint32_t id);
void flow_mirror_remove(struct flow_table *table, uint32_t id);

// The flow of another form that the packet belongs to; 0 = none. Which one it is depends on what the flows are, never on
// where they lie.
uint32_t flow_mirror_find(const struct flow_table *table, const struct packet *packet,
                          const struct flow_key *key, uint8_t sender);

// A packet of another form was counted: the direction is of both forms from now on.
void flow_mirror_join(struct flow_table *table, struct flow *flow, uint8_t sender);

// Notes what a packet inside a tunnel tells of it: the tunnel of a flow that began outside, the id of the other
// direction.
void flow_note_tunnel(struct flow_table *table, struct flow *flow, const struct packet_tunnel *tunnel);
