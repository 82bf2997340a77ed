#include "dispatching.h"

// Ticks.

Test(dispatch, cuts_ticks_at_their_boundaries)
{
    begin(&fixture, file_settings(), 100);
    feed(&fixture, 1, 10 * MS);
    feed(&fixture, 1, 50 * MS - 1);
    feed(&fixture, 1, 50 * MS); // belongs to the next
    feed(&fixture, 1, 99 * MS);
    feed(&fixture, 1, 100 * MS);
    end_source(&fixture, 1, 100 * MS);
    cr_assert_eq(fixture.delivered, 4);
    expect_delivery(&fixture, 0, 2, BATCH_TICK, 50 * MS);
    expect_delivery(&fixture, 1, 2, BATCH_TICK, 100 * MS);
    cr_expect(fixture.deliveries[0].tick == 0 && fixture.deliveries[1].tick == 1 &&
              fixture.deliveries[3].tick == 2);
    end(&fixture);
}

Test(dispatch, makes_a_leap_one_tick)
{
    static const int64_t year_ns = INT64_C(365) * 86400 * NS_PER_S;
    begin(&fixture, file_settings(), 100);
    feed(&fixture, 1, 10 * MS);
    feed(&fixture, 1, 3 * year_ns + 20 * MS);
    feed(&fixture, 1, 3 * year_ns + 60 * MS);
    end_source(&fixture, 1, 3 * year_ns + 60 * MS);
    cr_assert_eq(fixture.delivered, 4);
    expect_delivery(&fixture, 0, 1, BATCH_TICK, 3 * year_ns);
    expect_delivery(&fixture, 1, 1, BATCH_TICK, 3 * year_ns + 50 * MS);
    end(&fixture);
}

Test(dispatch, cuts_a_tick_after_65536_packets)
{
    begin(&fixture, file_settings(), BATCH_MAXIMUM);
    for (uint32_t i = 0; i < TICK_PACKETS + 5; i++)
        feed(&fixture, (uint16_t)i, 10 * MS);
    end_source(&fixture, 5, 10 * MS);
    enum { FULL = TICK_PACKETS / BATCH_MAXIMUM };
    cr_assert_eq(fixture.delivered, FULL + 2);
    expect_delivery(&fixture, FULL - 1, BATCH_MAXIMUM, BATCH_TICK, 10 * MS);
    end(&fixture);
}

Test(dispatch, hands_full_batches_over_within_a_tick)
{
    begin(&fixture, file_settings(), 10);
    for (unsigned i = 0; i < 25; i++)
        feed(&fixture, 1, 10 * MS);
    feed(&fixture, 1, 60 * MS);
    cr_assert_eq(fixture.delivered, 3);
    expect_delivery(&fixture, 0, 10, BATCH_PACKETS, 0);
    expect_delivery(&fixture, 1, 10, BATCH_PACKETS, 0);
    expect_delivery(&fixture, 2, 5, BATCH_TICK, 50 * MS);
    dispatch_end(&fixture.dispatch);
    end(&fixture);
}

Test(dispatch, ends_an_empty_source_with_one_tick)
{
    begin(&fixture, file_settings(), 10);
    dispatch_end(&fixture.dispatch);
    cr_assert_eq(fixture.delivered, 1);
    expect_delivery(&fixture, 0, 0, BATCH_SOURCE_END, -FRAMES_START_NS);
    end(&fixture);
}

// Shards.

Test(dispatch, gives_every_flow_to_one_shard)
{
    struct dispatch_settings settings = file_settings();
    settings.shards = 3;
    begin(&fixture, settings, 8);
    for (uint16_t port = 1; port <= 300; port++)
        feed(&fixture, port, 10 * MS);
    feed(&fixture, 1, 60 * MS);
    dispatch_end(&fixture.dispatch);
    cr_expect_eq(fixture.packets, 301);
    cr_expect_eq(fixture.misplaced, 0);
    for (unsigned shard = 0; shard < 3; shard++)
        cr_expect_gt(fixture.of_shard[shard], 30, "shard %u has %lu of 301", shard, fixture.of_shard[shard]);
    end(&fixture);
}

// Limits.

Test(dispatch, takes_as_many_packets_as_run_count_allows)
{
    struct dispatch_settings settings = file_settings();
    settings.packet_limit = 3;
    begin(&fixture, settings, 10);
    for (unsigned i = 0; i < 3; i++)
        feed(&fixture, 1, i * MS);
    struct frame frame = udp_frame(fixture.chunk, 1, 3 * MS);
    cr_expect_not(dispatch_frame(&fixture.dispatch, &frame));
    cr_expect_not(dispatch_frame(&fixture.dispatch, &frame));
    cr_expect_eq(fixture.totals.received, 3);
    dispatch_end(&fixture.dispatch);
    cr_expect_eq(fixture.packets, 3);
    end(&fixture);
}

