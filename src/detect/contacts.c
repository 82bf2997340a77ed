// First contacts: from a look at a flow to evidence.
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "decode/packet.h"
#include "detect/evidence.h"
#include "detect/observe.h"
#include "detect/targets.h"
#include "flow/look.h"
#include "flow/record.h"
#include "flow/store.h"

static void side_of_key(const struct flow_key *key, unsigned side, struct address *address)
{
    address->version = key->ip_version;
    memcpy(address->bytes, key->addresses[side], sizeof address->bytes);
}

static bool is_one_host(const struct flow_key *key, unsigned side)
{
    struct address address;
    side_of_key(key, side, &address);
    return !address_is_multicast(&address) && !address_is_broadcast(&address);
}

// Whether the source itself shows that it was answered: it acknowledged something, or sent on. Where it reset as well,
// its ACK may be that of the reset.
static bool proves_answer(uint8_t flags)
{
    return (flags & TCP_ACK) != 0 && ((flags & TCP_RST) == 0 || (flags & (TCP_PSH | TCP_FIN)) != 0);
}

static enum contact_probe probe_of(uint8_t flags)
{
    if ((flags & TCP_SYN) != 0)
        return PROBE_SYN;
    if ((flags & TCP_ACK) != 0)
        return PROBE_ACK;
    if ((flags & TCP_FIN) != 0)
        return (flags & (TCP_PSH | TCP_URG)) != 0 ? PROBE_XMAS : PROBE_FIN;
    return PROBE_NULL;
}

enum verdict { VERDICT_NONE, VERDICT_ANSWERED, VERDICT_REFUSED, VERDICT_UNANSWERED };

// Whether all that a target said was no.
static bool is_refusal(uint8_t flags)
{
    return (flags & TCP_RST) != 0 && (flags & (TCP_SYN | TCP_FIN | TCP_PSH)) == 0;
}

// Of a connection that began with a SYN. A bare ACK proves nothing against a target that is seen to refuse. Who resets its own
// SYN may have been answered: half-open probes look so where answers are not captured.
static enum verdict judge_syn(const struct flow_look *look, uint8_t source, uint8_t target)
{
    bool went_on = (source & TCP_ACK) != 0 && (source & (TCP_PSH | TCP_FIN)) != 0;
    if (is_refusal(target) && !went_on)
        return VERDICT_REFUSED;
    if (target != 0 || (source & TCP_ACK) != 0)
        return VERDICT_ANSWERED;
    return look->waited && (source & TCP_RST) == 0 ? VERDICT_UNANSWERED : VERDICT_NONE;
}

// Of one whose beginning was not seen, or that nobody begins like this: FIN, NULL, XMAS and ACK probes are a lone segment
// or its repetition. A bare ACK is one only where it was refused: an old connection's last words look the same.
static enum verdict judge_midway(const struct flow_look *look, uint8_t source, uint8_t target)
{
    enum { REPETITIONS = 3 };
    if (source == TCP_RST)
        return VERDICT_NONE; // it refuses what it never asked for
    bool lone = look->packets[look->client] <= REPETITIONS && (source & TCP_SYN) == 0;
    bool refused = is_refusal(target);
    if (lone && (source & (TCP_ACK | TCP_RST)) == 0) {
        if (target == 0)
            return look->waited ? VERDICT_UNANSWERED : VERDICT_NONE;
        return refused ? VERDICT_REFUSED : VERDICT_ANSWERED;
    }
    if (lone && source == TCP_ACK && refused && look->packets[!look->client] <= REPETITIONS)
        return VERDICT_REFUSED;
    return target != 0 || proves_answer(source) ? VERDICT_ANSWERED : VERDICT_NONE;
}

