#include "decode/fragments.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/time.h"
#include "decode/datagram.h"

enum { WAYS = 4, CAPACITY_MAXIMUM = 1 << 20, BEGINNING_BYTES = 8 };

#define LIFETIME_NS (30 * NS_PER_S)
#define LOOK_NS     NS_PER_S          // between two looks at all entries, which cost what a cache holds
#define COPIES_NS   (500 * NS_PER_MS) // so long parts of a datagram that was whole are copies

// Packets that wait, by number + 1; 0 = none.
struct waiting_list {
    uint32_t first, last;
};

struct entry {
    struct datagram datagram;
    int64_t seen_ns; // of its fragment that came first
    int64_t last_ns; // and of the one that came last
    uint32_t ticket; // 0 = it is not put together
    struct waiting_list waiting;
    uint16_t source_port, target_port;
    uint8_t protocol;
    bool used;
    bool begun; // its first part was seen: what is told of it above is known
    bool has_ports;
    bool told;                          // it was whole
    uint8_t beginning[BEGINNING_BYTES]; // of its first part
};

struct waiting {
    struct packet packet;
    uint32_t next;
};

struct fragments {
    uint64_t hash_seed;
    unsigned capacity; // of entries, and of packets that wait: a power of two
    struct reassembly *reassembly;
    struct waiting *waiting;
    uint32_t free;                // first of those
    struct waiting_list released; // whose wait is over
    unsigned count;               // that wait
    int64_t oldest_ns;            // no entry that is waited for is older
    int64_t looked_ns;            // when all entries were last looked at
    uint32_t complete;            // ticket of the datagram that fragments_apply() found whole
    struct entry entries[];
};

static unsigned entries_for(unsigned capacity)
{
    unsigned entries = WAYS;
    while (entries < capacity && entries < CAPACITY_MAXIMUM)
        entries *= 2;
    return entries;
}

static size_t table_bytes(unsigned entries)
{
    return sizeof(struct fragments) + entries * sizeof(struct entry);
}

static unsigned places_for(unsigned entries)
{
    unsigned places = entries / FRAGMENTS_A_PLACE;
    return places > FRAGMENTS_PLACES_LEAST ? places : FRAGMENTS_PLACES_LEAST;
}

struct fragments *fragments_create(unsigned capacity, uint64_t hash_seed)
{
    assert(capacity > 0);
    unsigned entries = entries_for(capacity);
    struct fragments *fragments = calloc(1, table_bytes(entries));
    if (fragments == NULL)
        return NULL;
    fragments->hash_seed = hash_seed;
    fragments->capacity = entries;
    fragments->reassembly = reassembly_create(places_for(entries));
    fragments->waiting = calloc(entries, sizeof *fragments->waiting);
    if (fragments->reassembly != NULL && fragments->waiting != NULL)
        return fragments;
    fragments_destroy(fragments);
    return NULL;
}

void fragments_destroy(struct fragments *fragments)
{
    if (fragments == NULL)
        return;
    reassembly_destroy(fragments->reassembly);
    free(fragments->waiting);
    free(fragments);
}

size_t fragments_bytes(unsigned capacity)
{
    unsigned entries = entries_for(capacity);
    return table_bytes(entries) + entries * sizeof(struct waiting) + reassembly_bytes(places_for(entries));
}

// Packets that wait. Numbers that were never used follow each other behind those that were.

static struct waiting *waiting_at(const struct fragments *fragments, uint32_t number)
{
    assert(number > 0 && number <= fragments->capacity);
    return &fragments->waiting[number - 1];
}

static void append(const struct fragments *fragments, struct waiting_list *to, struct waiting_list list)
{
    if (list.first == 0)
        return;
    if (to->first == 0)
        to->first = list.first;
    else
        waiting_at(fragments, to->last)->next = list.first;
    to->last = list.last;
}

// The place of one more; 0 = there is none.
static uint32_t take_free(struct fragments *fragments)
{
    uint32_t number = fragments->free;
    if (number != 0)
        fragments->free = waiting_at(fragments, number)->next;
    else if (fragments->count < fragments->capacity)
        number = fragments->count + 1;
    return number;
}

// Without its bytes: they go with their chunk.
static bool wait_for_first(struct fragments *fragments, struct entry *entry, const struct packet *packet)
{
    uint32_t number = take_free(fragments);
    if (number == 0)
        return false;
    if (fragments->count++ == 0 || entry->seen_ns < fragments->oldest_ns)
        fragments->oldest_ns = entry->seen_ns;
    struct waiting *waiting = waiting_at(fragments, number);
    *waiting = (struct waiting){.packet = *packet};
    waiting->packet.bytes = NULL;
    waiting->packet.payload_captured = waiting->packet.payload_offset = 0;
    append(fragments, &entry->waiting, (struct waiting_list){number, number});
    return true;
}

