// Packets go through a flow table, whose looks are observed as a shard does.
#include <stdlib.h>

#include "detect/evidence.h"
#include "packets.h"

enum { SYN = TCP_SYN, ACK = TCP_ACK, RST = TCP_RST, FIN = TCP_FIN, PSH = TCP_PSH, URG = TCP_URG };
enum {
    SYN_ACK = SYN | ACK,
    RST_ACK = RST | ACK,
    FIN_ACK = FIN | ACK,
    DATA = PSH | ACK,
    XMAS = FIN | PSH | URG
};

struct observing {
    struct test_table test;
    struct evidence evidence; // as if of one partition
};

static void gather(void *owner, const struct flow_look *look)
{
    struct flow_look in_one = *look;
    in_one.partition = 0;
    observe_look(owner, &in_one);
}

static struct observing *observing_create(void)
{
    struct observing *observing = calloc(1, sizeof *observing);
    cr_assert_not_null(observing);
    struct flow_policy policy = test_policy();
    policy.look_ns = 2 * NS_PER_S;
    test_table_init(&observing->test, policy);
    observing->test.table.on_look = gather;
    observing->test.table.on_look_owner = &observing->evidence;
    return observing;
}

static void observing_destroy(struct observing *observing)
{
    flow_table_done(&observing->test.table);
    evidence_done(&observing->evidence);
    free(observing);
}

// When the wait of all that was fed is over.
static void wait_for_all(struct observing *observing)
{
    flow_table_tick(&observing->test.table, TEST_START_NS + 3 * NS_PER_S, false);
}

// A connection between 10.0.0.1:near and 10.0.0.2:far: what near sends, and what far sends (`back`).
enum { NONE = -1, STEPS = 5 };

struct connection {
    const char *what;
    uint16_t near, far;
    struct {
        bool back;
        int flags; // + 1; 0 = no packet
    } steps[STEPS];
    int outcome; // NONE = no contact
    enum contact_probe probe;
    bool from_far; // the source is the far side
};

#define SENT(flags)                                                                                          \
    {                                                                                                        \
        false, (flags) + 1                                                                                   \
    }
#define BACK(flags)                                                                                          \
    {                                                                                                        \
        true, (flags) + 1                                                                                    \
    }

static void feed_steps(struct observing *observing, const struct connection *connection)
{
    for (int i = 0; i < STEPS && connection->steps[i].flags != 0; i++) {
        uint8_t flags = (uint8_t)(connection->steps[i].flags - 1);
        struct packet packet = connection->steps[i].back
                                   ? tcp_packet(2, connection->far, 1, connection->near, flags, i)
                                   : tcp_packet(1, connection->near, 2, connection->far, flags, i);
        feed(&observing->test, &packet);
    }
}

static void expect_outcome(const struct connection *connection)
{
    struct observing *observing = observing_create();
    feed_steps(observing, connection);
    wait_for_all(observing);
    const struct contact_list *contacts = &observing->evidence.contacts;
    cr_expect_eq(contacts->count, connection->outcome != NONE, "%s: %u contacts", connection->what,
                 contacts->count);
    if (contacts->count == 1 && connection->outcome != NONE) {
        const struct contact *contact = &contacts->items[0];
        unsigned from = connection->from_far;
        cr_expect_eq(contact->outcome, connection->outcome, "%s: outcome %u", connection->what,
                     contact->outcome);
        cr_expect_eq(contact->probe, connection->probe, "%s: probe %u", connection->what, contact->probe);
        cr_expect_eq(contact->ports[from], connection->near, "%s", connection->what);
        cr_expect_eq(contact->ports[!from], connection->far, "%s", connection->what);
        cr_expect_eq(contact->addresses[from][3], 1, "%s", connection->what);
        cr_expect_eq(contact->began_ns, TEST_START_NS);
        cr_expect_eq(contact->first_seen_ns, TEST_START_NS);
    }
    observing_destroy(observing);
}

static void expect_outcomes(const struct connection *connections, size_t count)
{
    for (size_t i = 0; i < count; i++)
        expect_outcome(&connections[i]);
}

#define EXPECT_OUTCOMES(connections)                                                                         \
    expect_outcomes(connections, sizeof(connections) / sizeof(connections)[0])

