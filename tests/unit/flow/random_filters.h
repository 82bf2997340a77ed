// Flows of all kinds and filters made at random, and what reading a filter word by word says of a flow.
#pragma once

#include "flow/community_id.h"
#include "flow/filter.h"
#include "flow/names.h"
#include "packets.h"

enum { MOST_VALUES = 4 };

struct dice {
    uint64_t state;
};

static inline uint32_t roll(struct dice *dice, uint32_t sides)
{
    dice->state = dice->state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(dice->state >> 33) % sides;
}

// Few values of everything, so that filters often meet flows.
static const uint16_t some_ports[] = {8, 53, 443, 8080, 40000};
static const char *const some_names[] = {"example.com",     "a.example.com", "badexample.com",
                                         "b.a.example.com", "org",           "www.org"};
static const uint8_t some_protocols[] = {IP_PROTOCOL_TCP, IP_PROTOCOL_UDP, IP_PROTOCOL_ICMP, IP_PROTOCOL_SCTP,
                                         IP_PROTOCOL_GRE};

static inline struct address some_address(struct dice *dice, bool v6)
{
    uint8_t last = (uint8_t)roll(dice, 6);
    return v6 ? host_v6(last) : host(last);
}

static inline struct packet some_packet(struct dice *dice, int64_t at_ns)
{
    bool v6 = roll(dice, 4) == 0;
    struct packet packet = ip_packet(some_protocols[roll(dice, 5)], 0, 0, at_ns);
    packet.source = some_address(dice, v6);
    packet.target = some_address(dice, v6);
    packet.has_transport = packet.ports_known = packet.ip_protocol != IP_PROTOCOL_GRE;
    packet.source_port = some_ports[roll(dice, 5)];
    packet.target_port = some_ports[roll(dice, 5)];
    packet.interface = (uint16_t)roll(dice, 4);
    packet.vlans = (uint8_t)roll(dice, 2);
    packet.vlan[0] = (uint16_t)(1 + roll(dice, 3));
    packet.clock_offset_ns = roll(dice, 5) == 0 ? NS_PER_S : 0;
    if (roll(dice, 5) == 0)
        packet.tunnel =
            (struct packet_tunnel){.kind = (uint8_t)(1 + roll(dice, TUNNEL_KINDS - 1)), .id = roll(dice, 3)};
    return packet;
}

static inline bool goes_on(const struct flow_table *table, uint32_t id)
{
    return (flow_at(&table->store, id)->marks & FLOW_MARK_ENDED) == 0;
}

// Some flow that has not ended.
static inline uint32_t some_flow(struct dice *dice, const struct flow_table *table)
{
    uint32_t id;
    do
        id = 1 + roll(dice, table->store.v4.slab.fresh);
    while (!goes_on(table, id));
    return id;
}

// Names, a second interface, many packets.
static inline void decorate(struct dice *dice, struct flow_table *table, struct flow *flow)
{
    if (roll(dice, 4) == 0) {
        struct tls_hello hello = {0};
        strcpy(hello.sni, some_names[roll(dice, 6)]);
        hello.sni_status = (uint8_t)(SNI_COMPLETE + roll(dice, 3));
        hello.version = (uint16_t)(1 + roll(dice, 3));
        hello.complete = true;
        flow_note_tls(table, flow, &hello);
    }
    if (roll(dice, 6) == 0) {
        struct flow_extra *extra = flow_need_extra(&table->store, flow);
        if (extra->observed < OBSERVED_INTERFACES)
            extra->observed_at[extra->observed++] = (uint16_t)roll(dice, 4);
    }
    if (roll(dice, 20) == 0)
        flow_need_extra(&table->store, flow)->packets_above[0] = 1;
}

