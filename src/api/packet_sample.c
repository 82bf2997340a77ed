#include "api/packet_sample.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "api/packet_call.h"
#include "capture/record/tap.h"
#include "control/control.h"
#include "control/generation.h"
#include "pipeline/frame_packet.h"

enum { RING_BYTES = 1 << 20 };

struct packet_sample {
    struct tap_consumer consumer; // first
    struct control *control;
    struct event_log *log;
    uint32_t rate, payload_bytes; // web.sample_rate (0 = none), web.payload_bytes
    bool watches_itself;          // files for the page
    pthread_mutex_t lock;         // of who watches:
    unsigned watchers;
    struct tap *tap; // NULL = nobody does
    // The tap's thread, of which there is one at a time.
    bool seen_over, closed;
};

uint64_t packet_sample_most_bytes(uint32_t packets)
{
    return RING_BYTES + event_log_most_blocks(packets, PACKET_BLOCK_EVENTS) * sizeof(struct packet_block);
}

static struct packet_sample *sample_of(struct tap_consumer *consumer)
{
    return (struct packet_sample *)consumer;
}

static bool wants(struct tap_consumer *consumer, const struct frame *frame, uint64_t number,
                  uint32_t *captured)
{
    const struct packet_sample *sample = sample_of(consumer);
    uint32_t most = PACKET_HEADERS_BYTES + sample->payload_bytes;
    (void)frame;
    if (*captured > most)
        *captured = most;
    return sample->rate != 0 && number % sample->rate == 0;
}

// The block with a place for an event of so many bytes; NULL without memory.
static struct packet_block *open_block(struct event_log *log, uint32_t bytes)
{
    struct packet_block *block = (struct packet_block *)event_log_open(log);
    bool has_room = block == NULL || (block->head.made < PACKET_BLOCK_EVENTS &&
                                      block->head.used + bytes <= PACKET_BLOCK_BYTES);
    if (has_room)
        return block;
    event_log_shut(log);
    return (struct packet_block *)event_log_open(log);
}

static bool keep(struct packet_sample *sample, const struct frame *frame, const struct packet *packet)
{
    uint64_t wanted = (uint64_t)packet->payload_offset + sample->payload_bytes;
    uint32_t kept = wanted < frame->captured ? (uint32_t)wanted : frame->captured;
    struct packet_block *block = open_block(sample->log, kept);
    if (block == NULL) {
        event_log_skip(sample->log, 1);
        return false;
    }
    assert(kept <= PACKET_BLOCK_BYTES - block->head.used && block->head.made < PACKET_BLOCK_EVENTS);
    uint8_t *bytes = block->bytes + block->head.used;
    if (kept > 0)
        memcpy(bytes, frame->bytes, kept);
    block->events[block->head.made++] = (struct packet_event){.number = packet->number,
                                                              .time_ns = frame->time_ns,
                                                              .length = frame->length,
                                                              .captured = frame->captured,
                                                              .kept = kept,
                                                              .interface = frame->interface,
                                                              .link_type = frame->link_type,
                                                              .bytes = bytes};
    block->head.used += kept;
    event_log_publish(sample->log, true);
    return true;
}

static bool take_packet(struct tap_consumer *consumer, const struct frame *frame, uint64_t number)
{
    struct packet_sample *sample = sample_of(consumer);
    struct packet packet;
    frame_decode(frame, number, &(struct decode_options){.tunnels = true}, &packet);
    if (packet_is_own(control_own_connections(sample->control), &packet))
        return true;
    return keep(sample, frame, &packet);
}

// In a lull: what came before the run was over is in the log by then.
static void end_burst(struct tap_consumer *consumer)
{
    struct packet_sample *sample = sample_of(consumer);
    event_log_wake(sample->log);
    if (sample->seen_over && !sample->closed) {
        event_log_close(sample->log);
        sample->closed = true;
    }
    sample->seen_over = control_is_over(sample->control);
}

static bool finish(struct tap_consumer *consumer, uint64_t *unwritten, struct error *error)
{
    (void)consumer, (void)unwritten, (void)error;
    return true;
}

static void keep_consumer(struct tap_consumer *consumer)
{
    (void)consumer; // it is the sample
}

static const struct tap_consumer_ops ops = {
    .name = "packet-sample",
    .never_waited_for = true,
    .wants = wants,
    .packet = take_packet,
    .flush = end_burst,
    .finish = finish,
    .destroy = keep_consumer,
};

struct packet_sample *packet_sample_create(struct control *control)
{
    const struct generation *generation = control_generation(control);
    const struct web_settings *web = &generation->settings.web;
    struct event_log_setup setup = {.capacity = web->packet_buffer,
                                    .block_bytes = sizeof(struct packet_block),
                                    .block_events = PACKET_BLOCK_EVENTS,
                                    .keep_history = true};
    struct packet_sample *sample = calloc(1, sizeof *sample);
    if (sample != NULL) {
        *sample = (struct packet_sample){.consumer = {&ops},
                                         .control = control,
                                         .rate = web->sample_rate,
                                         .payload_bytes = web->payload_bytes};
        pthread_mutex_init(&sample->lock, NULL);
        sample->log = event_log_create(&setup);
    }
    bool for_page =
        web->listener.enabled && !control_is_live(control) && !generation->settings.run.exit_at_end;
    generation_release(generation);
    if (sample != NULL && sample->log == NULL) {
        packet_sample_destroy(sample);
        return NULL;
    }
    struct error error; // without memory the sample begins with the first who watches
    if (sample != NULL && for_page)
        sample->watches_itself = packet_sample_watch(sample, &error);
    return sample;
}

void packet_sample_destroy(struct packet_sample *sample)
{
    if (sample == NULL)
        return;
    if (sample->watches_itself)
        packet_sample_leave(sample);
    assert(sample->watchers == 0);
    event_log_destroy(sample->log);
    pthread_mutex_destroy(&sample->lock);
    free(sample);
}

static bool begin_tap(struct packet_sample *sample, struct error *error)
{
    struct tap *tap = tap_create(&sample->consumer, RING_BYTES, error);
    if (tap == NULL)
        return false;
    if (control_add_tap(sample->control, tap, error)) {
        sample->tap = tap;
        return true;
    }
    tap_destroy(tap);
    return false;
}

bool packet_sample_watch(struct packet_sample *sample, struct error *error)
{
    pthread_mutex_lock(&sample->lock);
    bool good = sample->watchers > 0 || begin_tap(sample, error);
    sample->watchers += good;
    pthread_mutex_unlock(&sample->lock);
    return good;
}

void packet_sample_leave(struct packet_sample *sample)
{
    pthread_mutex_lock(&sample->lock);
    assert(sample->watchers > 0);
    if (--sample->watchers == 0) {
        control_remove_tap(sample->control, sample->tap);
        tap_destroy(sample->tap);
        sample->tap = NULL;
    }
    pthread_mutex_unlock(&sample->lock);
}

struct event_log *packet_sample_log(struct packet_sample *sample)
{
    return sample->log;
}