Test(contacts, of_connections_that_begin_with_a_syn)
{
    static const struct connection connections[] = {
        // clang-format off
        {"answered", 40000, 443, {SENT(SYN), BACK(SYN_ACK)}, CONTACT_ANSWERED, PROBE_SYN, false},
        {"reset after the answer", 40000, 443, {SENT(SYN), BACK(SYN_ACK), SENT(RST)}, CONTACT_ANSWERED, PROBE_SYN, false},
        {"refused", 40000, 443, {SENT(SYN), BACK(RST_ACK)}, CONTACT_REFUSED, PROBE_SYN, false},
        {"refused again", 40000, 443, {SENT(SYN), BACK(RST_ACK), SENT(SYN), BACK(RST_ACK)}, CONTACT_REFUSED, PROBE_SYN, false},
        {"refused, whatever it acknowledges", 40000, 443, {SENT(SYN), SENT(ACK), BACK(RST_ACK)}, CONTACT_REFUSED, PROBE_SYN, false},
        {"unanswered", 40000, 443, {SENT(SYN), SENT(SYN)}, CONTACT_UNANSWERED, PROBE_SYN, false},
        {"its own RST is no answer", 40000, 443, {SENT(SYN), SENT(RST)}, NONE, PROBE_SYN, false},
        {"its own RST-ACK acknowledges one", 40000, 443, {SENT(SYN), SENT(RST_ACK)}, CONTACT_ANSWERED, PROBE_SYN, false},
        {"opened and reset", 40000, 443, {SENT(SYN), SENT(ACK), SENT(RST_ACK)}, CONTACT_ANSWERED, PROBE_SYN, false},
        {"answered after its own RST", 40000, 443, {SENT(SYN), SENT(RST), BACK(SYN_ACK)}, CONTACT_ANSWERED, PROBE_SYN, false},
        {"refused after its own RST", 40000, 443, {SENT(SYN), SENT(RST), BACK(RST_ACK)}, CONTACT_REFUSED, PROBE_SYN, false},
        {"closed in order", 40000, 443, {SENT(SYN), BACK(SYN_ACK), SENT(FIN_ACK), BACK(FIN_ACK)}, CONTACT_ANSWERED, PROBE_SYN, false},
        {"reset after data", 40000, 443, {SENT(SYN), BACK(SYN_ACK), SENT(DATA), BACK(RST)}, CONTACT_ANSWERED, PROBE_SYN, false},
        {"SYN and FIN refused", 40000, 443, {SENT(SYN | FIN), BACK(RST_ACK)}, CONTACT_REFUSED, PROBE_SYN, false},
        {"SYN and FIN", 40000, 443, {SENT(SYN | FIN)}, CONTACT_UNANSWERED, PROBE_SYN, false},
        // clang-format on
    };
    EXPECT_OUTCOMES(connections);
}

// One direction: of what the client sends, its own ACK tells that there was an answer; of what the server sends, nothing is told.
Test(contacts, of_which_one_direction_is_seen)
{
    static const struct connection connections[] = {
        // clang-format off
        {"its ACK proves it", 40000, 443, {SENT(SYN), SENT(ACK)}, CONTACT_ANSWERED, PROBE_SYN, false},
        {"its data proves it", 40000, 443, {SENT(SYN), SENT(DATA)}, CONTACT_ANSWERED, PROBE_SYN, false},
        {"its end proves it", 40000, 443, {SENT(SYN), SENT(ACK), SENT(FIN_ACK)}, CONTACT_ANSWERED, PROBE_SYN, false},
        {"data, then a reset", 40000, 443, {SENT(SYN), SENT(DATA), SENT(RST)}, CONTACT_ANSWERED, PROBE_SYN, false},
        {"nothing of it", 40000, 443, {SENT(SYN)}, CONTACT_UNANSWERED, PROBE_SYN, false},
        {"a server's SYN-ACK", 40000, 443, {BACK(SYN_ACK)}, NONE, PROBE_SYN, false},
        {"a server's side", 40000, 443, {BACK(SYN_ACK), BACK(DATA), BACK(FIN_ACK)}, NONE, PROBE_SYN, false},
        {"the same behind a high port", 40000, 8080, {BACK(SYN_ACK), BACK(DATA)}, NONE, PROBE_SYN, false},
        // clang-format on
    };
    EXPECT_OUTCOMES(connections);
}

