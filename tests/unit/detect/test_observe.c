#include "detect/observe.h"

#include <math.h>

#include "flow/tcp.h"
#include "made_evidence.h"

static struct endpoint at(uint8_t last, uint16_t port)
{
    return (struct endpoint){host(last), port};
}

static unsigned rows(const struct made_evidence *made)
{
    unsigned count = 0;
    for (unsigned kind = 0; kind < TARGET_KINDS; kind++)
        if (made->all.targets[kind] != NULL)
            count += made->all.targets[kind]->row_count;
    return count;
}

Test(observe, counts_syns_and_handshakes_by_server)
{
    struct made_evidence made = {0};
    struct packet syn = tcp_packet(1, 40000, 2, 80, TCP_SYN, 0),
                  ack = tcp_packet(1, 40000, 2, 80, TCP_ACK, 1);
    struct packet ecn = tcp_packet(1, 40001, 2, 80, TCP_SYN | TCP_ECE | TCP_CWR, 0);
    observe(&made, &syn, 0);
    observe(&made, &ecn, 0);
    observe(&made, &ack, OBSERVED_RECEIVER_SENT | OBSERVED_HANDSHAKE);
    cr_expect_eq(counted(&made, TARGET_SYN, at(2, 80), 0), 2);
    cr_expect_eq(counted(&made, TARGET_SYN, at(2, 80), 1), 1);
    cr_expect_eq(counted(&made, TARGET_SYN, at(1, 40000), 1), 0);
    made_evidence_done(&made);
}

Test(observe, passes_over_other_segments)
{
    static const uint8_t flags[] = {0,       TCP_ACK,           TCP_ACK | TCP_PSH, TCP_RST,
                                    TCP_FIN, TCP_FIN | TCP_ACK, TCP_SYN | TCP_FIN, TCP_SYN | TCP_RST};
    struct made_evidence made = {0};
    for (unsigned i = 0; i < sizeof flags; i++) {
        struct packet packet = tcp_packet(1, 40000, 2, 80, flags[i], 0);
        observe(&made, &packet, 0);
        observe(&made, &packet, OBSERVED_RECEIVER_SENT);
    }
    struct packet cut = tcp_packet(1, 40000, 2, 80, TCP_SYN, 0);
    cut.has_transport = false;
    observe(&made, &cut, 0);
    cr_expect_eq(rows(&made), 0);
    made_evidence_done(&made);
}

Test(observe, knows_what_completes_a_handshake)
{
    struct packet ack = tcp_packet(1, 40000, 2, 80, TCP_ACK, 0);
    struct packet answer = tcp_packet(2, 80, 1, 40000, TCP_SYN | TCP_ACK, 0);
    struct packet reset = tcp_packet(1, 40000, 2, 80, TCP_RST | TCP_ACK, 0);
    cr_expect(tcp_completes_handshake(TCP_SYN, &ack));
    cr_expect(tcp_completes_handshake(TCP_SYN | TCP_ECE, &ack));
    cr_expect_not(tcp_completes_handshake(TCP_SYN | TCP_ACK, &ack), "the second ACK, or the server's first");
    cr_expect_not(tcp_completes_handshake(0, &ack), "of a flow whose beginning was not seen");
    cr_expect_not(tcp_completes_handshake(TCP_SYN, &answer));
    cr_expect_not(tcp_completes_handshake(TCP_SYN, &reset));
}

Test(observe, counts_answers_that_nobody_asked_for)
{
    struct made_evidence made = {0};
    struct packet answer = tcp_packet(2, 80, 1, 40000, TCP_SYN | TCP_ACK, 0);
    struct packet dns = udp_packet(3, 53, 1, 40000, 0), other_port = udp_packet(3, 5000, 1, 40000, 0);
    struct packet later = dns; // fragment, whose ports fragments_apply() knows
    later.has_transport = false;
    later.fragment = FRAGMENT_LATER;
    observe(&made, &answer, 0);
    observe(&made, &answer, OBSERVED_RECEIVER_SENT);
    observe(&made, &dns, 0);
    observe(&made, &dns, OBSERVED_RECEIVER_SENT);
    observe(&made, &later, 0);
    observe(&made, &other_port, 0);
    cr_expect_eq(counted(&made, TARGET_UNASKED, at(1, 0), 0), 3);
    cr_expect_eq(counted(&made, TARGET_UNASKED, at(1, 0), 1), 0);
    struct packet data = tcp_packet(2, 80, 1, 40000, TCP_ACK, 0);
    observe(&made, &data, OBSERVED_WENT_ON);
    cr_expect_eq(counted(&made, TARGET_UNASKED, at(1, 0), 1), 1, "its client has answered");
    made_evidence_done(&made);
}

