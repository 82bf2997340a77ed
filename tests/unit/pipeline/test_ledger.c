#include "counting_source.h"

static const struct source_ops lossless_ops = {
    .name = "lossless",
    .lossless = true,
    .interfaces = counting_interfaces,
    .interface = counting_interface,
};

// Packets that reached the dispatch and were analysed.
static void deliver(struct totals *totals, struct counting_source *source, unsigned interface,
                    uint64_t packets)
{
    totals->interface[interface].delivered += packets;
    totals->interface[interface].received += packets;
    totals->received += packets;
    totals->analysed += packets;
    source->drops[interface].delivered += packets;
    source->drops[interface].received += packets;
}

static void expect_closed(struct totals *totals, struct counting_source *source)
{
    struct error error = {0};
    ledger_take_drops(&source->ledger, &source->source);
    cr_expect(ledger_check(totals, totals, &source->source, &error), "%s", error.text);
}

static void expect_open(struct totals *totals, struct counting_source *source, const char *sentence)
{
    struct error error = {0};
    ledger_take_drops(&source->ledger, &source->source);
    cr_expect_not(ledger_check(totals, totals, &source->source, &error));
    cr_expect_eq(error.kind, ERROR_INTERNAL);
    cr_expect_not_null(strstr(error.text, sentence), "%s", error.text);
}

static void expect_lost(const struct totals *totals, enum lost_cause cause, uint64_t packets)
{
    for (int other = 0; other < LOST_CAUSES; other++)
        cr_expect_eq(totals->lost[other], other == (int)cause ? packets : 0, "cause %d", other);
}

Test(ledger, puts_what_the_ring_dropped_into_its_bucket)
{
    static struct totals totals;
    struct counting_source source;
    counting_init(&source, &totals);
    deliver(&totals, &source, 1, 100);
    source.drops[1].kernel_dropped = 7;
    source.drops[1].received += 7;
    expect_closed(&totals, &source);
    expect_lost(&totals, LOST_KERNEL_RING, 7);
    cr_expect_eq(totals.received, 107);
    cr_expect_eq(totals.interface[1].lost[LOST_KERNEL_RING], 7);
    cr_expect_eq(totals.interface[0].received, 0);
}

Test(ledger, puts_what_found_no_chunk_and_no_batch_into_one)
{
    static struct totals totals;
    struct counting_source source;
    counting_init(&source, &totals);
    deliver(&totals, &source, 0, 100);
    source.drops[0].no_chunk = 5; // never delivered
    source.drops[0].received += 5;
    for (int i = 0; i < 3; i++) // of the delivered
        ledger_count_no_batch(&source.ledger, 0);
    totals.analysed -= 3;
    expect_closed(&totals, &source);
    expect_lost(&totals, LOST_DISPATCH_QUEUE, 8);
    cr_expect_eq(totals.received, 105);
}

Test(ledger, puts_what_was_not_read_into_its_bucket)
{
    static struct totals totals;
    struct counting_source source;
    counting_init(&source, &totals);
    deliver(&totals, &source, 0, 10);
    deliver(&totals, &source, 1, 20);
    for (unsigned i = 0; i < INTERFACES; i++) {
        source.drops[i].unread = 4;
        source.drops[i].received += 4;
    }
    expect_closed(&totals, &source);
    expect_lost(&totals, LOST_STOP_UNREAD, 8);
    cr_expect_eq(totals.received, 38);
}

Test(ledger, leaves_out_what_comes_behind_the_count)
{
    static struct totals totals;
    struct counting_source source;
    counting_init(&source, &totals);
    deliver(&totals, &source, 1, 10);
    const struct frame frames[3] = {{.interface = 1}, {.interface = 1}, {.interface = 0}};
    ledger_count_unwanted(&source.ledger, frames, 3);
    source.drops[1].received += 2;
    source.drops[0].received += 1;
    expect_closed(&totals, &source);
    cr_expect_eq(totals.received, 10);
    cr_expect_eq(totals.interface[1].unwanted, 2);
    cr_expect_eq(totals.interface[0].unwanted, 1);
    cr_expect_eq(totals_lost(&totals), 0);
}

Test(ledger, keeps_what_an_interface_dropped_itself_outside)
{
    static struct totals totals;
    struct counting_source source;
    counting_init(&source, &totals);
    deliver(&totals, &source, 0, 10);
    source.drops[0].interface_dropped = 1000;
    expect_closed(&totals, &source);
    cr_expect_eq(totals.received, 10);
    cr_expect_eq(totals.interface[0].interface_dropped, 1000);
}

Test(ledger, counts_drops_once_however_often_it_takes_them)
{
    static struct totals totals;
    struct counting_source source;
    counting_init(&source, &totals);
    deliver(&totals, &source, 0, 10);
    source.drops[0].kernel_dropped = 2;
    source.drops[0].received += 2;
    for (unsigned i = 0; i < 3; i++)
        expect_closed(&totals, &source);
    expect_lost(&totals, LOST_KERNEL_RING, 2);
    cr_expect_eq(totals.received, 12);
}

Test(ledger, names_the_interface_that_misses_a_packet)
{
    static struct totals totals;
    struct counting_source source;
    counting_init(&source, &totals);
    deliver(&totals, &source, 0, 10);
    deliver(&totals, &source, 1, 10);
    source.drops[1].received++;
    expect_open(&totals, &source,
                "the ledger of eth1 does not add up: libpcap counted 11 packets, NetScope 10;");
    source.drops[1].received -= 2;
    expect_open(&totals, &source,
                "the ledger of eth1 does not add up: libpcap counted 9 packets, NetScope 10;");
    source.drops[1].received++;
    source.drops[0].received++;
    expect_open(&totals, &source, "the ledger of eth0 ");
}

Test(ledger, does_not_hold_an_inexact_count_against_anything)
{
    static struct totals totals;
    struct counting_source source;
    counting_init(&source, &totals);
    deliver(&totals, &source, 1, 10);
    source.drops[1].received = 5;
    source.drops[1].exact = false;
    expect_closed(&totals, &source);
}

Test(ledger, misses_a_packet_that_no_shard_counted)
{
    static struct totals totals;
    struct counting_source source;
    counting_init(&source, &totals);
    deliver(&totals, &source, 1, 10);
    totals.analysed--;
    expect_open(&totals, &source, "the ledger does not add up: 1 of 10 packets are in no bucket");
    totals.duplicate = 2;
    expect_open(&totals, &source, "the ledger does not add up: -1 of 10 packets");
    source.source.ops = &lossless_ops;
    struct error error = {0};
    cr_expect_not(ledger_check(&totals, &totals, &source.source, &error), "of a file too");
}
