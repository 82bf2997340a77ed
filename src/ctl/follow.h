// Streams of all sensors of a fleet, merged as they come. A stream that breaks is opened again, with growing pauses, and
// goes on behind the last message that was handled: nothing comes twice, and what is missing is told on standard error.
// One thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ctl/command.h"
#include "ctl/fleet.h"
#include "ctl/output.h"
#include "ctl/task.h"

struct build;
struct invocation;
struct ProtobufCMessage;
struct ProtobufCMessageDescriptor;
struct Netscope__V1__StreamOptions;
struct Netscope__V1__StreamGap;

// What all messages of streams have, borrowed from one.
struct stream_message {
    const char *node, *instance_id, *cursor;
    struct Netscope__V1__StreamGap *const *gaps;
    size_t gap_count, event_count;
    bool is_alive; // a start or a heartbeat: the sensor is well
};
// Of a WatchFlowsResponse or a WatchAlertsResponse, whose types differ only in their events.
#define STREAM_MESSAGE(response)                                                                             \
    ((struct stream_message){.node = (response)->node,                                                       \
                             .instance_id = (response)->instance_id,                                         \
                             .cursor = (response)->cursor,                                                   \
                             .gaps = (response)->gaps,                                                       \
                             .gap_count = (response)->n_gaps,                                                \
                             .event_count = (response)->n_events,                                            \
                             .is_alive = (response)->start != NULL || (response)->heartbeat != NULL})
struct stream_event {
    uint64_t sequence;
    struct ProtobufCMessage *row; // what programs get of it; NULL: there is none
};

// A stream of one kind: a command's own struct begins with the task.
struct follow {
    struct task task; // first
    const char *method;
    const char *what;                 // "flow records": in sentences
    struct ProtobufCMessage *request; // its `options` are these, whose start is filled in here
    struct Netscope__V1__StreamOptions *options;
    const struct ProtobufCMessageDescriptor *response;
    void (*look)(const struct ProtobufCMessage *response, struct stream_message *into);
    struct stream_event (*event)(const struct ProtobufCMessage *response, size_t index);
    void (*name)(const struct pods *pods, struct ProtobufCMessage *row);
    // What people see of it; `node` is "" when they know which.
    void (*add_line)(struct output *output, const struct ProtobufCMessage *response, size_t index,
                     const char *node);
    uint64_t limit; // of events; 0 = none
};

// The task's run.
enum ctl_exit follow_run(struct task *task, struct fleet *fleet, struct output *output);
// Makes the options, by --since and --limit. False with a sentence.
bool follow_prepare(struct follow *follow, struct build *build, const struct invocation *given,
                    struct error *error);

// The time that --since tells, in ns: a span before now, or RFC 3339. 0 without the option; false with a sentence.
bool given_since(const struct invocation *given, int64_t *since_ns, struct error *error);

enum ctl_exit follow_flows(const struct invocation *given);
enum ctl_exit follow_alerts(const struct invocation *given);
