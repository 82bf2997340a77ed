#include "decode/fragments.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/time.h"

enum { WAYS = 4, CAPACITY_MAXIMUM = 1 << 20 };

#define LIFETIME_NS (30 * NS_PER_S)

// No padding: compared and hashed as bytes.
struct datagram {
    uint8_t source[16], target[16];
    uint32_t id;
    uint8_t version, protocol;
    uint16_t vlan; // the same private addresses may live in several
};

struct entry {
    struct datagram datagram;
    int64_t seen_ns; // of the first fragment
    uint16_t source_port, target_port;
    uint8_t protocol;
    bool used;
};

struct fragments {
    uint64_t hash_seed;
    unsigned sets; // a power of two
    struct entry entries[];
};

static unsigned sets_for(unsigned capacity)
{
    unsigned sets = 1;
    while (sets * WAYS < capacity && sets * WAYS < CAPACITY_MAXIMUM)
        sets *= 2;
    return sets;
}

struct fragments *fragments_create(unsigned capacity, uint64_t hash_seed)
{
    assert(capacity > 0);
    unsigned sets = sets_for(capacity);
    struct fragments *fragments = calloc(1, sizeof *fragments + sets * WAYS * sizeof(struct entry));
    if (fragments == NULL)
        return NULL;
    fragments->hash_seed = hash_seed;
    fragments->sets = sets;
    return fragments;
}

void fragments_destroy(struct fragments *fragments)
{
    free(fragments);
}

static struct datagram datagram_of(const struct packet *packet)
{
    struct datagram datagram = {
        .id = packet->fragment_id,
        .version = packet->source.version,
        .protocol = packet->ip_protocol,
        .vlan = packet->vlans > 0 ? packet->vlan[0] : 0,
    };
    // IPv6 keeps the protocol apart: a later fragment names the first header of the fragmented part,
    // which need not be the transport (RFC 8200 section 4.5 identifies without it).
    if (packet->source.version == 6)
        datagram.protocol = 0;
    memcpy(datagram.source, packet->source.bytes, sizeof datagram.source);
    memcpy(datagram.target, packet->target.bytes, sizeof datagram.target);
    return datagram;
}

static struct entry *set_of(struct fragments *fragments, const struct datagram *datagram)
{
    assert((fragments->sets & (fragments->sets - 1)) == 0);
    uint64_t hash = hash_bytes(datagram, sizeof *datagram, fragments->hash_seed);
    return &fragments->entries[(hash & (fragments->sets - 1)) * WAYS];
}

static bool is_alive(const struct entry *entry, int64_t now_ns)
{
    return entry->used && now_ns - entry->seen_ns <= LIFETIME_NS;
}

static bool is_of(const struct entry *entry, const struct datagram *datagram)
{
    return entry->used && memcmp(&entry->datagram, datagram, sizeof *datagram) == 0;
}

// The entry of the same datagram, else an unused one, else the oldest.
static struct entry *entry_to_write(struct entry *set, const struct datagram *datagram)
{
    struct entry *best = &set[0];
    for (unsigned way = 0; way < WAYS; way++) {
        struct entry *entry = &set[way];
        if (is_of(entry, datagram))
            return entry;
        if (best->used && (!entry->used || entry->seen_ns < best->seen_ns))
            best = entry;
    }
    return best;
}

static void remember(struct fragments *fragments, const struct packet *packet)
{
    assert(packet->ports_known && packet->source.version != 0);
    struct datagram datagram = datagram_of(packet);
    struct entry *entry = entry_to_write(set_of(fragments, &datagram), &datagram);
    *entry = (struct entry){
        .datagram = datagram,
        .seen_ns = packet->now_ns,
        .source_port = packet->source_port,
        .target_port = packet->target_port,
        .protocol = packet->ip_protocol,
        .used = true,
    };
}

static void recall(struct fragments *fragments, struct packet *packet)
{
    struct datagram datagram = datagram_of(packet);
    struct entry *set = set_of(fragments, &datagram);
    for (unsigned way = 0; way < WAYS; way++) {
        if (!is_of(&set[way], &datagram) || !is_alive(&set[way], packet->now_ns))
            continue;
        packet->source_port = set[way].source_port;
        packet->target_port = set[way].target_port;
        packet->ip_protocol = set[way].protocol;
        packet->ports_known = true;
        return;
    }
}

void fragments_apply(struct fragments *fragments, struct packet *packet)
{
    if (packet->fragment == FRAGMENT_FIRST && packet->ports_known)
        remember(fragments, packet);
    else if (packet->fragment == FRAGMENT_LATER)
        recall(fragments, packet);
}
