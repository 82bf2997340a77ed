// An alert that was given out: an event of the alerts' log (aggregate_alert_events()), in blocks of struct alert_block.
// Made once by aggregate and never changed after it is out: any thread may read it.
#pragma once

#include "aggregate/event_log.h"
#include "detect/alert.h"

struct alert_event {
    uint64_t sequence; // in the log
    struct alert alert;
    const char *node;   // borrowed for the run
    char interface[64]; // name of alert.interface; "" = none
};

enum { ALERT_BLOCK_EVENTS = 8 };

struct alert_block {
    struct event_block head; // first; head.made events are there
    struct alert_event events[ALERT_BLOCK_EVENTS];
};
