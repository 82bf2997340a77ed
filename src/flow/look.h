// Looks: each flow is looked at once, when policy.look_ns have passed since it began, when it was refused or closed before
// that (by a reset of who began it only once the other side has spoken), or when it ends; so a detector learns what came of a first contact without waiting for the flow's end. A queue a
// partition, in the order in which flows began: 16 bytes a flow that waits, at most LOOKS_WAITING; flows beyond that are
// looked at when they end. Internal to flow/ but for struct flow_look. The table's thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "flow/key.h"

// A flow as it was when it was looked at. Directions and sides are those of the key.
struct flow_look {
    struct flow_key key;
    int64_t began_ns;      // flow time
    int64_t first_seen_ns; // the packet's own stamp
    uint64_t bytes[2];
    uint32_t packets[2]; // low 32 bits
    uint8_t tcp_flags[2];
    uint8_t tcp_state;   // enum tcp_state
    uint8_t client;      // side
    uint8_t client_from; // enum client_from
    uint8_t tunnel_kind; // enum tunnel_kind
    uint32_t tunnel_id;
    uint16_t interface;
    uint8_t partition;
    bool waited; // look_ns have passed: what has not come will not come
};
typedef void flow_look_function(void *owner, const struct flow_look *look);

enum { LOOKS_WAITING = 16384 }; // of a partition

struct look_entry {
    int64_t began_ns; // flow time; tells that the node is still this flow's
    uint32_t id;
};

struct look_queue {
    struct look_entry *entries; // a ring; owned
    uint32_t first, count, room;
};

struct flow_table;
struct flow_partition;

void look_queue_done(struct look_queue *queue);

// A flow begins.
void flow_await_look(struct flow_table *table, struct flow_partition *partition, uint32_t id);
// Looks at a flow that was not looked at yet. `now_ns` is flow time.
void flow_look_at(struct flow_table *table, const struct flow_partition *partition, uint32_t id,
                  int64_t now_ns);
// Those of which the wait is over.
void flow_look_at_due(struct flow_table *table, int64_t now_ns);
