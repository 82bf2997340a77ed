// A flow event as the message netscope.v1.Flow: the one place that maps the pipeline's plain values
// to the vocabulary that leaves the process. A flow_message is scratch storage for one message at a
// time; owned by its maker, one thread, no allocation a record once its texts have grown.
#pragma once

#include "aggregate/flow_event.h"

struct ProtobufCMessageDescriptor;
struct Netscope__V1__Flow;
struct flow_message;

// NULL without memory.
struct flow_message *flow_message_create(void);
void flow_message_destroy(struct flow_message *message);

// For message_plan_create().
const struct ProtobufCMessageDescriptor *flow_message_descriptor(void);

// The message of the flow, valid until the next fill; it borrows of the event and of its texts.
const struct Netscope__V1__Flow *flow_message_fill(struct flow_message *message,
                                                   const struct flow_event *event);
// The same message again, for whoever puts it into another one.
struct Netscope__V1__Flow *flow_message_whole(struct flow_message *message);
// The same with no more than FLOW_VIEW_BASIC tells.
struct Netscope__V1__Flow *flow_message_reduce(struct flow_message *message);
