#include "detect/tick_evidence.h"

#include <assert.h>
#include <stdlib.h>

static bool make_room(struct tick_evidence *tick, unsigned count)
{
    if (count <= tick->room && !evidence_is_excess(tick->room, count))
        return true;
    unsigned room = 64;
    while (room < count)
        room *= 2;
    const struct contact **contacts = malloc(room * sizeof *contacts);
    if (contacts == NULL)
        return count <= tick->room;
    free(tick->contacts);
    tick->contacts = contacts;
    tick->room = room;
    return true;
}

static unsigned count_contacts(const struct evidence *const *shards, unsigned shard_count)
{
    unsigned count = 0;
    for (unsigned i = 0; i < shard_count; i++)
        count += shards[i]->contacts.count;
    return count;
}

// Where in the order the contacts of each partition begin; how many there are.
static unsigned find_places(const struct tick_evidence *tick, unsigned places[FLOW_PARTITIONS])
{
    unsigned sum = 0;
    for (unsigned p = 0; p < FLOW_PARTITIONS; p++) {
        places[p] = sum;
        sum += tick->shards[p % tick->shard_count]->contacts.counts[p];
    }
    return sum;
}

bool tick_evidence_gather(struct tick_evidence *tick, const struct evidence *const *shards,
                          unsigned shard_count)
{
    assert(shard_count > 0);
    unsigned places[FLOW_PARTITIONS], count = count_contacts(shards, shard_count);
    tick->shards = shards;
    tick->shard_count = shard_count;
    tick->contact_count = 0;
    if (!make_room(tick, count))
        return false;
    tick->contact_count = find_places(tick, places);
    assert(tick->contact_count == count);
    for (unsigned i = 0; i < shard_count; i++) {
        const struct contact_list *list = &shards[i]->contacts;
        for (unsigned k = 0; k < list->count; k++)
            tick->contacts[places[list->items[k].partition]++] = &list->items[k];
    }
    return true;
}

void tick_evidence_done(struct tick_evidence *tick)
{
    free(tick->contacts);
    *tick = (struct tick_evidence){0};
}