static inline void converse(struct dice *dice, struct test_table *test, int64_t at_ns)
{
    struct packet packet = some_packet(dice, at_ns), answer = packet;
    answer.source = packet.target;
    answer.target = packet.source;
    answer.source_port = packet.target_port;
    answer.target_port = packet.source_port;
    bool tcp = packet.ip_protocol == IP_PROTOCOL_TCP;
    packet.tcp = (struct packet_tcp){.flags = TCP_SYN, .window = 1000, .sequence = 100};
    answer.tcp = (struct packet_tcp){
        .flags = TCP_SYN | TCP_ACK, .window = 1000, .sequence = 500, .acknowledgement = 101};
    struct flow *flow = feed(test, &packet).flow;
    uint32_t steps = roll(dice, 5);
    for (uint32_t step = 0; step < steps; step++) {
        struct packet *next = step % 2 == 0 ? &answer : &packet;
        set_time(next, at_ns + (step + 1) * (1 + roll(dice, 3)) * 10 * NS_PER_MS);
        set_payload(next, tcp && step < 2 ? 0 : roll(dice, 3) * 100);
        flow = feed(test, next).flow;
        next->tcp.flags = TCP_ACK;
        next->tcp.sequence += step < 2; // data comes again and again from there on: retransmissions
        next->tcp.acknowledgement = (next == &answer ? packet : answer).tcp.sequence + step % 2;
    }
    decorate(dice, &test->table, flow);
}

// A filter with what it borrows.
struct made {
    struct flow_filter filter;
    struct prefix networks[FILTER_ROLES][MOST_VALUES], named[MOST_VALUES];
    struct filter_ports ports[FILTER_ROLES][MOST_VALUES];
    uint32_t numbers[FILTER_FIELDS][MOST_VALUES];
    struct filter_name names[MOST_VALUES];
    char community[COMMUNITY_ID_TEXT_BYTES];
    const char *community_id;
};

static inline struct prefix some_prefix(struct dice *dice)
{
    bool v6 = roll(dice, 4) == 0;
    struct prefix prefix = {some_address(dice, v6), v6 ? 128 : 32};
    unsigned cut = roll(dice, 4); // host bits
    prefix.bits = (uint8_t)(prefix.bits - cut);
    prefix.address.bytes[v6 ? 15 : 3] &= (uint8_t)(0xff << cut);
    return prefix;
}

static inline unsigned some_prefixes(struct dice *dice, struct prefix prefixes[MOST_VALUES])
{
    unsigned count = 1 + roll(dice, MOST_VALUES);
    for (unsigned i = 0; i < count; i++)
        prefixes[i] = some_prefix(dice);
    return count;
}

static inline void make_end(struct dice *dice, struct made *made, int role)
{
    struct filter_end *end = &made->filter.end[role];
    if (roll(dice, 6) == 0)
        end->networks =
            (struct filter_prefixes){made->networks[role], some_prefixes(dice, made->networks[role])};
    if (roll(dice, 6) != 0)
        return;
    end->ports = made->ports[role];
    end->port_count = 1 + roll(dice, MOST_VALUES);
    for (unsigned i = 0; i < end->port_count; i++) {
        uint16_t first = some_ports[roll(dice, 5)];
        made->ports[role][i] = (struct filter_ports){first, (uint16_t)(first + roll(dice, 2) * 400)};
    }
}

static inline uint32_t some_value(struct dice *dice, int field)
{
    static const uint32_t sides[FILTER_FIELDS] = {
        [FILTER_TCP_STATE] = TCP_STATE_RESET + 1, [FILTER_INTERFACE] = 5,  [FILTER_VLAN] = 5,
        [FILTER_TUNNEL_KIND] = TUNNEL_KINDS,      [FILTER_TUNNEL_ID] = 4,  [FILTER_APP] = FLOW_APPS,
        [FILTER_CONN_STATE] = CONN_STATES,        [FILTER_SNI_STATUS] = 5, [FILTER_TLS_VERSION] = 5};
    return field == FILTER_PROTOCOL ? some_protocols[roll(dice, 5)] : roll(dice, sides[field]);
}

static inline void make_fields(struct dice *dice, struct made *made)
{
    for (int field = 0; field < FILTER_FIELDS; field++) {
        if (roll(dice, 5) != 0)
            continue;
        unsigned count = 1 + roll(dice, MOST_VALUES);
        for (unsigned i = 0; i < count; i++)
            made->numbers[field][i] = some_value(dice, field);
        made->filter.field[field] = (struct filter_numbers){made->numbers[field], count};
    }
}

