#include "detect/visitors.h"

#include <string.h>

void visitors_empty(struct target_visitors *visitors)
{
    visitors->sample_count = 0;
    visitors->sources.count = 0;
    visitors->sources.more = false;
    memset(visitors->heaviest.packets, 0, sizeof visitors->heaviest.packets);
}

static bool same_flow(const struct target_sample *left, const struct target_sample *right)
{
    const struct alert_sample *one = &left->flow, *other = &right->flow;
    return one->client.port == other->client.port && one->server.port == other->server.port &&
           address_compare(&one->client.address, &other->client.address) == 0 &&
           address_compare(&one->server.address, &other->server.address) == 0;
}

// Keeps the smallest, one of a flow.
static void add_sample(struct target_visitors *visitors, const struct target_sample *sample)
{
    unsigned place = visitors->sample_count;
    while (place > 0 && target_sample_compare(sample, &visitors->samples[place - 1]) < 0)
        place--;
    for (unsigned i = 0; i < place; i++)
        if (same_flow(&visitors->samples[i], sample))
            return;
    unsigned last = place; // that is overwritten: a later packet of the flow, or the end
    while (last < visitors->sample_count && !same_flow(&visitors->samples[last], sample))
        last++;
    if (last == VISITOR_SAMPLES)
        last--;
    if (place > last)
        return;
    if (last == visitors->sample_count)
        visitors->sample_count++;
    struct target_sample *at = &visitors->samples[place];
    memmove(at + 1, at, (last - place) * sizeof *at);
    *at = *sample;
}

void visitors_add(struct target_visitors *visitors, const struct target_table *table,
                  const struct target_row *row)
{
    target_row_sources(table, row, &visitors->sources, &visitors->heaviest);
    for (unsigned i = 0; i < row->sample_count; i++)
        add_sample(visitors, &row->samples[i]);
}

void visitors_merge(struct target_visitors *into, const struct target_visitors *from)
{
    distinct_sources_merge(&into->sources, &from->sources);
    heavy_sources_merge(&into->heaviest, &from->heaviest);
    for (unsigned i = 0; i < from->sample_count; i++)
        add_sample(into, &from->samples[i]);
}