Test(contacts, of_probes_without_a_syn)
{
    static const struct connection connections[] = {
        // clang-format off
        {"FIN refused", 40000, 443, {SENT(FIN), BACK(RST_ACK)}, CONTACT_REFUSED, PROBE_FIN, false},
        {"FIN unanswered", 40000, 443, {SENT(FIN)}, CONTACT_UNANSWERED, PROBE_FIN, false},
        {"FIN to a high port", 40000, 8080, {SENT(FIN), SENT(FIN)}, CONTACT_UNANSWERED, PROBE_FIN, false},
        {"NULL refused", 40000, 443, {SENT(0), BACK(RST_ACK)}, CONTACT_REFUSED, PROBE_NULL, false},
        {"NULL unanswered", 40000, 443, {SENT(0)}, CONTACT_UNANSWERED, PROBE_NULL, false},
        {"XMAS refused", 40000, 443, {SENT(XMAS), BACK(RST_ACK)}, CONTACT_REFUSED, PROBE_XMAS, false},
        {"XMAS unanswered", 40000, 443, {SENT(XMAS), SENT(XMAS)}, CONTACT_UNANSWERED, PROBE_XMAS, false},
        {"ACK refused", 40000, 443, {SENT(ACK), BACK(RST)}, CONTACT_REFUSED, PROBE_ACK, false},
        {"ACK refused by a high port", 40000, 8080, {SENT(ACK), BACK(RST)}, CONTACT_REFUSED, PROBE_ACK, false},
        // An old connection's last words look the same: it counts for its source.
               {"ACK unanswered", 40000, 443, {SENT(ACK)}, CONTACT_ANSWERED, PROBE_ACK, false},
        // clang-format on
    };
    EXPECT_OUTCOMES(connections);
}

// Of a capture that begins amid connections: nobody failed.
Test(contacts, of_connections_met_midway)
{
    static const struct connection connections[] = {
        // clang-format off
        {"both talk", 40000, 8080, {SENT(DATA), BACK(DATA)}, CONTACT_ANSWERED, PROBE_ACK, false},
        {"the server first", 40000, 8080, {BACK(DATA), SENT(ACK)}, CONTACT_ANSWERED, PROBE_ACK, false},
        {"the server first, by a known port", 40000, 443, {BACK(DATA), SENT(ACK)}, CONTACT_ANSWERED, PROBE_ACK, false},
        {"the server alone", 40000, 8080, {BACK(DATA), BACK(DATA)}, CONTACT_ANSWERED, PROBE_ACK, false},
        {"the client alone", 40000, 8080, {SENT(DATA)}, CONTACT_ANSWERED, PROBE_ACK, false},
        {"two high ports: who was first", 50000, 40000, {BACK(DATA), SENT(ACK)}, CONTACT_ANSWERED, PROBE_ACK, true},
        {"last words", 40000, 443, {SENT(FIN_ACK)}, CONTACT_ANSWERED, PROBE_ACK, false},
        {"last words, reset", 40000, 443, {SENT(FIN_ACK), BACK(RST)}, CONTACT_ANSWERED, PROBE_ACK, false},
        {"data, reset", 40000, 443, {SENT(DATA), BACK(RST)}, CONTACT_ANSWERED, PROBE_ACK, false},
        {"a server resets in the middle", 40000, 8080, {BACK(DATA), SENT(RST)}, CONTACT_ANSWERED, PROBE_ACK, false},
        // clang-format on
    };
    EXPECT_OUTCOMES(connections);
}

// Of somebody else's flood with our addresses: no first contact of ours, and none of the server's.
Test(contacts, of_backscatter_are_none)
{
    static const struct connection connections[] = {
        // clang-format off
        {"SYN-ACK", 40000, 443, {BACK(SYN_ACK), BACK(SYN_ACK)}, NONE, PROBE_SYN, false},
        {"SYN-ACK that we reset", 40000, 443, {BACK(SYN_ACK), SENT(RST)}, NONE, PROBE_SYN, false},
        {"RST", 40000, 443, {BACK(RST)}, NONE, PROBE_SYN, false},
        {"RST-ACK", 40000, 443, {BACK(RST_ACK)}, NONE, PROBE_SYN, false},
        {"RST of a high port", 40000, 8080, {BACK(RST)}, NONE, PROBE_SYN, false},
        {"RST-ACK of a high port", 40000, 8080, {BACK(RST_ACK), BACK(RST_ACK)}, NONE, PROBE_SYN, false},
        // clang-format on
    };
    EXPECT_OUTCOMES(connections);
}

// The list after these packets and the wait.
static struct contact_list *contacts_of(struct observing *observing, const struct packet *packets,
                                        unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        feed(&observing->test, &packets[i]);
    wait_for_all(observing);
    return &observing->evidence.contacts;
}

static void expect_datagrams(const char *what, const struct packet *packets, unsigned count, int outcome,
                             enum contact_probe probe)
{
    struct observing *observing = observing_create();
    const struct contact_list *contacts = contacts_of(observing, packets, count);
    cr_expect_eq(contacts->count, outcome != NONE, "%s", what);
    if (contacts->count == 1) {
        const struct contact *contact = &contacts->items[0];
        cr_expect(contact->outcome == outcome && contact->probe == probe, "%s", what);
        cr_expect_eq(contact->addresses[0][packets->source.version == 4 ? 3 : 15], 1, "%s", what);
        cr_expect_eq(contact->ip_version, packets->source.version);
        cr_expect_eq(contact->protocol, packets->ip_protocol);
    }
    observing_destroy(observing);
}

