#include "flow/order.h"

#include "flow/faces.h"
#include "packets.h"

// The lower one in every order first; the last two differ by their keys only, and nothing is known of their RTT,
// retransmissions and rate.
enum { LOW, HIGH, UNKNOWN, UNKNOWN_TOO, RECORDS };

static void make(struct flow_record records[RECORDS])
{
    for (uint8_t i = 0; i < RECORDS; i++)
        records[i] = (struct flow_record){
            .endpoint = {{host(1), 1000}, {host((uint8_t)(9 - i)), 443}},
            .protocol = IP_PROTOCOL_TCP,
            .has_quality = true,
            .first_seen_ns = 500,
            .last_seen_ns = 500,
            .bytes = {30, 30},
            .packets = {3, 3},
        };
    records[LOW].first_seen_ns = 100;
    records[LOW].last_seen_ns = 200;
    records[LOW].bytes[0] = 10;
    records[LOW].packets[0] = 1;
    records[LOW].rtt_far.samples = records[HIGH].rtt_far.samples = 1;
    records[HIGH].first_seen_ns = 600;
    records[HIGH].last_seen_ns = 900;
    records[HIGH].bytes[1] = 1000;
    records[HIGH].packets[1] = 100;
    records[HIGH].rtt_far.ewma_ns = 5;
    records[HIGH].retransmissions[1] = 1;
    records[UNKNOWN].has_quality = records[UNKNOWN_TOO].has_quality = false;
}

static void expect_before(struct flow_ordering order, const struct flow_record *first,
                          const struct flow_record *second)
{
    cr_expect_lt(flow_order_compare(order, first, second), 0, "order %d %d", order.by, order.ascending);
    cr_expect_gt(flow_order_compare(order, second, first), 0, "order %d %d", order.by, order.ascending);
    cr_expect_eq(flow_order_compare(order, first, first), 0);
}

Test(order, goes_both_ways_and_ends_with_the_key)
{
    struct flow_record records[RECORDS];
    make(records);
    for (enum flow_order by = 0; by < FLOW_ORDERS; by++) {
        expect_before((struct flow_ordering){by, false}, &records[HIGH], &records[LOW]);
        expect_before((struct flow_ordering){by, true}, &records[LOW], &records[HIGH]);
        expect_before((struct flow_ordering){by, false}, &records[UNKNOWN_TOO], &records[UNKNOWN]);
        expect_before((struct flow_ordering){by, true}, &records[UNKNOWN_TOO], &records[UNKNOWN]);
    }
}

Test(order, puts_what_is_not_known_last)
{
    static const enum flow_order orders[] = {FLOWS_BY_RETRANSMISSIONS, FLOWS_BY_RTT, FLOWS_BY_RATE};
    struct flow_record records[RECORDS];
    make(records);
    for (unsigned i = 0; i < 3; i++)
        for (int ascending = 0; ascending < 2; ascending++)
            for (unsigned known = LOW; known <= HIGH; known++)
                expect_before((struct flow_ordering){orders[i], ascending != 0}, &records[known],
                              &records[UNKNOWN_TOO]);
}

Test(order, bears_the_ends_of_time_and_of_numbers)
{
    struct flow_record early = {.first_seen_ns = INT64_MIN, .last_seen_ns = INT64_MIN},
                       late = {.first_seen_ns = INT64_MAX, .last_seen_ns = INT64_MAX},
                       long_one = {
                           .first_seen_ns = INT64_MIN, .last_seen_ns = INT64_MAX, .bytes = {UINT64_MAX, 0}};
    for (int ascending = 0; ascending < 2; ascending++) {
        const struct flow_record *first = ascending ? &early : &late, *last = ascending ? &late : &early;
        expect_before((struct flow_ordering){FLOWS_BY_RECENCY, ascending != 0}, first, last);
        expect_before((struct flow_ordering){FLOWS_BY_FIRST_SEEN, ascending != 0}, first, last);
        first = ascending ? &early : &long_one, last = ascending ? &long_one : &early;
        expect_before((struct flow_ordering){FLOWS_BY_DURATION, ascending != 0}, first, last);
        expect_before((struct flow_ordering){FLOWS_BY_BYTES, ascending != 0}, first, last);
    }
}

// Where a node tells its flow's rank, it is the record's.
Test(order, of_nodes_is_that_of_records)
{
    struct test_table test;
    test_table_init(&test, test_policy());
    for (uint8_t i = 0; i < 60; i++) {
        struct packet packet = i % 2 == 0 ? tcp_packet(1, (uint16_t)(1000 + i), 2, 80, TCP_ACK, i * NS_PER_MS)
                                          : udp_packet(1, (uint16_t)(1000 + i), 2, 53, i * NS_PER_MS);
        packet.clock_offset_ns = i % 5 == 0 ? NS_PER_S : 0;
        feed(&test, &packet);
        set_time(&packet, (i + i % 3) * NS_PER_MS);
        feed(&test, &packet);
    }
    unsigned told = 0;
    struct flow_faces faces;
    flow_faces_clear(&faces, 4);
    for (uint32_t id = 1; id <= test.table.store.v4.slab.fresh; id++)
        flow_faces_add(&faces, &test.table, id, FLOW_FACE_ALL);
    for (enum flow_order by = 0; by < FLOW_ORDERS; by++)
        for (int ascending = 0; ascending < 2; ascending++) {
            struct flow_ordering order = {by, ascending != 0};
            uint64_t ranks[FLOW_FACES],
                right = flow_ranks_of_faces(order, &faces, flow_faces_all(&faces), ranks);
            for (unsigned i = 0; i < faces.count; i++) {
                struct flow_record record;
                flow_table_peek(&test.table, faces.id[i], &record);
                if ((right >> i & 1) == 0)
                    continue;
                cr_assert_eq(ranks[i], flow_rank(order, &record), "order %d of flow %u", by, i);
                told++;
            }
        }
    cr_expect_gt(told, 60 * 2 * FLOW_ORDERS / 2, "most nodes tell");
    flow_table_done(&test.table);
}
