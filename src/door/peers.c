#include "door/peers.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_COUNT = 64 };

void peers_init(struct peers *peers)
{
    *peers = (struct peers){0};
    pthread_mutex_init(&peers->lock, NULL);
}

void peers_done(struct peers *peers)
{
    for (unsigned i = 0; i < peers->count; i++)
        free(peers->by_number[i]);
    free(peers->by_number);
    pthread_mutex_destroy(&peers->lock);
}

static bool make_room(struct peers *peers, unsigned number)
{
    unsigned count = peers->count == 0 ? FIRST_COUNT : peers->count;
    while (count <= number)
        count *= 2;
    if (count == peers->count)
        return true;
    struct peer **grown = realloc(peers->by_number, count * sizeof(struct peer *));
    if (grown == NULL)
        return false;
    memset(grown + peers->count, 0, (count - peers->count) * sizeof(struct peer *));
    peers->by_number = grown;
    peers->count = count;
    return true;
}

bool peers_put(struct peers *peers, int descriptor, struct peer *take_peer)
{
    assert(descriptor >= 0);
    pthread_mutex_lock(&peers->lock);
    bool room = make_room(peers, (unsigned)descriptor);
    if (room) {
        free(peers->by_number[descriptor]);
        peers->by_number[descriptor] = take_peer;
    }
    pthread_mutex_unlock(&peers->lock);
    return room;
}

bool peers_find(struct peers *peers, int descriptor, struct peer *out)
{
    assert(descriptor >= 0);
    pthread_mutex_lock(&peers->lock);
    const struct peer *found = (unsigned)descriptor < peers->count ? peers->by_number[descriptor] : NULL;
    if (found != NULL)
        *out = *found;
    pthread_mutex_unlock(&peers->lock);
    return found != NULL;
}
