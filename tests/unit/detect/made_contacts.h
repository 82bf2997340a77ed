// Contacts for the tests of detectors that judge by first contacts: made ones, in the partition that their number says.
#pragma once

#include <stdlib.h>

#include "made_evidence.h"

// Who knocks at which door, and what came of it.
struct knock {
    struct address source, target;
    uint16_t port;
    enum contact_outcome outcome;
    enum contact_probe probe; // of TCP unless it is another one's
    int64_t at_ns;
};

static inline uint8_t protocol_of(const struct knock *knock)
{
    if (knock->probe == PROBE_PING)
        return knock->source.version == 4 ? IP_PROTOCOL_ICMP : IP_PROTOCOL_ICMPV6;
    return knock->probe == PROBE_UDP ? IP_PROTOCOL_UDP : IP_PROTOCOL_TCP;
}

static inline void add_contact(struct evidence *evidence, unsigned partition, const struct knock *knock)
{
    struct contact_list *list = &evidence->contacts;
    if (list->count == list->room) {
        list->room = list->room * 2 + 8;
        list->items = realloc(list->items, list->room * sizeof *list->items);
        cr_assert_not_null(list->items);
    }
    struct contact *contact = &list->items[list->count++];
    list->counts[partition]++;
    *contact = (struct contact){
        .began_ns = TEST_START_NS + knock->at_ns,
        .first_seen_ns = TEST_START_NS + knock->at_ns,
        .ports = {40000, knock->port},
        .interface = 3,
        .ip_version = knock->source.version,
        .protocol = protocol_of(knock),
        .outcome = (uint8_t)knock->outcome,
        .probe = (uint8_t)knock->probe,
        .partition = (uint8_t)partition,
    };
    memcpy(contact->addresses[0], knock->source.bytes, sizeof contact->addresses[0]);
    memcpy(contact->addresses[1], knock->target.bytes, sizeof contact->addresses[1]);
}

static inline void add_knock(struct judging *judging, const struct knock *knock)
{
    unsigned partition = (unsigned)(judging->packets++ * 7 % MADE_PARTITIONS);
    add_contact(&judging->evidence.all, partition, knock);
}

// The tick that ends then; how many alerts were told in it.
static inline unsigned judge_contacts_at(struct judging *judging, int64_t at_ns)
{
    return judge_tick_at(judging, at_ns);
}

static inline void scanning_destroy(struct judging *judging)
{
    judging_destroy(judging);
}

static inline struct address inside(void)
{
    return host(77);
}

static inline struct address outside(void)
{
    return address_v4((const uint8_t[4]){203, 0, 113, 5});
}
