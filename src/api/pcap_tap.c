#include "api/pcap_tap.h"

#include <stdlib.h>
#include <string.h>

#include "capture/filter.h"
#include "control/control.h"
#include "control/shares.h"

enum { LINK_TYPE_SLL2 = 276, SLL2_INDEX_AT = 4 };

struct pcap_tap {
    struct tap_consumer consumer; // first
    struct control *control;
    const struct source *source;
    struct tap *tap;
    bool added;
    struct pcap_want want;
    const struct source_interface *last; // that was met, and whether it is wanted
    bool last_wanted;
};

static bool is_named(const struct pcap_want *want, const char *name)
{
    for (unsigned i = 0; i < want->interface_count; i++)
        if (strcmp(want->interfaces[i], name) == 0)
            return true;
    return false;
}

bool pcap_want_has(const struct pcap_want *want, const struct source_interface *interface)
{
    return want->interface_count == 0 || is_named(want, interface->name) ||
           is_named(want, interface->configured);
}

// The kernel's interface behind a frame of "any".
static bool is_link_named(const struct pcap_tap *pcap_tap, const struct frame *frame)
{
    char name[SOURCE_LINK_NAME_BYTES];
    if (frame->link_type != LINK_TYPE_SLL2 || frame->captured < SLL2_INDEX_AT + 4)
        return false;
    const uint8_t *at = frame->bytes + SLL2_INDEX_AT;
    uint32_t index = (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
    return source_link_name(pcap_tap->source, index % SOURCE_LINKS, name) && is_named(&pcap_tap->want, name);
}

static bool is_interface_wanted(struct pcap_tap *pcap_tap, const struct frame *frame)
{
    const struct pcap_want *want = &pcap_tap->want;
    const struct source_interface *interface = source_interface(pcap_tap->source, frame->interface);
    if (interface != pcap_tap->last) {
        pcap_tap->last = interface;
        pcap_tap->last_wanted = pcap_want_has(want, interface);
    }
    return pcap_tap->last_wanted || is_link_named(pcap_tap, frame);
}

static bool wants(struct tap_consumer *consumer, const struct frame *frame, uint64_t number,
                  uint32_t *captured)
{
    struct pcap_tap *pcap_tap = (struct pcap_tap *)consumer;
    const struct pcap_want *want = &pcap_tap->want;
    (void)number;
    if (want->interface_count > 0 && !is_interface_wanted(pcap_tap, frame))
        return false;
    if (want->take_filter != NULL && filter_accepts(want->take_filter, frame) == 0)
        return false;
    if (*captured > want->snaplen)
        *captured = want->snaplen;
    return true;
}

static void keep_consumer(struct tap_consumer *consumer)
{
    (void)consumer; // the tap is its part
}

static const struct tap_consumer_ops ops = {
    .name = "pcap-stream",
    .never_waited_for = true,
    .wants = wants,
    .destroy = keep_consumer,
};

struct pcap_tap *pcap_tap_create(struct control *control, const struct pcap_want *want, struct error *error)
{
    struct pcap_tap *pcap_tap = calloc(1, sizeof *pcap_tap);
    if (pcap_tap == NULL) {
        filter_destroy(want->take_filter);
        error_set(error, ERROR_EXHAUSTED, "no memory for the packets");
        return NULL;
    }
    *pcap_tap = (struct pcap_tap){
        .consumer = {&ops}, .control = control, .source = control_source(control), .want = *want};
    pcap_tap->tap = tap_create(&pcap_tap->consumer, control_shares(control)->capture_bytes, error);
    pcap_tap->added = pcap_tap->tap != NULL && control_add_tap(control, pcap_tap->tap, error);
    if (pcap_tap->added)
        return pcap_tap;
    pcap_tap_destroy(pcap_tap);
    return NULL;
}

void pcap_tap_destroy(struct pcap_tap *pcap_tap)
{
    if (pcap_tap == NULL)
        return;
    if (pcap_tap->added)
        control_remove_tap(pcap_tap->control, pcap_tap->tap);
    tap_destroy(pcap_tap->tap);
    filter_destroy(pcap_tap->want.take_filter);
    free(pcap_tap);
}

struct tap *pcap_tap_ring(struct pcap_tap *pcap_tap)
{
    return pcap_tap->tap;
}
