#include "pipeline/ledger.h"

#include <criterion/criterion.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/time.h"
#include "capture/chunk.h"
#include "capture/clock.h"
#include "frames.h"
#include "pipeline/pipeline.h"

enum { INTERFACES = 2, GIVEN_PACKETS = 180 };

// A source as a live one counts: what its interfaces lost is the test's to say. When it is polled it gives
// frames until `left` is 0, a millisecond apart.
struct counting_source {
    struct source source; // first
    struct source_interface interfaces[INTERFACES];
    struct source_drops drops[INTERFACES], told[INTERFACES];
    unsigned told_count;
    struct ledger ledger;
    unsigned left, at_once; // frames
    unsigned given;
    struct chunk *chunk;
    atomic_bool ended; // no more frames
    bool stopped;
};

static struct counting_source *counting_of(struct source *source)
{
    return (struct counting_source *)source;
}

static enum source_result counting_poll(struct source *source, int timeout_ms, struct frame *frames,
                                        unsigned capacity, unsigned *count)
{
    struct counting_source *counting = counting_of(source);
    (void)timeout_ms;
    *count = 0;
    if (counting->left == 0 || counting->stopped) {
        atomic_store(&counting->ended, true);
        return SOURCE_END;
    }
    usleep(1000);
    for (; *count < counting->at_once && *count < capacity && counting->left > 0; counting->left--) {
        struct frame frame = udp_frame(counting->chunk, (uint16_t)(1000 + counting->given++), 0);
        frame.time_ns = clock_wall_ns();
        frame.interface = 1;
        frames[(*count)++] = frame;
        counting->drops[1].delivered++;
        counting->drops[1].received++;
    }
    return SOURCE_FRAMES;
}

static unsigned counting_interfaces(const struct source *source)
{
    (void)source;
    return INTERFACES;
}

static const struct source_interface *counting_interface(const struct source *source, unsigned index)
{
    return &((const struct counting_source *)source)->interfaces[index];
}

static bool counting_drops(struct source *source, bool first, struct source_drops *out)
{
    struct counting_source *counting = counting_of(source);
    if (first)
        counting->told_count = 0;
    if (counting->told_count == INTERFACES)
        return false;
    unsigned i = counting->told_count++;
    const struct source_drops *now = &counting->drops[i], *told = &counting->told[i];
    *out = (struct source_drops){
        .interface = (uint16_t)i,
        .left = now->left,
        .exact = now->exact,
        .received = now->received - told->received,
        .kernel_dropped = now->kernel_dropped - told->kernel_dropped,
        .interface_dropped = now->interface_dropped - told->interface_dropped,
        .delivered = now->delivered - told->delivered,
        .no_chunk = now->no_chunk - told->no_chunk,
        .unread = now->unread - told->unread,
    };
    counting->told[i] = *now;
    return true;
}

static void counting_stop(struct source *source, bool drain)
{
    (void)drain;
    counting_of(source)->stopped = true;
}

static const struct source_ops counting_ops = {
    .name = "counting",
    .poll = counting_poll,
    .interfaces = counting_interfaces,
    .interface = counting_interface,
    .drops = counting_drops,
    .stop = counting_stop,
};

static const struct source_ops lossless_ops = {
    .name = "lossless",
    .lossless = true,
    .interfaces = counting_interfaces,
    .interface = counting_interface,
};

// Two interfaces, eth0 and eth1, that counted nothing yet, and whose rows are numbered alike.
static void counting_init(struct counting_source *source, struct totals *totals)
{
    *source = (struct counting_source){.source.ops = &counting_ops, .at_once = 1};
    for (unsigned i = 0; i < INTERFACES; i++) {
        strcpy(source->interfaces[i].name, i == 0 ? "eth0" : "eth1");
        source->interfaces[i].word = (uint16_t)i;
        source->drops[i].exact = true;
    }
    ledger_init(&source->ledger, totals, &source->source);
    ledger_take_drops(&source->ledger, &source->source);
}

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

// Rows of a run are in the order in which their interfaces began to count.
static const struct interface_totals *row_of(const struct totals *totals, unsigned interface)
{
    for (unsigned i = 0; i < totals->interfaces; i++)
        if (totals->interface[i].number == interface)
            return &totals->interface[i];
    cr_assert_fail("interface %u has no row", interface);
    return NULL;
}

// --- Interfaces that come and go ---

enum { PODS = 3000, WORD = 0 };

// A source whose interfaces, all but the first, are behind one word; what they counted is the test's to say.
struct many_source {
    struct source source; // first
    struct source_interface interfaces[PODS + 1];
    const struct source_drops *drops;
    unsigned count, told;
};

static const struct source_interface *many_interface(const struct source *source, unsigned index)
{
    return &((const struct many_source *)source)->interfaces[index];
}

