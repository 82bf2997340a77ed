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

struct build;
struct invocation;
struct ProtobufCMessage;
struct ProtobufCMessageDescriptor;
struct Netscope__V1__StreamOptions;
struct Netscope__V1__StreamGap;
struct Netscope__V1__StreamHeartbeat;
struct Netscope__V1__StreamStarted;
struct Netscope__V1__StreamEnd;

// What all messages of streams have, borrowed from one.
struct stream_message {
    const char *instance_id, *cursor;
    struct Netscope__V1__StreamGap *const *gaps;
    size_t gap_count;
    const struct Netscope__V1__StreamHeartbeat *heartbeat;
    const struct Netscope__V1__StreamStarted *start;
    const struct Netscope__V1__StreamEnd *end;
};

struct follow {
    const char *method;
    const char *what;                 // "flows": in sentences
    struct ProtobufCMessage *request; // its `options` are these, whose start this fills
    struct Netscope__V1__StreamOptions *options;
    const struct ProtobufCMessageDescriptor *response;
    void (*look)(const struct ProtobufCMessage *response, struct stream_message *into);
    // Shows the events behind the sequence; returns the sequence of the last, or the one given. `shown` counts them.
    uint64_t (*show)(const struct follow *follow, struct server *server,
                     const struct ProtobufCMessage *response, uint64_t behind);
    struct output *output;
    bool with_node;
    uint64_t limit; // of events; 0 = none
};

enum ctl_exit follow_run(const struct follow *follow, struct fleet *fleet);

// The time that --since tells, in ns: a span before now, or RFC 3339. 0 without the option; false with a sentence.
bool given_since(const struct invocation *given, int64_t *since_ns, struct error *error);
// The options of a stream that goes on, by --since and --limit, which is told, too. NULL with a sentence.
struct Netscope__V1__StreamOptions *follow_options(struct build *build, const struct invocation *given,
                                                   uint64_t *limit, struct error *error);

enum ctl_exit follow_flows(const struct invocation *given);
enum ctl_exit follow_alerts(const struct invocation *given);
