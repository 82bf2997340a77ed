#include "decode/fragments.h"

#include "base/time.h"
#include "decode/app/dns.h"
#include "wire.h"

// Parts of a datagram in any order, put together.

// Part `number` of three of a DNS question for example.com over UDP, IPv4, 4096 > 53: 8 + 29 bytes.
static struct packet part_of(unsigned number, uint16_t id, int64_t now_ns)
{
    static const char *const parts[] = {
        "4500 0024 %04x 2000 40 11 0000 0a000001 0a000002 " UDP_HEADER("1000", "0035",
                                                                       "0025") "0007 0100 0001 0000",
        "4500 0024 %04x 2002 40 11 0000 0a000001 0a000002 0000 0000 07657861 6d706c65 03636f6d",
        "4500 0019 %04x 0004 40 11 0000 0a000001 0a000002 00 0001 0001",
    };
    char hex[256];
    snprintf(hex, sizeof hex, parts[number], id);
    struct packet packet = wire_decode(LINK_RAW, hex);
    packet.now_ns = now_ns;
    return packet;
}

static const struct decode_options tunnels_too = {.tunnels = true};

Test(reassembly, any_order_gives_all_of_them_the_ports_and_one_the_datagram)
{
    static const unsigned orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    static uint8_t whole[REASSEMBLY_WHOLE_BYTES];
    struct fragments *fragments = fragments_create(64, 1);
    for (unsigned order = 0; order < 6; order++) {
        unsigned with_ports = 0, complete = 0;
        for (unsigned i = 0; i < 3; i++) {
            struct packet packet = part_of(orders[order][i], (uint16_t)order, i), waited;
            enum fragment_outcome outcome = fragments_apply(fragments, &packet);
            if (outcome == FRAGMENT_COMPLETES) {
                cr_expect_eq(i, 2, "the last completes it");
                fragments_finish(fragments, &tunnels_too, whole, &packet);
                cr_expect_eq(packet.fragment, FRAGMENT_WHOLE);
                cr_expect(packet.has_transport && packet.payload_captured == 29);
                complete++;
            }
            if (outcome != FRAGMENT_WAITS)
                with_ports += packet.ports_known && packet.source_port == 4096;
            while (fragments_next(fragments, &waited))
                with_ports +=
                    waited.ports_known && waited.source_port == 4096 && waited.payload_captured == 0;
        }
        cr_expect_eq(with_ports, 3, "order %u: %u", order, with_ports);
        cr_expect_eq(complete, 1);
        cr_expect_eq(fragments_waiting(fragments), 0);
    }
    fragments_destroy(fragments);
}

Test(reassembly, dns_of_a_datagram_in_parts_is_read)
{
    static uint8_t whole[REASSEMBLY_WHOLE_BYTES];
    struct fragments *fragments = fragments_create(64, 1);
    struct dns_message message;
    bool found;
    struct packet packet;
    for (unsigned i = 3; i-- > 0;) {
        packet = part_of(i, 1, 0);
        if (fragments_apply(fragments, &packet) == FRAGMENT_COMPLETES)
            fragments_finish(fragments, &tunnels_too, whole, &packet);
    }
    cr_expect_eq(dns_of_packet(&packet, &message, &found), DECODE_OK);
    cr_assert(found);
    cr_expect_str_eq(message.name.text, "example.com");
    fragments_destroy(fragments);
}

Test(reassembly, what_waits_goes_on_without_ports_when_its_time_is_over)
{
    struct fragments *fragments = fragments_create(64, 1);
    struct packet packet = part_of(1, 1, 0);
    cr_expect_eq(fragments_apply(fragments, &packet), FRAGMENT_WAITS);
    fragments_expire(fragments, 30 * NS_PER_S);
    cr_expect_not(fragments_next(fragments, &packet));
    fragments_expire(fragments, 30 * NS_PER_S + 1);
    cr_assert(fragments_next(fragments, &packet));
    cr_expect_not(packet.ports_known);
    cr_expect_eq(fragments_waiting(fragments), 0);
    packet = part_of(1, 2, 40 * NS_PER_S);
    cr_expect_eq(fragments_apply(fragments, &packet), FRAGMENT_WAITS);
    fragments_release_all(fragments);
    cr_expect(fragments_next(fragments, &packet));
    fragments_destroy(fragments);
}

