// The sample: packets with the beginning of their payload, as a log that WatchPackets reads and GetPacket looks into. It grows
// while somebody watches, by a tap and a thread of its own; what it holds stays until then. While nobody watches, nothing is
// copied and no packet costs anything. Files that are read for the page are over before anybody could watch: they are watched
// from the start. A file does not wait for it. Owned by the api; any thread.
//
// Bounded: web.packet_buffer packets in blocks of 36 KiB, two and a half MiB as the settings are by default, in all.
#pragma once

#include "aggregate/event_log.h"
#include "base/error.h"

struct control;

struct packet_event {
    uint64_t number; // in the run
    int64_t time_ns;
    uint32_t length, captured; // on the wire; that the capture had
    uint32_t kept;             // bytes below: the headers, and web.payload_bytes behind them
    uint16_t interface, link_type;
    const uint8_t *bytes;
};

enum { PACKET_BLOCK_EVENTS = 64, PACKET_BLOCK_BYTES = 32 << 10, PACKET_HEADERS_BYTES = 2048 };

struct packet_block {
    struct event_block head; // first; head.used bytes of those below are taken
    struct packet_event events[PACKET_BLOCK_EVENTS];
    uint8_t bytes[PACKET_BLOCK_BYTES];
};

struct packet_sample;

// What it takes at most with web.packet_buffer of so many.
uint64_t packet_sample_most_bytes(uint32_t packets);

// Borrows the control. NULL without memory.
struct packet_sample *packet_sample_create(struct control *control);
void packet_sample_destroy(struct packet_sample *sample); // takes NULL; nobody watches

// Somebody watches, until he says that he no longer does. Both wait for the source's thread for a moment. False with a
// sentence.
bool packet_sample_watch(struct packet_sample *sample, struct error *error);
void packet_sample_leave(struct packet_sample *sample);

// For readers, which are gone before the sample. Closed soon after the run is over.
struct event_log *packet_sample_log(struct packet_sample *sample);