// A pcapng file may claim any time at all.
Test(dispatch, survives_impossible_stamps)
{
    const int64_t stamps[] = {INT64_MAX, INT64_MIN, 0, INT64_MAX - 1, -1, INT64_MAX};
    begin(&fixture, file_settings(), 10);
    for (unsigned i = 0; i < sizeof stamps / sizeof stamps[0]; i++) {
        struct frame frame = udp_frame(fixture.chunk, 1, 0);
        frame.time_ns = stamps[i];
        cr_assert(dispatch_frame(&fixture.dispatch, &frame));
    }
    dispatch_end(&fixture.dispatch);
    cr_expect_eq(fixture.packets, 6);
    cr_expect(fixture.totals.first_packet_ns == -PACKET_CLOCK_LATEST_NS &&
              fixture.totals.last_packet_ns == PACKET_CLOCK_LATEST_NS);
    cr_expect_eq(fixture.totals.bounded_stamps, 4);
    end(&fixture);
}

// The clock.

Test(dispatch, rebases_a_clock_that_steps_back)
{
    begin(&fixture, file_settings(), 10);
    feed(&fixture, 1, 10 * NS_PER_S);
    feed(&fixture, 1, 10 * NS_PER_S - 500 * MS); // clamped
    cr_expect_eq(fixture.totals.clock_steps_back, 0);
    feed(&fixture, 1, 4 * NS_PER_S);
    feed(&fixture, 1, 4 * NS_PER_S + 10 * MS);
    cr_expect_eq(fixture.totals.clock_steps_back, 1);
    dispatch_end(&fixture.dispatch);
    const struct packet *last = &fixture.last;
    cr_expect_eq(last->time_ns, FRAMES_START_NS + 4 * NS_PER_S + 10 * MS, "the packet's own stamp");
    cr_expect_eq(last->now_ns, FRAMES_START_NS + 10 * NS_PER_S + 10 * MS);
    cr_expect_eq(last->clock_offset_ns, 6 * NS_PER_S);
    cr_expect_eq(fixture.delivered, 2, "no tick went backwards");
    end(&fixture);
}

// What is counted.

static void feed_bytes(const uint8_t *bytes, uint32_t captured, uint32_t length, uint16_t link_type)
{
    struct frame frame = frame_of(fixture.chunk, bytes, captured, 0);
    frame.length = length;
    frame.link_type = link_type;
    cr_assert(dispatch_frame(&fixture.dispatch, &frame));
}

Test(dispatch, counts_what_it_understood)
{
    static const uint8_t unknown[20] = {[12] = 0x99, [13] = 0x99}, short_frame[6];
    begin(&fixture, file_settings(), 100);
    feed(&fixture, 1, 0);
    feed_bytes(unknown, sizeof unknown, sizeof unknown, LINK_ETHERNET);
    feed_bytes(unknown, sizeof unknown, 1500, LINK_ETHERNET);
    feed_bytes(short_frame, sizeof short_frame, sizeof short_frame, LINK_ETHERNET);
    feed_bytes(short_frame, sizeof short_frame, sizeof short_frame, 499);
    const struct totals *totals = &fixture.totals;
    cr_expect_eq(totals->received, 5);
    cr_expect_eq(totals->received_bytes, UDP_FRAME_BYTES + 20 + 1500 + 6 + 6);
    cr_expect_eq(totals->interface[0].received, 5);
    cr_expect(totals->link_type_packets[LINK_ETHERNET] == 4 && totals->link_type_packets[499] == 1);
    cr_expect_eq(totals->unread, 4);
    cr_expect_eq(totals->snapped, 1);
    cr_expect_eq(totals->decode_errors[DECODE_LAYER_LINK][DECODE_UNSUPPORTED_LINK], 1);
    cr_assert_eq(totals->unsupported, 2);
    cr_expect(!totals->unsupported_kind[0].link && totals->unsupported_kind[0].number == 0x9999);
    cr_expect_eq(totals->unsupported_kind[0].packets, 2);
    cr_expect(totals->unsupported_kind[1].link && totals->unsupported_kind[1].number == 499);
    uint64_t errors = 0;
    for (int layer = 0; layer < DECODE_LAYERS; layer++)
        for (int reason = 0; reason < DECODE_REASONS; reason++)
            errors += totals->decode_errors[layer][reason];
    cr_expect_eq(errors, 4, "a packet has one reason at most");
    dispatch_end(&fixture.dispatch);
    cr_expect_eq(fixture.packets, 5, "all go to a shard: the ledger counts them there");
    end(&fixture);
}

