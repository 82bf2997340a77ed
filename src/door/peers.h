// Who is at the other end of the descriptors that were handed on, by their numbers. The door's thread puts, any thread
// looks up. An entry stays until its number is handed on again: what still asks has begun before. Bounded by
// the descriptors that the process may have; some 2 KiB each.
#pragma once

#include <pthread.h>
#include <stdbool.h>

#include "door/door.h"

struct peers {
    pthread_mutex_t lock;
    struct peer **by_number;
    unsigned count;
};

void peers_init(struct peers *peers);
void peers_done(struct peers *peers);

// Takes the peer over on success; false without memory.
bool peers_put(struct peers *peers, int descriptor, struct peer *take_peer);
bool peers_find(struct peers *peers, int descriptor, struct peer *out);
