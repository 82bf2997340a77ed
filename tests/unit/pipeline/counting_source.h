// A source that counts as a live one, for tests of the ledger.
#pragma once

#include <criterion/criterion.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/time.h"
#include "capture/clock.h"
#include "frames.h"
#include "pipeline/ledger.h"

enum { INTERFACES = 2 };

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

static inline struct counting_source *counting_of(struct source *source)
{
    return (struct counting_source *)source;
}

static inline enum source_result counting_poll(struct source *source, int timeout_ms, struct frame *frames,
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

static inline unsigned counting_interfaces(const struct source *source)
{
    (void)source;
    return INTERFACES;
}

static inline const struct source_interface *counting_interface(const struct source *source, unsigned index)
{
    return &((const struct counting_source *)source)->interfaces[index];
}

static inline bool counting_drops(struct source *source, bool first, struct source_drops *out)
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

static inline void counting_stop(struct source *source, bool drain)
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

// Two interfaces, eth0 and eth1, that counted nothing yet, and whose rows are numbered alike.
static inline void counting_init(struct counting_source *source, struct totals *totals)
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

// Rows of a run are in the order in which their interfaces began to count.
static inline const struct interface_totals *row_of(const struct totals *totals, unsigned interface)
{
    for (unsigned i = 0; i < totals->interfaces; i++)
        if (totals->interface[i].number == interface)
            return &totals->interface[i];
    cr_assert_fail("interface %u has no row", interface);
    return NULL;
}
