#include "detect/heavy_sources.h"

#include <assert.h>

#include "detect/eight_words.h"

_Static_assert((int)HEAVY_SOURCES == (int)EIGHT_WORDS, "hashes are compared at once");

// The entry of that source, else a free one, else HEAVY_SOURCES.
static unsigned entry_of(const struct heavy_sources *sources, uint32_t hash)
{
    unsigned unused = eight_words_match(sources->packets, 0);
    unsigned own = eight_words_match(sources->hash, hash) & ~unused;
    unsigned entries = own != 0 ? own : unused;
    return entries != 0 ? (unsigned)__builtin_ctz(entries) : HEAVY_SOURCES;
}

// Takes as much from all of them as the least has, `most` at most; returns how much.
static uint32_t lower_all(struct heavy_sources *sources, uint32_t most)
{
    uint32_t less = most;
    for (unsigned i = 0; i < HEAVY_SOURCES; i++)
        if (sources->packets[i] < less)
            less = sources->packets[i];
    for (unsigned i = 0; i < HEAVY_SOURCES; i++)
        sources->packets[i] -= less;
    return less;
}

static void add_packets(struct heavy_sources *sources, unsigned entry, uint32_t packets)
{
    uint32_t sum = sources->packets[entry] + packets;
    sources->packets[entry] = sum >= packets ? sum : UINT32_MAX;
}

void heavy_sources_add(struct heavy_sources *sources, const struct address *address, uint32_t hash,
                       uint32_t packets)
{
    unsigned entry = entry_of(sources, hash);
    if (entry == HEAVY_SOURCES) {
        packets -= lower_all(sources, packets);
        if (packets == 0)
            return;
        entry = entry_of(sources, hash);
        assert(entry < HEAVY_SOURCES);
    }
    if (sources->packets[entry] == 0) {
        sources->hash[entry] = hash;
        sources->address[entry] = *address;
    }
    add_packets(sources, entry, packets);
}

// Puts a source into list[0..count), the heaviest first; returns the new count.
static unsigned put_in_order(struct heavy_source *list, unsigned count, const struct heavy_source *source)
{
    unsigned place = count;
    for (; place > 0; place--) {
        const struct heavy_source *before = &list[place - 1];
        if (before->packets > source->packets ||
            (before->packets == source->packets && before->hash < source->hash))
            break;
        list[place] = *before;
    }
    list[place] = *source;
    return count + 1;
}

static struct heavy_source entry_at(const struct heavy_sources *sources, unsigned entry)
{
    return (struct heavy_source){sources->address[entry], sources->hash[entry], sources->packets[entry]};
}

unsigned heavy_sources_list(const struct heavy_sources *sources, struct heavy_source out[HEAVY_SOURCES])
{
    unsigned count = 0;
    for (unsigned i = 0; i < HEAVY_SOURCES; i++) {
        struct heavy_source source = entry_at(sources, i);
        if (source.packets != 0)
            count = put_in_order(out, count, &source);
    }
    return count;
}

// Adds what `from` counted of sources that are in `into`, and lists the others of `from`.
static unsigned add_known(struct heavy_sources *into, const struct heavy_sources *from,
                          struct heavy_source others[HEAVY_SOURCES])
{
    unsigned count = 0;
    for (unsigned i = 0; i < HEAVY_SOURCES; i++) {
        if (from->packets[i] == 0)
            continue;
        unsigned entry = entry_of(into, from->hash[i]);
        if (entry < HEAVY_SOURCES && into->packets[entry] != 0)
            add_packets(into, entry, from->packets[i]);
        else
            others[count++] = entry_at(from, i);
    }
    return count;
}

void heavy_sources_merge(struct heavy_sources *into, const struct heavy_sources *from)
{
    struct heavy_source others[HEAVY_SOURCES], all[2 * HEAVY_SOURCES];
    unsigned other_count = add_known(into, from, others);
    if (other_count == 0)
        return;
    if (other_count == 1) { // the same, cheaper
        heavy_sources_add(into, &others[0].address, others[0].hash, others[0].packets);
        return;
    }
    unsigned count = heavy_sources_list(into, all);
    for (unsigned i = 0; i < other_count; i++)
        count = put_in_order(all, count, &others[i]);
    uint32_t less = count > HEAVY_SOURCES ? all[HEAVY_SOURCES].packets : 0;
    *into = (struct heavy_sources){0};
    for (unsigned i = 0; i < count && i < HEAVY_SOURCES && all[i].packets > less; i++) {
        into->hash[i] = all[i].hash;
        into->address[i] = all[i].address;
        into->packets[i] = all[i].packets - less;
    }
}
