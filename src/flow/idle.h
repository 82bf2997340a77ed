// Who has been idle for how long: a wheel a class of flows, with a slot for every second (coarser for
// long timeouts) of last activity. A packet moves nothing: a flow stays in the slot where it was filed,
// and is filed anew when its slot comes up. Expiry and eviction read the same wheels: expiry takes the
// slots that are older than the class's timeout, eviction the oldest slot. Flows are linked by ids
// through their nodes. One owner, one thread. Cost: constant a flow and timeout, never the table's size.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "flow/store.h"

struct idle_wheel {
    uint32_t *heads;    // ids by slot, 0 = empty
    int64_t timeout_ns; // 0 = never
    int64_t slot_ns;
    uint32_t slots; // a power of two
    uint32_t members;
    int64_t oldest; // number (time / slot_ns) of the oldest slot that may hold flows
};

bool idle_wheel_init(struct idle_wheel *wheel, int64_t timeout_ns);
void idle_wheel_done(struct idle_wheel *wheel);

// Files a flow by flow->last_ns.
void idle_wheel_add(struct idle_wheel *wheel, const struct flow_store *store, uint32_t id);
void idle_wheel_remove(struct idle_wheel *wheel, const struct flow_store *store, uint32_t id);

// The next flow that has been idle for the timeout, taken off the wheel; 0 = none up to `now_ns`. A flow
// is found at most one slot late; whoever needs the exact moment compares last_ns.
uint32_t idle_wheel_take_due(struct idle_wheel *wheel, const struct flow_store *store, int64_t now_ns);

// The least recently seen flow (to the slot), left on the wheel; 0 = empty.
uint32_t idle_wheel_oldest(struct idle_wheel *wheel, const struct flow_store *store);