// Wherever the datagrams lie, which the seed decides.
Test(reassembly, what_waits_goes_on_in_the_order_in_which_it_came)
{
    enum { DATAGRAMS = 20, PACKETS = 60 };
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct fragments *fragments = fragments_create(64, seed);
        for (uint64_t number = 1; number <= PACKETS; number++) {
            struct packet packet = part_of(1 + number % 2, (uint16_t)(number % DATAGRAMS), 0);
            packet.number = number;
            cr_assert_eq(fragments_apply(fragments, &packet), FRAGMENT_WAITS);
        }
        fragments_expire(fragments, 31 * NS_PER_S);
        struct packet out;
        for (uint64_t number = 1; number <= PACKETS; number++) {
            cr_assert(fragments_next(fragments, &out));
            cr_expect_eq(out.number, number, "seed %lu: %lu", seed, out.number);
        }
        cr_expect_not(fragments_next(fragments, &out));
        fragments_destroy(fragments);
    }
}

// Each is counted once, however many there are; memory is what it was.
Test(reassembly, parts_of_a_million_datagrams_all_come_out)
{
    enum { DATAGRAMS = 1000000, KNOWN = 4096 };
    struct fragments *fragments = fragments_create(KNOWN, 1);
    struct packet part = part_of(2, 1, 0), out;
    uint64_t came_out = 0;
    for (uint32_t i = 0; i < DATAGRAMS; i++) {
        struct packet packet = part;
        packet.fragment_id = i;
        packet.now_ns = i;
        came_out += fragments_apply(fragments, &packet) != FRAGMENT_WAITS;
        while (fragments_next(fragments, &out))
            came_out++;
        cr_assert_eq(came_out + fragments_waiting(fragments), i + 1);
    }
    cr_expect_leq(fragments_waiting(fragments), KNOWN);
    cr_expect_eq(fragments_given_up(fragments), DATAGRAMS - KNOWN / FRAGMENTS_A_PLACE);
    fragments_release_all(fragments);
    while (fragments_next(fragments, &out))
        came_out++;
    cr_expect_eq(came_out, DATAGRAMS);
    cr_expect_eq(fragments_given_up(fragments), DATAGRAMS, "at the end none is whole");
    cr_expect_leq(fragments_bytes(KNOWN), 8 << 20);
    fragments_destroy(fragments);
}

// Where memory is short.
Test(reassembly, a_small_table_takes_less_and_still_puts_some_together)
{
    enum { KNOWN = 512 };
    cr_expect_lt(fragments_bytes(KNOWN), fragments_bytes(8 * KNOWN) / 7);
    struct fragments *fragments = fragments_create(KNOWN, 1);
    for (unsigned part = 0; part < 2; part++)
        for (uint16_t id = 0; id < FRAGMENTS_PLACES_LEAST; id++) {
            struct packet packet = part_of(part, id, 0);
            cr_expect_eq(fragments_apply(fragments, &packet), FRAGMENT_GOES_ON);
        }
    for (uint16_t id = 0; id < FRAGMENTS_PLACES_LEAST; id++) {
        struct packet last = part_of(2, id, 0);
        cr_expect_eq(fragments_apply(fragments, &last), FRAGMENT_COMPLETES, "%u", id);
    }
    cr_expect_eq(fragments_given_up(fragments), FRAGMENTS_PLACES_LEAST - 1, "nobody took them");
    fragments_destroy(fragments);
}

Test(reassembly, parts_that_contradict_each_other_make_no_datagram)
{
    struct fragments *fragments = fragments_create(64, 1);
    struct packet last = part_of(2, 1, 0), first = part_of(0, 1, 0), middle = part_of(1, 1, 0), out;
    struct packet beyond = last;
    beyond.fragment_place = 100;
    fragments_apply(fragments, &last);
    fragments_apply(fragments, &beyond); // two ends
    fragments_apply(fragments, &first);
    cr_expect_neq(fragments_apply(fragments, &middle), FRAGMENT_COMPLETES);
    cr_expect(middle.ports_known);
    while (fragments_next(fragments, &out))
        cr_expect(out.ports_known);
    fragments_destroy(fragments);
}

// As many units as the datagram has, but not its own: those behind its end were seen before the end was.
Test(reassembly, parts_behind_the_end_fill_no_hole)
{
    struct fragments *fragments = fragments_create(64, 1);
    struct packet first = part_of(0, 1, 0), beyond = part_of(1, 1, 0), last = part_of(2, 1, 0),
                  middle = part_of(1, 1, 0);
    beyond.fragment_place = 100;
    fragments_apply(fragments, &beyond);
    fragments_apply(fragments, &first);
    cr_expect_eq(fragments_apply(fragments, &last), FRAGMENT_GOES_ON, "without its middle");
    cr_expect_eq(fragments_apply(fragments, &middle), FRAGMENT_GOES_ON, "nor what was contradicted");
    cr_expect_eq(fragments_given_up(fragments), 1);
    fragments_destroy(fragments);
}

