// The messages of a run, by the mailbox they go to.
#pragma once

#include "base/message.h"
#include "flow/policy.h"

enum message_kind {
    MESSAGE_QUESTION, // to every shard, then to the aggregate (question.h)
    MESSAGE_CHANGE,   // to every shard and to the source: new settings are in force from now on
    MESSAGE_TAP,      // to the source: a tap begins or ends
    MESSAGE_SERVICE,  // to the aggregate: its consumer knows what for
};

// What may change of a pipeline while it runs.
struct pipeline_change {
    uint64_t generation;       // of the settings; every shard echoes it in its reports
    struct flow_policy policy; // only what flow_table_change() takes is looked at
    int64_t interval_ns;       // as in pipeline_setup
    bool top_flows;
};

struct change_message {
    struct message message; // first
    struct pipeline_change change;
};

struct tap;
struct tap_message {
    struct message message; // first
    struct tap *tap;
    bool begins;
};