// Who opened a connection of which the beginning was not seen: the side with the port that clients get.
static uint8_t client_midway(const struct flow_look *look)
{
    enum { EPHEMERAL_PORTS = 32768 };
    const uint16_t *ports = look->key.ports;
    if (look->client_from != CLIENT_FIRST_PACKET ||
        (ports[0] >= EPHEMERAL_PORTS) == (ports[1] >= EPHEMERAL_PORTS))
        return look->client;
    return ports[1] >= EPHEMERAL_PORTS;
}

static enum verdict judge_tcp(const struct flow_look *look, struct contact *contact, uint8_t *client)
{
    uint8_t source = look->tcp_flags[look->client], target = look->tcp_flags[!look->client];
    contact->probe = (uint8_t)probe_of(source);
    if (look->client_from == CLIENT_SYN)
        return judge_syn(look, source, target);
    enum verdict verdict = judge_midway(look, source, target);
    if (verdict == VERDICT_ANSWERED)
        *client = client_midway(look);
    return verdict;
}

static enum verdict judge_datagrams(const struct flow_look *look)
{
    if (look->packets[!look->client] != 0)
        return VERDICT_ANSWERED;
    return look->waited ? VERDICT_UNANSWERED : VERDICT_NONE;
}

// Fragments of which the first one was not seen have no ports: nobody knows whose door they are for. What comes from the
// port of a service that answers many, and is not answered, is an answer itself.
static enum verdict judge_udp(const struct flow_look *look, struct contact *contact)
{
    const uint16_t *ports = look->key.ports;
    contact->probe = PROBE_UDP;
    if ((ports[0] | ports[1]) == 0)
        return VERDICT_NONE;
    enum verdict verdict = judge_datagrams(look);
    bool is_answer = is_amplifier_port(ports[look->client]) && !is_amplifier_port(ports[!look->client]);
    return verdict == VERDICT_UNANSWERED && is_answer ? VERDICT_NONE : verdict;
}

// Ports of a key: type, and the type that answers it.
static enum verdict judge_echo(const struct flow_look *look, struct contact *contact)
{
    enum { ECHO_REQUEST = 8, ECHO_REQUEST_V6 = 128 };
    uint16_t type = look->key.ports[look->client];
    if (type != (look->key.ip_version == 4 ? ECHO_REQUEST : ECHO_REQUEST_V6))
        return VERDICT_NONE;
    contact->probe = PROBE_PING;
    return judge_datagrams(look);
}

static enum verdict judge_contact(const struct flow_look *look, struct contact *contact, uint8_t *client)
{
    if (look->packets[look->client] == 0)
        return VERDICT_NONE; // only answers were seen: to what was not, or to nothing
    switch (look->key.protocol) {
    case IP_PROTOCOL_TCP:
        return look->tcp_state != TCP_STATE_NONE ? judge_tcp(look, contact, client) : VERDICT_NONE;
    case IP_PROTOCOL_UDP:
        return judge_udp(look, contact);
    case IP_PROTOCOL_ICMP:
    case IP_PROTOCOL_ICMPV6:
        return judge_echo(look, contact);
    default:
        return VERDICT_NONE;
    }
}

// Whether a side has sent datagrams that carry something: those that do not are as long as their headers, or padded to the
// least length of a frame.
static bool has_datagrams(const struct flow_look *look, unsigned side)
{
    enum { EMPTY_V4 = 42, EMPTY_V6 = 62, LEAST_FRAME = 60, LEAST_TAGGED = 64 };
    uint64_t bytes = look->bytes[side], packets = look->packets[side];
    return bytes > packets * (look->key.ip_version == 4 ? EMPTY_V4 : EMPTY_V6) &&
           bytes != packets * LEAST_FRAME && bytes != packets * LEAST_TAGGED;
}

// Whether answers are seen at all is told by flows that carry something: probes of most scanners are empty (XMAS has a
// PSH, but no ACK), and a scan must not look like a capture of one direction.
static bool has_payload(const struct flow_look *look)
{
    enum { DATA = TCP_PSH | TCP_ACK };
    if (look->key.protocol == IP_PROTOCOL_UDP)
        return has_datagrams(look, 0) || has_datagrams(look, 1);
    return look->key.protocol == IP_PROTOCOL_TCP &&
           ((look->tcp_flags[0] & DATA) == DATA || (look->tcp_flags[1] & DATA) == DATA);
}