static void give_ports(const struct entry *entry, struct packet *packet)
{
    if (!entry->begun)
        return;
    packet->ip_protocol = entry->protocol;
    packet->ports_known = entry->has_ports;
    packet->source_port = entry->source_port;
    packet->target_port = entry->target_port;
}

static void release(struct fragments *fragments, struct entry *entry)
{
    for (uint32_t number = entry->waiting.first; number != 0; number = waiting_at(fragments, number)->next)
        give_ports(entry, &waiting_at(fragments, number)->packet);
    append(fragments, &fragments->released, entry->waiting);
    entry->waiting = (struct waiting_list){0};
}

// Two lists, each in the order of arrival, become one.
static uint32_t merge(const struct fragments *fragments, uint32_t left, uint32_t right)
{
    uint32_t first = 0, *end = &first;
    while (left != 0 && right != 0) {
        bool is_left =
            waiting_at(fragments, left)->packet.number <= waiting_at(fragments, right)->packet.number;
        uint32_t *earlier = is_left ? &left : &right;
        *end = *earlier;
        end = &waiting_at(fragments, *end)->next;
        *earlier = *end;
    }
    *end = left != 0 ? left : right;
    return first;
}

// What is released of many datagrams at once goes on as it came, wherever they lay. Lists of 1, 2, 4... packets are merged
// as soon as there are two of a length.
static void sort_released(struct fragments *fragments)
{
    enum { LENGTHS = 32 };
    uint32_t lists[LENGTHS] = {0}, sorted = 0;
    for (uint32_t number = fragments->released.first, next; number != 0; number = next) {
        struct waiting *waiting = waiting_at(fragments, number);
        next = waiting->next;
        waiting->next = 0;
        unsigned length = 0;
        for (; lists[length] != 0; lists[length++] = 0)
            number = merge(fragments, lists[length], number);
        lists[length] = number;
    }
    for (unsigned length = 0; length < LENGTHS; length++)
        sorted = merge(fragments, lists[length], sorted);
    fragments->released.first = sorted;
    for (uint32_t number = sorted; number != 0; number = waiting_at(fragments, number)->next)
        fragments->released.last = number;
}

bool fragments_next(struct fragments *fragments, struct packet *out)
{
    uint32_t number = fragments->released.first;
    if (number == 0)
        return false;
    struct waiting *waiting = waiting_at(fragments, number);
    fragments->released.first = waiting->next;
    *out = waiting->packet;
    waiting->next = fragments->free;
    fragments->free = number;
    assert(fragments->count > 0);
    if (--fragments->count == 0) // all are free: they follow each other anew
        fragments->free = 0;
    return true;
}

unsigned fragments_waiting(const struct fragments *fragments)
{
    return fragments->count;
}

uint64_t fragments_given_up(const struct fragments *fragments)
{
    return reassembly_given_up(fragments->reassembly);
}

// Datagrams.

static struct entry *set_of(struct fragments *fragments, const struct datagram *datagram)
{
    unsigned sets = fragments->capacity / WAYS;
    assert(sets > 0 && (sets & (sets - 1)) == 0);
    uint64_t hash = hash_bytes(datagram, sizeof *datagram, fragments->hash_seed);
    return &fragments->entries[(hash & (sets - 1)) * WAYS];
}

static bool is_over(const struct entry *entry, int64_t now_ns)
{
    return now_ns - entry->seen_ns > LIFETIME_NS;
}

static bool is_of(const struct entry *entry, const struct datagram *datagram)
{
    return entry->used && memcmp(&entry->datagram, datagram, sizeof *datagram) == 0;
}

// The entry of the same datagram, else an unused one, else the oldest.
static struct entry *best_entry(struct entry *set, const struct datagram *datagram)
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

// What the datagram begins with: ports, and the checksum or the sequence number.
static bool begins_alike(const struct entry *entry, const struct packet *packet)
{
    return packet->captured - packet->fragment_at >= BEGINNING_BYTES &&
           memcmp(entry->beginning, packet->bytes + packet->fragment_at, BEGINNING_BYTES) == 0;
}

// The number is used again. While parts of one that was begun are put together, none is of another; when that is
// over, a copy of a part comes soon, and of the first one it begins alike.
static bool is_another(const struct fragments *fragments, const struct entry *entry,
                       const struct packet *packet)
{
    if (is_over(entry, packet->now_ns))
        return true;
    if (!entry->begun || reassembly_is_valid(fragments->reassembly, entry->ticket))
        return false;
    bool late = packet->now_ns - entry->last_ns >= COPIES_NS;
    if (packet->fragment == FRAGMENT_FIRST)
        return late || !entry->told || !begins_alike(entry, packet);
    return late && entry->ticket != 0;
}