static struct packet in_v6(struct packet packet, uint8_t from, uint8_t to)
{
    packet.source = host_v6(from);
    packet.target = host_v6(to);
    if (packet.ip_protocol == IP_PROTOCOL_ICMP)
        packet.ip_protocol = IP_PROTOCOL_ICMPV6;
    return packet;
}

Test(contacts, of_udp)
{
    const struct packet asked = udp_packet(1, 40000, 2, 53, 0), answered = udp_packet(2, 53, 1, 40000, 1),
                        high = udp_packet(1, 40000, 2, 5000, 0);
    expect_datagrams("answered", (struct packet[]){asked, answered}, 2, CONTACT_ANSWERED, PROBE_UDP);
    expect_datagrams("unanswered", &asked, 1, CONTACT_UNANSWERED, PROBE_UDP);
    expect_datagrams("unanswered high", &high, 1, CONTACT_UNANSWERED, PROBE_UDP);
    expect_datagrams("an answer alone", &answered, 1, NONE, PROBE_UDP);
    expect_datagrams("the answer first", (struct packet[]){answered, asked}, 2, CONTACT_ANSWERED, PROBE_UDP);
    const struct packet six[] = {in_v6(asked, 1, 2), in_v6(answered, 2, 1)};
    expect_datagrams("answered, IPv6", six, 2, CONTACT_ANSWERED, PROBE_UDP);
    expect_datagrams("unanswered, IPv6", six, 1, CONTACT_UNANSWERED, PROBE_UDP);
}

// Fragments whose first one was not seen have no ports: they are part of something.
Test(contacts, of_fragments_are_none)
{
    struct packet fragment = ip_packet(IP_PROTOCOL_UDP, 1, 2, 0);
    expect_datagrams("UDP", &fragment, 1, NONE, PROBE_UDP);
    fragment.ip_protocol = IP_PROTOCOL_TCP;
    expect_datagrams("TCP", &fragment, 1, NONE, PROBE_UDP);
    fragment.ip_protocol = IP_PROTOCOL_ICMP;
    expect_datagrams("ICMP", &fragment, 1, NONE, PROBE_UDP);
    struct packet esp = ip_packet(50, 1, 2, 0);
    expect_datagrams("neither", &esp, 1, NONE, PROBE_UDP);
}

Test(contacts, of_pings)
{
    const struct packet asked = icmp_packet(1, 2, 8, 0, 0), answered = icmp_packet(2, 1, 0, 0, 1),
                        unreachable = icmp_packet(1, 2, 3, 1, 0);
    expect_datagrams("answered", (struct packet[]){asked, answered}, 2, CONTACT_ANSWERED, PROBE_PING);
    expect_datagrams("unanswered", &asked, 1, CONTACT_UNANSWERED, PROBE_PING);
    expect_datagrams("an answer alone", &answered, 1, NONE, PROBE_PING);
    expect_datagrams("an error", &unreachable, 1, NONE, PROBE_PING);
    const struct packet asked_six = in_v6(icmp_packet(1, 2, 128, 0, 0), 1, 2),
                        answered_six = in_v6(icmp_packet(2, 1, 129, 0, 1), 2, 1),
                        neighbour = in_v6(icmp_packet(1, 2, 135, 0, 0), 1, 2);
    expect_datagrams("IPv6", (struct packet[]){asked_six, answered_six}, 2, CONTACT_ANSWERED, PROBE_PING);
    expect_datagrams("IPv6 unanswered", &asked_six, 1, CONTACT_UNANSWERED, PROBE_PING);
    expect_datagrams("IPv6 answer alone", &answered_six, 1, NONE, PROBE_PING);
    expect_datagrams("neighbour solicitation", &neighbour, 1, NONE, PROBE_PING);
}

Test(contacts, of_many_at_once_are_none)
{
    static const char *const targets[] = {"224.0.0.251", "239.255.255.250", "255.255.255.255", "ff02::fb"};
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
        struct packet packet = udp_packet(1, 40000, 2, 5353, 0);
        cr_assert(address_parse(targets[i], &packet.target));
        if (packet.target.version == 6)
            packet.source = host_v6(1);
        expect_datagrams(targets[i], &packet, 1, NONE, PROBE_UDP);
        struct packet ping = icmp_packet(1, 2, 8, 0, 0);
        if (packet.target.version == 4)
            ping.target = packet.target;
        else
            ping.target = address_v4((const uint8_t[4]){224, 0, 0, 1});
        expect_datagrams(targets[i], &ping, 1, NONE, PROBE_PING);
    }
}

