// A record that has left, as all readers above flow/ have it: named, placed, identified and numbered. Made once by
// aggregate into a block that any number of readers hold (event_log.h), and never changed after it is out: any thread
// may read it. What it takes: some 600 bytes with its texts.
#pragma once

#include <stdint.h>

#include "aggregate/event_log.h"
#include "flow/community_id.h"
#include "flow/record.h"

// The texts of an event: those of the payload (enum flow_text), then these.
enum event_text {
    EVENT_TEXT_NODE = FLOW_TEXTS, // sensor.node_name
    EVENT_TEXT_INTERFACE,         // name of record.interface
    EVENT_TEXT_NAME,              // of an endpoint: + side
    EVENT_TEXT_NAMESPACE = EVENT_TEXT_NAME + 2,
    EVENT_TEXT_OBSERVED = EVENT_TEXT_NAMESPACE + 2, // names of record.observed_at: + index
    EVENT_TEXTS = EVENT_TEXT_OBSERVED + OBSERVED_INTERFACES,
};

enum { NAME_WITHHELD = UINT8_MAX }; // in a copy for somebody who may not know it

struct flow_event {
    uint64_t sequence;                          // in the log
    struct flow_record record;                  // its `names` are NULL: the texts are below
    const char *text[EVENT_TEXTS];              // raw; NULL or "" = none
    uint8_t name_source[2];                     // 0 none, 1 names.file, 2 DNS: as NameSource in flow.proto
    uint8_t direction;                          // as Direction in flow.proto
    char community_id[COMMUNITY_ID_TEXT_BYTES]; // "1:..." terminated; "" = not made yet
};

static inline const char *flow_event_text(const struct flow_event *event, unsigned text)
{
    return event->text[text] != NULL ? event->text[text] : "";
}

// Makes the Community ID, unless there is one. It costs more than all the rest of an event.
void flow_event_identify(struct flow_event *event);

// A block of events with their texts behind them. Made by one thread, an event at a time.
enum { FLOW_BLOCK_EVENTS = 128, FLOW_BLOCK_TEXT_BYTES = 32 * 1024 };

struct flow_block {
    struct event_block head; // first; head.made events are there, head.used bytes of the texts
    struct flow_event events[FLOW_BLOCK_EVENTS];
    char texts[FLOW_BLOCK_TEXT_BYTES];
};

// The most that a log of flow events takes: live with `capacity`, else for readers that are waited for.
uint64_t flow_events_bytes(uint64_t capacity, bool waited_for);

// The place for the next event; NULL when the block is full. The caller fills all of it but the sequence, with texts
// that it keeps until flow_block_keep() has copied them, each cut at flow_text_longest().
struct flow_event *flow_block_next(struct flow_block *block);
void flow_block_keep(struct flow_block *block);