static inline void make_figures(struct dice *dice, struct made *made)
{
    static const uint64_t scale[FILTER_FIGURES] = {100, 1, 10 * NS_PER_MS, 1, 10 * NS_PER_MS};
    for (int figure = 0; figure < FILTER_FIGURES; figure++) {
        uint64_t min = roll(dice, 4) * scale[figure];
        bool asks = roll(dice, 6) == 0;
        made->filter.figure[figure] = (struct filter_range){
            min, min + roll(dice, 5) * scale[figure], asks && roll(dice, 2) == 0, asks && roll(dice, 2) == 0};
    }
}

static inline void make_names(struct dice *dice, struct made *made)
{
    if (roll(dice, 5) != 0)
        return;
    made->filter.names = made->names;
    made->filter.name_count = 1 + roll(dice, MOST_VALUES);
    for (unsigned i = 0; i < made->filter.name_count; i++)
        made->names[i] = (struct filter_name){some_names[roll(dice, 6)], roll(dice, 2) == 0};
    if (roll(dice, 2) == 0)
        made->filter.named = (struct filter_prefixes){made->named, some_prefixes(dice, made->named)};
}

static inline void make_community_id(struct dice *dice, struct made *made, const struct flow_record *of)
{
    if (roll(dice, 12) != 0)
        return;
    bool icmp = of->protocol == IP_PROTOCOL_ICMP;
    if (icmp || !community_id(&of->endpoint[0], &of->endpoint[1], of->protocol, false, 0, made->community))
        return;
    made->community_id = made->community;
    made->filter.community_ids = &made->community_id;
    made->filter.community_id_count = 1;
}

static inline void make_filter(struct dice *dice, struct made *made, const struct flow_record *some)
{
    *made = (struct made){0};
    for (int role = 0; role < FILTER_ROLES; role++)
        make_end(dice, made, role);
    make_fields(dice, made);
    make_figures(dice, made);
    make_names(dice, made);
    make_community_id(dice, made, some);
}

// Word by word.

static inline bool plain_prefixes(const struct filter_prefixes *prefixes, const struct address *address)
{
    for (unsigned i = 0; i < prefixes->count; i++)
        if (prefix_contains(&prefixes->items[i], address))
            return true;
    return false;
}

static inline bool plain_end(const struct filter_end *end, const struct flow_record *record, int side)
{
    const struct endpoint *endpoint = &record->endpoint[side];
    bool ported = record->protocol == IP_PROTOCOL_TCP || record->protocol == IP_PROTOCOL_UDP ||
                  record->protocol == IP_PROTOCOL_SCTP;
    bool port = end->port_count == 0;
    for (unsigned i = 0; ported && i < end->port_count; i++)
        port = port || (endpoint->port >= end->ports[i].first && endpoint->port <= end->ports[i].last);
    return port && (end->networks.count == 0 || plain_prefixes(&end->networks, &endpoint->address));
}

static inline bool plain_ends(const struct flow_filter *filter, const struct flow_record *record)
{
    bool pair = false;
    for (int side = 0; side < 2; side++)
        pair = pair || (plain_end(&filter->end[FILTER_ONE_END], record, side) &&
                        plain_end(&filter->end[FILTER_OTHER_END], record, !side));
    return pair && plain_end(&filter->end[FILTER_CLIENT], record, record->client) &&
           plain_end(&filter->end[FILTER_SERVER], record, !record->client);
}

static inline bool has(const struct filter_numbers *numbers, uint32_t value)
{
    bool found = numbers->count == 0;
    for (unsigned i = 0; i < numbers->count; i++)
        found = found || numbers->items[i] == value;
    return found;
}

static inline bool plain_fields(const struct flow_filter *filter, const struct flow_record *record)
{
    const struct filter_numbers *field = filter->field;
    bool interface = has(&field[FILTER_INTERFACE], record->interface);
    for (unsigned i = 0; i < record->observed; i++)
        interface = interface || has(&field[FILTER_INTERFACE], record->observed_at[i]);
    bool tunnel = record->tunnel.kind != TUNNEL_NONE;
    return interface && has(&field[FILTER_PROTOCOL], record->protocol) &&
           has(&field[FILTER_TCP_STATE], record->tcp_state) &&
           (field[FILTER_VLAN].count == 0 || (record->has_vlan && has(&field[FILTER_VLAN], record->vlan))) &&
           has(&field[FILTER_TUNNEL_KIND], record->tunnel.kind) &&
           (field[FILTER_TUNNEL_ID].count == 0 ||
            (tunnel && has(&field[FILTER_TUNNEL_ID], record->tunnel.id))) &&
           has(&field[FILTER_APP], record->facts.app) && has(&field[FILTER_CONN_STATE], record->conn_state) &&
           has(&field[FILTER_SNI_STATUS], record->facts.sni_status) &&
           has(&field[FILTER_TLS_VERSION], record->facts.tls_version);
}