Test(contacts, keep_tunnel_and_interface)
{
    struct observing *observing = observing_create();
    struct packet packet = udp_packet(1, 40000, 2, 53, 0);
    packet.tunnel =
        (struct packet_tunnel){.kind = TUNNEL_VXLAN, .id = 7, .source = host(8), .target = host(9)};
    packet.interface = 5;
    const struct contact_list *contacts = contacts_of(observing, &packet, 1);
    cr_assert_eq(contacts->count, 1);
    cr_expect_eq(contacts->items[0].tunnel_kind, TUNNEL_VXLAN);
    cr_expect_eq(contacts->items[0].tunnel_id, 7);
    cr_expect_eq(contacts->items[0].interface, 5);
    observing_destroy(observing);
}

// What did not wait long enough is no failure.
Test(contacts, of_what_ended_early_are_none)
{
    struct observing *observing = observing_create();
    const struct packet packets[] = {udp_packet(1, 40000, 2, 53, 0), tcp_packet(1, 40001, 2, 443, SYN, 0),
                                     tcp_packet(1, 40002, 2, 443, FIN, 0), icmp_packet(1, 2, 8, 0, 0)};
    for (unsigned i = 0; i < 4; i++)
        feed(&observing->test, &packets[i]);
    finish(&observing->test, NS_PER_S);
    cr_expect_eq(observing->evidence.contacts.count, 0);
    observing_destroy(observing);
}

Test(contacts, are_bounded_and_what_is_refused_is_counted)
{
    enum { BEYOND = 5 };
    struct observing *observing = observing_create();
    struct evidence *evidence = &observing->evidence;
    for (unsigned i = 0; i < CONTACTS_MAXIMUM + BEYOND; i++) {
        struct packet packet = udp_packet(1, (uint16_t)(10000 + i), 2, 53, 0);
        feed(&observing->test, &packet);
    }
    wait_for_all(observing);
    cr_expect_eq(evidence->contacts.count, CONTACTS_MAXIMUM);
    cr_expect_eq(evidence->refused, BEYOND);
    evidence_reset(evidence);
    cr_expect(evidence->contacts.count == 0 && evidence->contacts.counts[0] == 0 && evidence->refused == 0);
    cr_expect_gt(evidence->contacts.room, 0, "the next tick may bring as many");
    evidence_reset(evidence);
    cr_expect_eq(evidence->contacts.room, 0, "it did not");
    observing_destroy(observing);
}

// Whether answers are seen is told by flows that carry something.
Test(contacts, tell_whether_both_directions_are_seen)
{
    struct observing *observing = observing_create();
    struct evidence *evidence = &observing->evidence;
    static const struct connection both = {"", 40000, 443,  {SENT(SYN), BACK(SYN_ACK), SENT(DATA)},
                                           0,  0,     false},
                                   one = {"", 40001, 443, {SENT(SYN), SENT(DATA)}, 0, 0, false},
                                   xmas = {"", 40005, 443, {SENT(XMAS)}, 0, 0, false},
                                   nothing = {"", 40002, 443, {SENT(SYN), BACK(RST_ACK)}, 0, 0, false};
    feed_steps(observing, &both);
    feed_steps(observing, &one);
    feed_steps(observing, &nothing);
    feed_steps(observing, &xmas);
    struct packet multicast = udp_packet(1, 5353, 2, 5353, 0);
    multicast.target = address_v4((const uint8_t[4]){224, 0, 0, 251});
    feed(&observing->test, &multicast);
    struct packet probe = udp_packet(1, 40003, 2, 500, 0); // of a scan: empty
    probe.length = 42;
    feed(&observing->test, &probe);
    probe.source_port++;
    probe.length = 60; // padded
    feed(&observing->test, &probe);
    struct packet asked = udp_packet(1, 40004, 2, 53, 0);
    set_payload(&asked, 30);
    feed(&observing->test, &asked);
    wait_for_all(observing);
    cr_expect_eq(evidence->ways[WAY_TCP].with_payload + evidence->ways[WAY_UDP].with_payload, 3);
    cr_expect_eq(evidence->ways[WAY_UDP].with_payload, 1);
    cr_expect_eq(evidence->ways[WAY_TCP].two_way, 1);
    evidence_reset(evidence);
    cr_expect(evidence->ways[WAY_TCP].with_payload == 0 && evidence->ways[WAY_TCP].two_way == 0);
    observing_destroy(observing);
}