static void count_directions(struct evidence *evidence, const struct flow_look *look)
{
    bool payload = has_payload(look);
    bool one_host = is_one_host(&look->key, 0) && is_one_host(&look->key, 1);
    struct seen_ways *ways = &evidence->ways[look->key.protocol == IP_PROTOCOL_UDP ? WAY_UDP : WAY_TCP];
    ways->with_payload += payload && one_host;
    ways->two_way += payload && one_host && look->packets[0] != 0 && look->packets[1] != 0;
}

// The place for one more; NULL = there is none.
static struct contact *place_contact(struct contact_list *list, unsigned partition)
{
    assert(partition < FLOW_PARTITIONS);
    if (list->counts[partition] == CONTACTS_MAXIMUM)
        return NULL;
    if (list->count == list->room) {
        unsigned room = list->room != 0 ? list->room * 2 : 64;
        struct contact *items = realloc(list->items, room * sizeof *items);
        if (items == NULL)
            return NULL;
        list->items = items;
        list->room = room;
    }
    return &list->items[list->count];
}

static void keep(struct evidence *evidence, const struct flow_look *look, uint8_t client,
                 struct contact *contact)
{
    struct contact *place = place_contact(&evidence->contacts, look->partition);
    if (place == NULL) {
        evidence->refused++;
        return;
    }
    for (unsigned side = 0; side < 2; side++) {
        unsigned of_key = side == 0 ? client : !client;
        memcpy(contact->addresses[side], look->key.addresses[of_key], sizeof contact->addresses[side]);
        contact->ports[side] = look->key.ports[of_key];
    }
    contact->began_ns = look->began_ns;
    contact->first_seen_ns = look->first_seen_ns;
    contact->tunnel_id = look->tunnel_id;
    contact->tunnel_kind = look->tunnel_kind;
    contact->ip_version = look->key.ip_version;
    contact->protocol = look->key.protocol;
    contact->interface = look->interface;
    contact->partition = look->partition;
    *place = *contact;
    evidence->contacts.count++;
    evidence->contacts.counts[look->partition]++;
}

void observe_look(struct evidence *evidence, const struct flow_look *look)
{
    static const uint8_t outcomes[] = {
        [VERDICT_ANSWERED] = CONTACT_ANSWERED,
        [VERDICT_REFUSED] = CONTACT_REFUSED,
        [VERDICT_UNANSWERED] = CONTACT_UNANSWERED,
    };
    assert(look->client < 2);
    count_directions(evidence, look);
    uint8_t client = look->client;
    struct contact contact = {0};
    enum verdict verdict = judge_contact(look, &contact, &client);
    if (verdict == VERDICT_NONE || !is_one_host(&look->key, !client))
        return;
    contact.outcome = outcomes[verdict];
    keep(evidence, look, client, &contact);
}

void evidence_done(struct evidence *evidence)
{
    free(evidence->contacts.items);
    for (unsigned kind = 0; kind < TARGET_KINDS; kind++)
        target_table_destroy(evidence->targets[kind]);
    *evidence = (struct evidence){0};
}

static void reset_contacts(struct contact_list *list)
{
    if (evidence_is_excess(list->room, list->count)) {
        free(list->items);
        *list = (struct contact_list){0};
    } else if (list->count != 0) {
        list->count = 0;
        memset(list->counts, 0, sizeof list->counts);
    }
}

void evidence_reset(struct evidence *evidence)
{
    reset_contacts(&evidence->contacts);
    for (unsigned kind = 0; kind < TARGET_KINDS; kind++)
        target_table_reset(evidence->targets[kind]);
    memset(evidence->ways, 0, sizeof evidence->ways);
    evidence->refused = 0;
}