static bool many_drops(struct source *source, bool first, struct source_drops *out)
{
    struct many_source *many = (struct many_source *)source;
    if (first)
        many->told = 0;
    if (many->told == many->count)
        return false;
    *out = many->drops[many->told++];
    return true;
}

static const struct source_ops many_ops = {
    .name = "many",
    .interface = many_interface,
    .drops = many_drops,
};

static void many_init(struct many_source *many)
{
    *many = (struct many_source){.source.ops = &many_ops};
    strcpy(many->interfaces[WORD].name, "pod*");
    for (unsigned i = 1; i <= PODS; i++)
        snprintf(many->interfaces[i].name, sizeof many->interfaces[i].name, "pod%u", i);
}

static void take(struct ledger *ledger, struct many_source *many, const struct source_drops *drops,
                 unsigned count)
{
    many->drops = drops;
    many->count = count;
    ledger_take_drops(ledger, &many->source);
}

// A frame of the interface, as dispatch counts it.
static void count_frame(struct ledger *ledger, unsigned interface)
{
    struct interface_totals *row = ledger_row(ledger, interface);
    row->delivered++;
    row->received++;
    ledger->totals->received++;
    ledger->totals->analysed++;
}

Test(ledger, folds_interfaces_that_are_gone_into_their_word)
{
    static struct totals totals;
    static struct many_source many;
    static struct ledger ledger;
    struct error error = {0};
    many_init(&many);
    ledger_init(&ledger, &totals, &many.source);
    for (unsigned i = 1; i <= PODS; i++) {
        struct source_drops come = {.interface = (uint16_t)i, .exact = true, .received = 1, .delivered = 1};
        struct source_drops go = {
            .interface = (uint16_t)i, .exact = true, .left = true, .received = 1000, .kernel_dropped = 1000};
        take(&ledger, &many, &come, 1);
        count_frame(&ledger, i);
        cr_assert_leq(totals.interfaces, 2);
        cr_assert_str_eq(many.interfaces[row_of(&totals, i)->number].name, many.interfaces[i].name);
        take(&ledger, &many, &go, 1);
        cr_assert_eq(totals.interfaces, 1, "a tick costs what is open");
    }
    cr_expect_eq(totals.interface[0].number, WORD);
    cr_expect_eq(totals.interface[0].lost[LOST_KERNEL_RING], 1000 * PODS);
    cr_expect_eq(totals.interface[0].received, 1001 * PODS);
    cr_expect_eq(totals.lost[LOST_KERNEL_RING], 1000 * PODS);
    cr_expect(ledger_check(&totals, &totals, &many.source, &error), "%s", error.text);
    totals.interface[0].source_received++;
    cr_expect_not(ledger_check(&totals, &totals, &many.source, &error));
    cr_expect_not_null(strstr(error.text, "the ledger of pod* "), "%s", error.text);
}

Test(ledger, counts_more_at_a_time_than_it_has_rows)
{
    static struct totals totals;
    static struct many_source many;
    static struct ledger ledger;
    static struct source_drops drops[PODS];
    struct error error = {0};
    many_init(&many);
    ledger_init(&ledger, &totals, &many.source);
    for (unsigned round = 0; round < 4; round++) {
        for (unsigned i = 0; i < PODS; i++) {
            drops[i] = (struct source_drops){.interface = (uint16_t)(i + 1),
                                             .exact = true,
                                             .received = 3,
                                             .delivered = 1,
                                             .kernel_dropped = 2};
            count_frame(&ledger, i + 1);
            drops[i].left = round == 3 || (round == 1 && i % 2 == 0);
        }
        take(&ledger, &many, drops, PODS);
        cr_assert_leq(totals.interfaces, TOTALS_INTERFACES);
        cr_expect(ledger_check(&totals, &totals, &many.source, &error), "%s", error.text);
    }
    cr_expect_eq(totals.interfaces, 1);
    cr_expect_eq(totals.received, 4 * 3 * PODS);
    cr_expect_eq(totals.interface[0].received, 4 * 3 * PODS);
    cr_expect_eq(totals.lost[LOST_KERNEL_RING], 4 * 2 * PODS);
}

Test(ledger, gives_a_number_that_is_used_again_a_row_of_its_own)
{
    static struct totals totals;
    static struct many_source many;
    static struct ledger ledger;
    many_init(&many);
    ledger_init(&ledger, &totals, &many.source);
    struct source_drops drops = {
        .interface = 7, .exact = true, .left = true, .received = 5, .kernel_dropped = 5};
    take(&ledger, &many, &drops, 1);
    strcpy(many.interfaces[7].name, "new0");
    drops.left = false;
    take(&ledger, &many, &drops, 1);
    cr_expect_eq(row_of(&totals, 7)->lost[LOST_KERNEL_RING], 5);
    cr_expect_eq(row_of(&totals, WORD)->lost[LOST_KERNEL_RING], 5);
    cr_expect_eq(totals.lost[LOST_KERNEL_RING], 10);
}