Test(reassembly, what_was_not_captured_whole_is_not_put_together)
{
    struct fragments *fragments = fragments_create(64, 1);
    struct packet first = part_of(0, 1, 0), last = part_of(2, 1, 0), middle = part_of(1, 1, 0);
    first.payload_captured--;
    fragments_apply(fragments, &first);
    cr_expect(first.has_transport, "as much as there is");
    fragments_apply(fragments, &middle);
    cr_expect_eq(fragments_apply(fragments, &last), FRAGMENT_GOES_ON);
    fragments_destroy(fragments);
}

// As small as they can be, so that not even the transport's header is in one: what nmap -f sends.
Test(reassembly, a_header_in_parts_is_read)
{
    static uint8_t whole[REASSEMBLY_WHOLE_BYTES];
    struct fragments *fragments = fragments_create(64, 1);
    struct packet first =
        wire_decode(LINK_RAW, IPV4_HEADER("001c", "2000", "06", "0000") "3039 01bb 00000001");
    struct packet middle =
        wire_decode(LINK_RAW, IPV4_HEADER("001c", "2001", "06", "0000") "00000000 5002 ffff");
    struct packet last = wire_decode(LINK_RAW, IPV4_HEADER("0018", "0002", "06", "0000") "0000 0000");
    expect_error(&first, DECODE_LAYER_TRANSPORT, DECODE_TRUNCATED);
    cr_expect_eq(fragments_apply(fragments, &first), FRAGMENT_GOES_ON);
    cr_expect(first.ports_known && !first.has_transport);
    expect_fine(&first); // what it lacks comes
    cr_expect_eq(fragments_apply(fragments, &middle), FRAGMENT_GOES_ON);
    cr_assert_eq(fragments_apply(fragments, &last), FRAGMENT_COMPLETES);
    fragments_finish(fragments, &tunnels_too, whole, &last);
    expect_flow(&last, "10.0.0.1:12345", "10.0.0.2:443");
    cr_expect(last.has_transport);
    cr_expect_eq(last.tcp.flags, TCP_SYN);
    expect_fine(&last);
    fragments_destroy(fragments);
}

Test(reassembly, what_has_a_bad_length_is_not_put_together)
{
    struct fragments *fragments = fragments_create(64, 1);
    struct packet first =
        wire_decode(LINK_RAW, IPV4_HEADER("0020", "2000", "06", "0000") "3039 01bb 00000001");
    struct packet last =
        wire_decode(LINK_RAW, IPV4_HEADER("0020", "0001", "06", "0000") "00000000 5002 ffff 0000 0000");
    expect_error(&first, DECODE_LAYER_NETWORK, DECODE_BAD_LENGTH);
    fragments_apply(fragments, &first);
    cr_expect_eq(fragments_apply(fragments, &last), FRAGMENT_GOES_ON);
    expect_error(&first, DECODE_LAYER_NETWORK, DECODE_BAD_LENGTH);
    fragments_destroy(fragments);
}

Test(reassembly, a_tunnel_in_parts_is_looked_into)
{
    static uint8_t whole[REASSEMBLY_WHOLE_BYTES];
    struct fragments *fragments = fragments_create(64, 1);
    struct packet first =
        wire_decode(LINK_RAW, IPV4_HEADER("002c", "2000", "2f", "0000") "0000 0800 45000020 12340000 "
                                                                        "40110000 0a010001 0a010002");
    struct packet last = wire_decode(LINK_RAW, IPV4_HEADER("0020", "0003", "2f", "0000")
                                                   UDP_HEADER("1000", "2000", "000c") "01020304");
    fragments_apply(fragments, &first);
    cr_assert_eq(fragments_apply(fragments, &last), FRAGMENT_COMPLETES);
    fragments_finish(fragments, &tunnels_too, whole, &last);
    expect_flow(&last, "10.1.0.1:4096", "10.1.0.2:8192");
    cr_expect_eq(last.tunnel.kind, TUNNEL_GRE);
    expect_address(&last.tunnel.source, "10.0.0.1");
    cr_expect_eq(last.length, 32, "the frame's own");
    fragments_destroy(fragments);
}

