#include "flow/record.h"

#include <stdio.h>
#include <stdlib.h>

#include "packets.h"

// Ids of the records that wait, sorted.
static char (*take_ids(struct test_table *test, unsigned count))[FLOW_ID_TEXT_BYTES]
{
    char(*ids)[FLOW_ID_TEXT_BYTES] = calloc(count, sizeof *ids);
    cr_assert_not_null(ids);
    for (unsigned i = 0; i < count; i++) {
        struct flow_record record = take(test);
        flow_record_id(&record, ids[i]);
        flow_names_free(record.names);
    }
    qsort(ids, count, sizeof *ids, (int (*)(const void *, const void *))strcmp);
    return ids;
}

static void expect_different(struct test_table *test, unsigned count)
{
    char(*ids)[FLOW_ID_TEXT_BYTES] = take_ids(test, count);
    for (unsigned i = 1; i < count; i++)
        cr_assert_str_neq(ids[i - 1], ids[i], "two flows of %u have one id", count);
    free(ids);
}

Test(flow_id, is_32_hex_digits_of_key_and_beginning)
{
    struct flow_record record = {
        .endpoint = {{host(1), 40000}, {host(2), 443}},
        .began_ns = 5,
        .protocol = IP_PROTOCOL_TCP,
    };
    char id[FLOW_ID_TEXT_BYTES], other[FLOW_ID_TEXT_BYTES];
    flow_record_id(&record, id);
    cr_expect_eq(strspn(id, "0123456789abcdef"), 32);
    record.bytes[0] = record.packets[0] = 7; // what a flow grows by
    record.first_seen_ns = 9;                // moves with the clock's offset
    record.record_seq = 3;
    flow_record_id(&record, other);
    cr_expect_str_eq(id, other);
    record.ordinal = 1;
    flow_record_id(&record, other);
    cr_expect_str_neq(id, other);
    record.ordinal = 0;
    record.tunnel.key = 1;
    flow_record_id(&record, other);
    cr_expect_str_neq(id, other);
}

Test(flow_id, is_that_of_the_live_flow_and_of_all_its_records)
{
    struct flow_policy policy = test_policy();
    policy.active_timeout_ns = NS_PER_S;
    struct test_table test;
    test_table_init(&test, policy);
    char ids[3][FLOW_ID_TEXT_BYTES];
    struct flow_record live;
    for (int second = 0; second < 3; second++) {
        struct packet packet = udp_packet(1, 1000, 2, 53, second * NS_PER_S);
        packet.clock_offset_ns = second * NS_PER_S; // the clock steps back: stamps repeat, flow time does not
        set_time(&packet, 0);
        packet.now_ns += second * NS_PER_S;
        feed(&test, &packet);
    }
    flow_table_copy(&test.table, 1, &live);
    flow_record_id(&live, ids[0]);
    finish(&test, 3 * NS_PER_S);
    cr_assert_eq(ended(&test), 2);
    struct flow_record interim = take(&test), last = take(&test);
    flow_record_id(&interim, ids[1]);
    flow_record_id(&last, ids[2]);
    cr_expect_eq(interim.event, FLOW_CHANGED);
    cr_expect_eq(last.event, FLOW_ENDED);
    cr_expect_str_eq(ids[0], ids[1]);
    cr_expect_str_eq(ids[0], ids[2]);
    test_table_done(&test);
}

// One five-tuple used again and again within one stamp.
Test(flow_id, tells_reuses_within_a_nanosecond_apart)
{
    enum { REUSES = 300 };
    struct test_table test;
    test_table_init(&test, test_policy());
    for (uint32_t i = 0; i < REUSES; i++) {
        struct packet syn = tcp_packet(1, 40000, 2, 443, TCP_SYN, 0),
                      reset = tcp_packet(2, 443, 1, 40000, TCP_RST, 0);
        syn.tcp.sequence = 1000 * i;
        feed(&test, &syn);
        feed(&test, &reset);
    }
    finish(&test, 0);
    expect_different(&test, REUSES);
    test_table_done(&test);
}

// Flows that make room for each other, with stamps that stand still and step back by less than a second.
Test(flow_id, tells_evicted_flows_that_come_again_apart)
{
    enum { ROUNDS = 200, PORTS = 7 };
    struct flow_policy policy = test_policy();
    policy.max_flows = 2;
    struct test_table test;
    test_table_init(&test, policy);
    for (unsigned i = 0; i < ROUNDS * PORTS; i++) {
        struct packet packet = udp_packet(1, (uint16_t)(1000 + i % PORTS), 2, 53, NS_PER_S);
        packet.time_ns -= i % 3 * NS_PER_MS;
        feed(&test, &packet);
    }
    finish(&test, NS_PER_S);
    cr_assert_eq(ended(&test), test.table.counts.created);
    cr_assert_gt(ended(&test), ROUNDS);
    expect_different(&test, (unsigned)ended(&test));
    test_table_done(&test);
}

static int64_t random_time(void)
{
    static const int64_t times[] = {INT64_MIN, -1, 0, 1, 255, 256, INT64_MAX};
    return times[(unsigned)rand() % (sizeof times / sizeof times[0])];
}

static struct flow_record random_record(void)
{
    struct flow_record record = {
        .endpoint = {{rand() % 2 ? host((uint8_t)(rand() % 2)) : host_v6((uint8_t)(rand() % 2)),
                      (uint16_t)(rand() % 300)},
                     {host(2), (uint16_t)(rand() % 2 * 65535)}},
        .first_seen_ns = random_time(),
        .end_ns = rand() % 2 ? 0 : random_time(),
        .began_ns = random_time(),
        .ordinal = (uint32_t)(rand() % 2),
        .record_seq = (uint32_t)(rand() % 2),
        .protocol = (uint8_t)(rand() % 2 * 17),
        .tunnel = {.key_kind = (uint8_t)(rand() % 2)},
    };
    if (record.tunnel.key_kind != TUNNEL_NONE)
        record.tunnel.key = (uint64_t)(rand() % 2) << 40;
    return record;
}

static int sign(int value)
{
    return (value > 0) - (value < 0);
}

Test(flow_record, sort_keys_order_as_records_do)
{
    srand(1);
    for (unsigned i = 0; i < 200000; i++) {
        struct flow_record left = random_record(), right = random_record();
        uint8_t left_key[FLOW_SORT_KEY_BYTES], right_key[FLOW_SORT_KEY_BYTES];
        flow_record_sort_key(&left, left_key);
        flow_record_sort_key(&right, right_key);
        cr_assert_eq(sign(memcmp(left_key, right_key, sizeof left_key)),
                     sign(flow_record_compare(&left, &right)), "pair %u", i);
    }
}

// What is not counted is unknown, except in scale mode, whose records have no quality at all.
Test(flow_record, says_what_was_not_counted)
{
    for (unsigned setting = 0; setting < 8; setting++) {
        struct flow_policy policy = test_policy();
        policy.rtt = (setting & 1) != 0;
        policy.retransmissions = (setting & 2) != 0;
        policy.out_of_order = (setting & 4) != 0;
        struct test_table test;
        test_table_init(&test, policy);
        struct packet packet = tcp_packet(1, 40000, 2, 443, TCP_ACK, 0);
        feed(&test, &packet);
        finish(&test, 0);
        struct flow_record record = take(&test);
        cr_expect_eq(record.no_retransmissions, setting != 0 && !policy.retransmissions);
        cr_expect_eq(record.no_out_of_order, setting != 0 && !policy.out_of_order);
        test_table_done(&test);
    }
}