static inline bool plain_range(const struct filter_range *range, bool known, uint64_t value)
{
    if (!range->has_min && !range->has_max)
        return true;
    return known && (!range->has_min || value >= range->min) && (!range->has_max || value <= range->max);
}

static inline bool plain_figures(const struct flow_filter *filter, const struct flow_record *record)
{
    const struct filter_range *figure = filter->figure;
    bool tcp = record->protocol == IP_PROTOCOL_TCP && record->has_quality;
    return plain_range(&figure[FILTER_BYTES], true, record->bytes[0] + record->bytes[1]) &&
           plain_range(&figure[FILTER_PACKETS], true, record->packets[0] + record->packets[1]) &&
           plain_range(&figure[FILTER_DURATION_NS], true,
                       (uint64_t)(record->last_seen_ns - record->first_seen_ns)) &&
           plain_range(&figure[FILTER_RETRANSMISSIONS], tcp,
                       record->retransmissions[0] + record->retransmissions[1]) &&
           plain_range(&figure[FILTER_RTT_NS], record->rtt_far.samples > 0,
                       (uint64_t)record->rtt_far.ewma_ns);
}

static inline bool plain_name(const struct filter_name *name, const char *text)
{
    size_t length = strlen(text), own = strlen(name->text);
    if (length == own)
        return strcmp(text, name->text) == 0;
    return name->suffix && length > own && text[length - own - 1] == '.' &&
           strcmp(text + length - own, name->text) == 0;
}

static inline bool plain_names(const struct flow_filter *filter, const struct flow_record *record)
{
    bool found = filter->name_count == 0 || plain_prefixes(&filter->named, &record->endpoint[0].address) ||
                 plain_prefixes(&filter->named, &record->endpoint[1].address);
    for (unsigned i = 0; record->names != NULL && i < filter->name_count; i++)
        found = found || plain_name(&filter->names[i], record->names->text[FLOW_TEXT_SNI]);
    return found;
}

static inline bool plain_community(const struct flow_filter *filter, const struct flow_record *record)
{
    char text[COMMUNITY_ID_TEXT_BYTES];
    if (filter->community_id_count == 0)
        return true;
    community_id(&record->endpoint[0], &record->endpoint[1], record->protocol, false, 0, text);
    return record->protocol != IP_PROTOCOL_ICMP && strcmp(text, filter->community_ids[0]) == 0;
}

static inline bool plain_fits(const struct flow_filter *filter, const struct flow_record *record)
{
    return plain_ends(filter, record) && plain_fields(filter, record) && plain_figures(filter, record) &&
           plain_names(filter, record) && plain_community(filter, record);
}

// The lists of a selection: two that allow, or none, and one that denies, or none.
struct lists {
    struct made made[3];
    struct flow_filter allow[2];
    struct flow_filters filters;
};

static inline void make_lists(struct dice *dice, struct lists *lists, const struct flow_record *some)
{
    for (int i = 0; i < 3; i++)
        make_filter(dice, &lists->made[i], some);
    lists->allow[0] = lists->made[0].filter;
    lists->allow[1] = lists->made[1].filter;
    lists->filters =
        (struct flow_filters){lists->allow, &lists->made[2].filter, roll(dice, 3), roll(dice, 3) == 0, NULL};
}

static inline bool plain_selects(const struct flow_filters *filters, const struct flow_record *record)
{
    bool fits = filters->allow_count == 0;
    for (unsigned i = 0; i < filters->allow_count; i++)
        fits = fits || plain_fits(&filters->allow[i], record);
    for (unsigned i = 0; i < filters->deny_count; i++)
        fits = fits && !plain_fits(&filters->deny[i], record);
    return fits;
}