static struct entry *entry_for(struct fragments *fragments, const struct packet *packet)
{
    struct datagram datagram = datagram_of(packet);
    struct entry *entry = best_entry(set_of(fragments, &datagram), &datagram);
    if (!is_of(entry, &datagram) || is_another(fragments, entry, packet)) {
        release(fragments, entry);
        *entry = (struct entry){.datagram = datagram, .seen_ns = packet->now_ns, .used = true};
    }
    entry->last_ns = packet->now_ns;
    return entry;
}

// The first part came.
static void begin(struct fragments *fragments, struct entry *entry, const struct packet *packet)
{
    entry->begun = true;
    entry->has_ports = packet->ports_known;
    entry->source_port = packet->source_port;
    entry->target_port = packet->target_port;
    entry->protocol = packet->ip_protocol;
    if (packet->captured - packet->fragment_at >= BEGINNING_BYTES)
        memcpy(entry->beginning, packet->bytes + packet->fragment_at, BEGINNING_BYTES);
    release(fragments, entry);
}

// Whether its part of the datagram is not all at hand. What the transport lacks may be in another part.
static bool is_cut(const struct packet *packet)
{
    bool failed = packet->error_reason != DECODE_OK && packet->error_layer != DECODE_LAYER_TRANSPORT;
    return failed || packet->payload_captured < packet->payload_length;
}

// Whether it completes its datagram.
static bool put_together(struct fragments *fragments, struct entry *entry, const struct packet *packet)
{
    bool cut = is_cut(packet);
    if (entry->ticket == 0 && !cut)
        entry->ticket = reassembly_begin(fragments->reassembly);
    if (cut || !reassembly_add(fragments->reassembly, entry->ticket, packet))
        return false;
    fragments->complete = entry->ticket;
    entry->told = true;
    return true;
}

// The datagram that was found whole, when nobody took it.
static void give_up_complete(struct fragments *fragments)
{
    if (fragments->complete != 0)
        reassembly_give_up(fragments->reassembly, fragments->complete);
    fragments->complete = 0;
}

// The datagram tells it, and its errors, when it is whole. That a part ends within a header is none.
static void leave_transport(struct packet *packet)
{
    packet->has_transport = false;
    if (packet->error_layer != DECODE_LAYER_TRANSPORT)
        return;
    packet->error_layer = DECODE_LAYER_NONE;
    packet->error_reason = DECODE_OK;
}

enum fragment_outcome fragments_apply(struct fragments *fragments, struct packet *packet)
{
    if (packet->fragment != FRAGMENT_FIRST && packet->fragment != FRAGMENT_LATER)
        return FRAGMENT_GOES_ON;
    assert(packet->source.version != 0);
    give_up_complete(fragments);
    struct entry *entry = entry_for(fragments, packet);
    bool first = packet->fragment == FRAGMENT_FIRST;
    bool complete = put_together(fragments, entry, packet);
    if (first)
        begin(fragments, entry, packet);
    else
        give_ports(entry, packet);
    if (complete)
        return FRAGMENT_COMPLETES;
    if (first && (entry->told || reassembly_is_valid(fragments->reassembly, entry->ticket)))
        leave_transport(packet);
    if (entry->begun)
        return FRAGMENT_GOES_ON;
    return wait_for_first(fragments, entry, packet) ? FRAGMENT_WAITS : FRAGMENT_GOES_ON;
}

size_t fragments_finish(struct fragments *fragments, const struct decode_options *options,
                        uint8_t into[REASSEMBLY_WHOLE_BYTES], struct packet *packet)
{
    assert(fragments->complete != 0);
    uint32_t ticket = fragments->complete;
    fragments->complete = 0;
    return reassembly_finish(fragments->reassembly, ticket, options, into, packet);
}

static void release_older(struct fragments *fragments, int64_t now_ns, bool all)
{
    int64_t oldest_ns = INT64_MAX;
    for (unsigned i = 0; i < fragments->capacity; i++) {
        struct entry *entry = &fragments->entries[i];
        if (entry->waiting.first == 0)
            continue;
        if (all || is_over(entry, now_ns))
            release(fragments, entry);
        else if (entry->seen_ns < oldest_ns)
            oldest_ns = entry->seen_ns;
    }
    sort_released(fragments);
    fragments->oldest_ns = oldest_ns;
    fragments->looked_ns = now_ns;
}

void fragments_expire(struct fragments *fragments, int64_t now_ns)
{
    bool due = fragments->count != 0 && now_ns - fragments->oldest_ns > LIFETIME_NS;
    if (due && now_ns - fragments->looked_ns >= LOOK_NS)
        release_older(fragments, now_ns, false);
}

void fragments_release_all(struct fragments *fragments)
{
    if (fragments->count != 0)
        release_older(fragments, 0, true);
    reassembly_give_up_all(fragments->reassembly);
    fragments->complete = 0;
}