// --- Runs ---

// A run whose consumer is stuck until the source has ended: shards fall behind.

struct stuck_consumer {
    struct tick_consumer consumer; // first
    const struct counting_source *source;
};

static void take_late(struct tick_consumer *consumer, struct pipeline_tick *tick)
{
    const struct stuck_consumer *stuck = (const struct stuck_consumer *)consumer;
    while (stuck->source != NULL && !atomic_load(&stuck->source->ended))
        usleep(1000);
    for (const struct flow_record *record; (record = tick_next_ended(tick)) != NULL;)
        flow_names_free(record->names);
}

// Runs `source` over `workers` shards and gives its totals.
static bool run(struct counting_source *source, unsigned workers, uint64_t limit, bool stuck,
                struct totals *totals, struct error *error)
{
    struct chunk_pool *pool = chunk_pool_create(1, CHUNK_BYTES);
    source->chunk = chunk_pool_take(pool, 0);
    struct stuck_consumer consumer = {.consumer.tick = take_late, .source = stuck ? source : NULL};
    struct pipeline_setup setup = {
        .policy = {.hash_seed = 5},
        .tick_ns = 2 * NS_PER_MS,
        .packet_limit = limit,
        .workers = workers,
        .threads = workers > 1 ? workers : 0,
        .batch = 1,
    };
    struct pipeline *pipeline = pipeline_create(&setup, &source->source, &consumer.consumer, error);
    cr_assert_not_null(pipeline);
    bool good = pipeline_run(pipeline, error);
    *totals = *pipeline_totals(pipeline);
    pipeline_destroy(pipeline);
    chunk_release(source->chunk);
    chunk_pool_destroy(pool);
    return good;
}

Test(ledger, of_a_run_whose_shards_are_behind_is_closed, .timeout = 60)
{
    static struct totals totals;
    struct counting_source source;
    struct error error = {0};
    counting_init(&source, &totals);
    source.left = GIVEN_PACKETS;
    cr_expect(run(&source, 2, 0, true, &totals, &error), "%s", error.text);
    cr_expect_eq(totals.received, GIVEN_PACKETS);
    cr_expect_gt(totals.lost[LOST_DISPATCH_QUEUE], 0);
    cr_expect_gt(totals.analysed, 0);
    cr_expect_eq(totals.analysed + totals.lost[LOST_DISPATCH_QUEUE], GIVEN_PACKETS);
    cr_expect_eq(row_of(&totals, 1)->lost[LOST_DISPATCH_QUEUE], totals.lost[LOST_DISPATCH_QUEUE]);
}

// However few packets a batch is to have: the shards stand still after some ticks, and what comes then is kept.
Test(ledger, of_a_run_with_small_batches_has_room_for_a_moment, .timeout = 60)
{
    enum { POLLS = 40, AT_ONCE = 80 };
    static struct totals totals;
    struct counting_source source;
    struct error error = {0};
    counting_init(&source, &totals);
    source.left = POLLS * AT_ONCE;
    source.at_once = AT_ONCE;
    cr_expect(run(&source, 3, 0, true, &totals, &error), "%s", error.text);
    cr_expect_eq(totals.received, POLLS * AT_ONCE);
    cr_expect_eq(totals.lost[LOST_DISPATCH_QUEUE], 0);
    cr_expect_eq(totals.analysed, POLLS * AT_ONCE);
}

Test(ledger, of_a_run_knows_its_source_to_the_packet, .timeout = 60)
{
    static struct totals totals;
    for (unsigned workers = 1; workers <= 3; workers += 2) {
        struct counting_source source;
        struct error error = {0};
        counting_init(&source, &totals);
        source.left = 50;
        source.drops[1].received = 1; // one that nobody handed over
        cr_expect_not(run(&source, workers, 0, false, &totals, &error));
        cr_expect_eq(error.kind, ERROR_INTERNAL);
        cr_expect_not_null(
            strstr(error.text, "of eth1 does not add up: libpcap counted 51 packets, NetScope 50;"), "%s",
            error.text);
    }
}

// The frames of the poll that reaches the count are there, and nobody wants them.
Test(ledger, of_a_run_with_a_count_is_closed, .timeout = 60)
{
    static struct totals totals;
    for (unsigned workers = 1; workers <= 3; workers += 2) {
        struct counting_source source;
        struct error error = {0};
        counting_init(&source, &totals);
        source.left = 60;
        source.at_once = 20;
        cr_expect(run(&source, workers, 25, false, &totals, &error), "%s", error.text);
        cr_expect_eq(totals.received, 25);
        cr_expect_eq(totals.analysed, 25);
        cr_expect_eq(row_of(&totals, 1)->unwanted, 15);
    }
}