Test(observe, counts_icmp_both_ways)
{
    struct made_evidence made = {0};
    for (unsigned i = 0; i < 3; i++) {
        struct packet request = icmp_packet(1, 2, 8, 0, 0), reply = icmp_packet(2, 1, 0, 0, 0);
        observe(&made, &request, 0);
        observe(&made, &reply, OBSERVED_RECEIVER_SENT);
    }
    struct packet unreachable = icmp_packet(3, 2, 3, 3, 0);
    observe(&made, &unreachable, 0);
    cr_expect_eq(counted(&made, TARGET_ICMP, at(2, 0), 0), 4);
    cr_expect_eq(counted(&made, TARGET_ICMP, at(2, 0), 1), 3);
    cr_expect_eq(counted(&made, TARGET_ICMP, at(1, 0), 0), 3);
    cr_expect_eq(counted(&made, TARGET_ICMP, at(3, 0), 1), 1);
    made_evidence_done(&made);
}

Test(observe, passes_over_many_at_once)
{
    struct made_evidence made = {0};
    struct packet multicast = udp_packet(1, 53, 2, 53, 0), broadcast = multicast, sixth = multicast;
    multicast.target = address_v4((const uint8_t[4]){224, 0, 0, 251});
    broadcast.target = address_v4((const uint8_t[4]){255, 255, 255, 255});
    sixth.source = host_v6(1);
    sixth.target = (struct address){.bytes = {0xff, 2}, .version = 6};
    for (uint64_t number = 0; number < 100; number++) {
        multicast.number = broadcast.number = sixth.number = number;
        observe(&made, &multicast, 0);
        observe(&made, &broadcast, 0);
        observe(&made, &sixth, 0);
    }
    cr_expect_eq(rows(&made), 0);
    made_evidence_done(&made);
}

// One packet of 16, whichever share of all packets is the target's; over 400 floods of 50,000 packets.
Test(observe, samples_udp_as_stated)
{
    enum { FLOODS = 400, PACKETS = 50000 };
    double squares = 0, sum = 0;
    uint64_t number = 0;
    for (unsigned flood = 0; flood < FLOODS; flood++) {
        unsigned sampled = 0;
        for (unsigned i = 0; i < PACKETS; i++) {
            struct packet packet = {.number = number += 1 + flood % 7};
            sampled += is_sampled_udp(&packet, made_seed);
        }
        double error = (double)sampled * UDP_SAMPLED / PACKETS - 1;
        sum += error;
        squares += error * error;
    }
    double stated = sqrt(15.0 / PACKETS);
    cr_expect_lt(fabs(sum / FLOODS), 3 * stated / sqrt(FLOODS));
    cr_expect_lt(sqrt(squares / FLOODS), stated * 1.1);
}

Test(observe, counts_udp_both_ways)
{
    enum { PACKETS = 100000 };
    struct made_evidence made = {0};
    for (uint64_t i = 0; i < PACKETS; i++) {
        struct packet packet = udp_packet(1, (uint16_t)(i / 4), 2, 5000, 0);
        struct packet answer = udp_packet(2, 5000, 1, (uint16_t)(i / 4), 0);
        packet.number = 2 * i;
        answer.number = 2 * i + 1;
        observe(&made, &packet, i % 4 != 0 ? OBSERVED_RECEIVER_SENT : 0);
        observe(&made, &answer, OBSERVED_RECEIVER_SENT);
    }
    for (unsigned which = 0; which < 2; which++)
        for (uint8_t last = 1; last <= 2; last++)
            cr_expect_float_eq((double)counted(&made, TARGET_UDP, at(last, 0), which), PACKETS,
                               4 * sqrt(15.0 * PACKETS));
    made_evidence_done(&made);
}

Test(observe, keeps_samples_with_their_flow)
{
    struct made_evidence made = {0};
    struct packet answer = udp_packet(3, 53, 1, 40000, 5);
    answer.tunnel.kind = TUNNEL_VXLAN;
    answer.tunnel.id = 7;
    answer.interface = 4;
    answer.number = 1; // is not sampled as UDP with this seed, or is: another table
    observe(&made, &answer, 0);
    const struct target_table *table = made.all.targets[TARGET_UNASKED];
    cr_assert(table != NULL && table->row_count == 1);
    const struct target_sample *sample = &table->rows[0].samples[0];
    cr_expect_eq(sample->flow.first_seen_ns, TEST_START_NS + 5);
    cr_expect_eq(sample->flow.client.port, 40000, "who seems to have asked");
    cr_expect_eq(sample->flow.server.port, 53);
    cr_expect_eq(sample->flow.protocol, IP_PROTOCOL_UDP);
    cr_expect_eq(sample->flow.tunnel_kind, TUNNEL_VXLAN);
    cr_expect_eq(sample->flow.tunnel_id, 7);
    cr_expect_eq(sample->interface, 4);
    made_evidence_done(&made);
}