Test(dispatch, bounds_the_list_of_unsupported_kinds)
{
    begin(&fixture, file_settings(), 100);
    for (unsigned i = 0; i < 3 * TOTALS_UNSUPPORTED; i++) {
        const uint8_t bytes[20] = {[12] = 0x99, [13] = (uint8_t)i};
        feed_bytes(bytes, sizeof bytes, sizeof bytes, LINK_ETHERNET);
    }
    cr_expect_eq(fixture.totals.unsupported, TOTALS_UNSUPPORTED);
    cr_expect_eq(fixture.totals.received, 3 * TOTALS_UNSUPPORTED);
    dispatch_end(&fixture.dispatch);
    end(&fixture);
}

Test(dispatch, gives_many_interfaces_the_last_row)
{
    begin(&fixture, file_settings(), 100);
    for (unsigned interface = TOTALS_INTERFACES - 2; interface < TOTALS_INTERFACES + 3; interface++) {
        struct frame frame = udp_frame(fixture.chunk, 1, 0);
        frame.interface = (uint16_t)interface;
        cr_assert(dispatch_frame(&fixture.dispatch, &frame));
    }
    cr_expect_eq(fixture.totals.interfaces, TOTALS_INTERFACES);
    cr_expect_eq(fixture.totals.interface[TOTALS_INTERFACES - 2].received, 1);
    cr_expect_eq(fixture.totals.interface[TOTALS_INTERFACES - 1].received, 4);
    dispatch_end(&fixture.dispatch);
    end(&fixture);
}

// The fragments of a datagram belong to its flow.
Test(dispatch, gives_later_fragments_their_ports)
{
    begin(&fixture, file_settings(), 100);
    struct frame first = udp_frame(fixture.chunk, 4000, 0), later = udp_frame(fixture.chunk, 0, MS);
    uint8_t *bytes = fixture.chunk->bytes;
    bytes[20] = 0x20;                   // more fragments
    bytes[UDP_FRAME_BYTES + 21] = 0x01; // 8 bytes on
    cr_assert(first.bytes == bytes && later.bytes == bytes + UDP_FRAME_BYTES);
    cr_assert(dispatch_frame(&fixture.dispatch, &first) && dispatch_frame(&fixture.dispatch, &later));
    dispatch_end(&fixture.dispatch);
    cr_expect_eq(fixture.totals.fragments, 2);
    cr_expect_eq(fixture.last.fragment, FRAGMENT_WHOLE);
    cr_expect(fixture.key.ports[0] == 4000 && fixture.key.ports[1] == 53);
    end(&fixture);
}

static void feed_fragment(unsigned number, uint8_t more, uint8_t place, int64_t at_ns)
{
    struct frame frame = udp_frame(fixture.chunk, 4000, at_ns);
    uint8_t *bytes = fixture.chunk->bytes + number * UDP_FRAME_BYTES;
    cr_assert(frame.bytes == bytes);
    bytes[20] = more;
    bytes[21] = place;
    cr_assert(dispatch_frame(&fixture.dispatch, &frame));
}

Test(dispatch, counts_datagrams_given_up)
{
    begin(&fixture, file_settings(), 100);
    feed_fragment(0, 0, 2, 0);
    feed_fragment(1, 0, 1, 0); // another end
    cr_expect_eq(fixture.totals.datagrams_given_up, 1);
    dispatch_end(&fixture.dispatch);
    end(&fixture);
}

Test(dispatch, later_fragments_that_come_first_wait)
{
    begin(&fixture, file_settings(), 100);
    feed_fragment(0, 0x20, 1, 0);
    feed_fragment(1, 0, 2, 10 * MS);
    cr_expect_eq(fixture.totals.fragments_waiting, 2);
    feed_fragment(2, 0x20, 0, 60 * MS); // in the next tick
    cr_expect_eq(fixture.totals.fragments_waiting, 0);
    dispatch_end(&fixture.dispatch);
    cr_expect_eq(fixture.packets, 3);
    cr_expect_eq(fixture.last.fragment, FRAGMENT_WHOLE);
    cr_expect(fixture.last.has_transport);
    cr_expect(fixture.key.ports[0] == 4000 && fixture.key.ports[1] == 53);
    end(&fixture);
}