// Two tenants use the same private addresses and the same identification.
Test(reassembly, datagrams_of_two_tunnels_are_told_apart)
{
    struct fragments *fragments = fragments_create(64, 1);
    struct packet first = part_of(0, 1, 0), middle = part_of(1, 1, 0), last = part_of(2, 1, 0), other = last;
    struct packet_tunnel tunnel = {
        .kind = TUNNEL_VXLAN, .id = 1, .source = first.source, .target = first.target};
    first.tunnel = middle.tunnel = last.tunnel = tunnel;
    fragments_apply(fragments, &first);
    fragments_apply(fragments, &middle);
    cr_expect_eq(fragments_apply(fragments, &other), FRAGMENT_WAITS, "without a tunnel");
    other.tunnel = tunnel;
    other.tunnel.id = 2;
    cr_expect_eq(fragments_apply(fragments, &other), FRAGMENT_WAITS, "of another tenant");
    other.tunnel = tunnel;
    other.tunnel.kind = TUNNEL_GENEVE;
    cr_expect_eq(fragments_apply(fragments, &other), FRAGMENT_WAITS, "of another kind");
    other.tunnel = tunnel;
    other.tunnel.source.bytes[3]++;
    cr_expect_eq(fragments_apply(fragments, &other), FRAGMENT_WAITS, "from another end");
    cr_expect_eq(fragments_apply(fragments, &last), FRAGMENT_COMPLETES);
    fragments_destroy(fragments);
}

// The number of them that made a datagram whole. The source port of the first part is 4096 + `port`.
static unsigned completed(struct fragments *fragments, const unsigned *order, unsigned count, uint8_t port,
                          int64_t now_ns)
{
    static uint8_t whole[REASSEMBLY_WHOLE_BYTES];
    unsigned complete = 0;
    for (unsigned i = 0; i < count; i++) {
        struct packet packet = part_of(order[i], 1, now_ns), waited;
        if (order[i] == 0) {
            packet = wire_keep(packet);
            ((uint8_t *)packet.bytes)[21] = port;
            packet.source_port = (uint16_t)(packet.source_port + port);
        }
        if (fragments_apply(fragments, &packet) == FRAGMENT_COMPLETES) {
            complete++;
            fragments_finish(fragments, &tunnels_too, whole, &packet);
            cr_expect_eq(packet.source_port, 4096 + port);
        } else {
            cr_expect_not(order[i] == 0 && packet.has_transport, "told once");
        }
        while (fragments_next(fragments, &waited))
            cr_expect_eq(waited.source_port, 4096 + port);
    }
    cr_expect_eq(fragments_waiting(fragments), 0);
    return complete;
}

Test(reassembly, a_number_used_again_is_of_another_datagram_in_any_order)
{
    static const unsigned backwards[] = {2, 1, 0}, forwards[] = {0, 1, 2};
    struct fragments *fragments = fragments_create(64, 1);
    cr_expect_eq(completed(fragments, backwards, 3, 0, 0), 1);
    cr_expect_eq(completed(fragments, backwards, 3, 1, NS_PER_S), 1);
    cr_expect_eq(completed(fragments, backwards, 3, 1, 2 * NS_PER_S), 1);
    cr_expect_eq(completed(fragments, forwards, 3, 2, 2 * NS_PER_S), 1, "at once, when its beginning tells");
    fragments_destroy(fragments);
}

Test(reassembly, copies_of_parts_make_no_second_datagram)
{
    static const unsigned copies[] = {0, 1, 2, 0, 1, 2, 2, 1, 0, 2};
    struct fragments *fragments = fragments_create(64, 1);
    cr_expect_eq(completed(fragments, copies, 10, 0, 0), 1);
    cr_expect_eq(completed(fragments, copies + 5, 5, 0, NS_PER_S), 1);
    cr_expect_eq(fragments_given_up(fragments), 0);
    fragments_destroy(fragments);
}

// Live there may be no room for the datagram.
Test(reassembly, a_datagram_that_nobody_takes_gives_no_other_its_bytes)
{
    struct fragments *fragments = fragments_create(64, 1);
    for (unsigned i = 0; i < 3; i++) {
        struct packet packet = part_of(i, 1, 0);
        cr_expect_eq(fragments_apply(fragments, &packet), i == 2 ? FRAGMENT_COMPLETES : FRAGMENT_GOES_ON);
    }
    struct packet next = part_of(0, 1, NS_PER_S);
    cr_expect_eq(fragments_apply(fragments, &next), FRAGMENT_GOES_ON, "without its other parts");
    cr_expect_eq(fragments_given_up(fragments), 1);
    fragments_destroy(fragments);
}
