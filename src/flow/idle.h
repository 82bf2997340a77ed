// Who has been idle for how long: a wheel a class of flows, with a slot for every second or so (coarser for
// long timeouts) of last activity. A packet moves nothing: a flow stays in the slot where it was filed,
// and is filed anew when its slot comes up. Expiry and eviction read the same wheels: expiry takes the
// slots that are older than the class's timeout, eviction the oldest slot. Flows are linked by ids
// through their nodes. One owner, one thread. Cost: constant a flow and timeout, never the table's size.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "flow/store.h"

struct idle_wheel {
    uint32_t *heads; // ids by slot, 0 = empty
    uint32_t slots;  // a power of two
    uint32_t members;
    int64_t oldest;     // number of the oldest slot that may hold flows
    uint8_t slot_shift; // a slot is 2^slot_shift ns: 1.07 s at least
};

// For flows that time out after `timeout_ns`; 0 = never.
uint8_t idle_slot_shift(int64_t timeout_ns);
bool idle_wheel_init(struct idle_wheel *wheel, int64_t timeout_ns);
void idle_wheel_done(struct idle_wheel *wheel);

// The number of the slot of a time.
static inline int64_t idle_wheel_slot(const struct idle_wheel *wheel, int64_t time_ns)
{
    return time_ns >> wheel->slot_shift;
}

// Files a flow by flow->last_ns.
void idle_wheel_add(struct idle_wheel *wheel, const struct flow_store *store, uint32_t id);
void idle_wheel_remove(struct idle_wheel *wheel, const struct flow_store *store, uint32_t id);

// The next flow that was last seen before the slot `end`, taken off the wheel; 0 = none. With the slot of now
// minus a timeout, a flow is found at most one slot late; whoever needs the exact moment compares last_ns.
uint32_t idle_wheel_take_before(struct idle_wheel *wheel, const struct flow_store *store, int64_t end);

// Takes flow after flow off a wheel that is given up, until 0 says that it is empty; nothing else may be done with it
// in between. *slot begins as 0.
uint32_t idle_wheel_drain(struct idle_wheel *wheel, const struct flow_store *store, uint32_t *slot);

// The least recently seen flow (to the slot), left on the wheel; 0 = empty.
uint32_t idle_wheel_oldest(struct idle_wheel *wheel, const struct flow_store *store);