Test(dispatch, what_waits_at_the_end_is_sent_all_the_same)
{
    begin(&fixture, file_settings(), 100);
    feed_fragment(0, 0x20, 1, 0);
    dispatch_end(&fixture.dispatch);
    cr_expect_eq(fixture.packets, 1);
    cr_expect_eq(fixture.totals.fragments_waiting, 0);
    cr_expect(fixture.key.ports[0] == 0 && fixture.key.ports[1] == 0);
    end(&fixture);
}

// Taps get every frame as it arrived, in order.
struct counting_consumer {
    struct tap_consumer consumer;
    uint64_t packets, out_of_order;
    int64_t last_ns;
};

static bool count_packet(struct tap_consumer *consumer, const struct frame *frame, uint64_t number)
{
    struct counting_consumer *counting = (struct counting_consumer *)consumer;
    counting->out_of_order += number != ++counting->packets;
    counting->last_ns = frame->time_ns;
    return true;
}

static void ignore_flush(struct tap_consumer *consumer)
{
    (void)consumer;
}

static bool finish_well(struct tap_consumer *consumer, uint64_t *unwritten, struct error *error)
{
    (void)consumer, (void)unwritten, (void)error;
    return true;
}

Test(dispatch, feeds_its_taps)
{
    static const struct tap_consumer_ops ops = {.name = "count",
                                                .packet = count_packet,
                                                .flush = ignore_flush,
                                                .finish = finish_well,
                                                .destroy = ignore_flush};
    struct counting_consumer counting = {.consumer = {&ops}};
    struct error error;
    struct tap *tap = tap_create(&counting.consumer, 65536, &error);
    cr_assert_not_null(tap);
    begin(&fixture, file_settings(), 10);
    dispatch_add_tap(&fixture.dispatch, tap);
    for (unsigned i = 0; i < 999; i++)
        feed(&fixture, 1, i * MS / 100);
    struct frame frame = udp_frame(fixture.chunk, 1, 0);
    frame.time_ns = -1;
    cr_assert(dispatch_frame(&fixture.dispatch, &frame));
    dispatch_end(&fixture.dispatch);
    cr_expect(tap_finish(tap, &error));
    tap_destroy(tap);
    cr_expect(counting.packets == 1000 && counting.out_of_order == 0);
    cr_expect_eq(counting.last_ns, -1, "the stamp as it came, however odd");
    end(&fixture);
}

// What cannot be.

Test(dispatch, a_length_that_no_frame_has_is_what_the_headers_say)
{
    begin(&fixture, file_settings(), 10);
    struct frame frame = udp_frame(fixture.chunk, 53, 10 * MS);
    uint32_t length = frame.length;
    frame.length = UINT32_MAX;
    cr_assert(dispatch_frame(&fixture.dispatch, &frame));
    dispatch_end(&fixture.dispatch);
    cr_expect_eq(fixture.last.length, length);
    cr_expect_eq(fixture.totals.received_bytes, length);
    cr_expect_eq(fixture.totals.impossible_lengths, 1);
    end(&fixture);
}

Test(dispatch, or_else_the_greatest_that_one_has)
{
    begin(&fixture, file_settings(), 10);
    struct frame frame = udp_frame(fixture.chunk, 53, 10 * MS);
    frame.length = UINT32_MAX;
    frame.link_type = 195; // not decoded
    cr_assert(dispatch_frame(&fixture.dispatch, &frame));
    dispatch_end(&fixture.dispatch);
    cr_expect_eq(fixture.totals.received_bytes, FRAME_CAPTURED_MAX);
    end(&fixture);
}

Test(dispatch, stamps_before_1970_are_told)
{
    begin(&fixture, file_settings(), 10);
    feed(&fixture, 53, -FRAMES_START_NS - NS_PER_S / 2);
    feed(&fixture, 53, -FRAMES_START_NS + NS_PER_S / 2);
    dispatch_end(&fixture.dispatch);
    cr_expect_eq(fixture.last.time_ns, NS_PER_S / 2);
    cr_expect_eq(fixture.totals.first_packet_ns, -NS_PER_S / 2);
    cr_expect_eq(fixture.totals.clock_steps_back, 0);
    cr_expect_eq(fixture.totals.bounded_stamps, 0);
    end(&fixture);
}

Test(dispatch, a_stamp_that_cannot_be_told_is_said_to_be_so)
{
    begin(&fixture, file_settings(), 10);
    feed(&fixture, 53, INT64_MIN / 2 - FRAMES_START_NS - 5);
    dispatch_end(&fixture.dispatch);
    cr_expect_eq(fixture.last.time_ns, -PACKET_CLOCK_LATEST_NS);
    cr_expect_eq(fixture.totals.bounded_stamps, 1);
    end(&fixture);
}
