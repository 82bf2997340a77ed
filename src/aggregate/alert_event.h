// An alert that was given out: an event of the alerts' log (aggregate_alert_events()), in blocks of struct alert_block.
// Made once by aggregate and never changed after it is out: any thread may read it.
#pragma once

#include "aggregate/event_log.h"
#include "detect/alert.h"

// What an address is called, cut to fit; raw, as it came from the wire.
struct alert_name {
    char name[64], name_space[64]; // "" = none
    uint8_t name_source;           // 0 none, 1 names.file, 2 DNS: as NameSource in flow.proto
};

struct alert_event {
    uint64_t sequence; // in the log
    struct alert alert;
    const char *node;   // borrowed for the run
    char interface[64]; // name of alert.interface; "" = none
    struct alert_name source_name[ALERT_PARTIES], target_name[ALERT_PARTIES]; // of the alert's parties
    bool limited; // a copy for somebody who may not know all of it: what is missing was withheld
};

enum { ALERT_BLOCK_EVENTS = 8 };

struct alert_block {
    struct event_block head; // first; head.made events are there
    struct alert_event events[ALERT_BLOCK_EVENTS];
};
