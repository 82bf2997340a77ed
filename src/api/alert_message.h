// An alert event as the message netscope.v1.Alert: the one place that maps alerts to the vocabulary that leaves the
// process. An alert_message is scratch storage for one message at a time; owned by its maker, one thread.
#pragma once

#include "aggregate/alert_event.h"

struct ProtobufCMessageDescriptor;
struct Netscope__V1__Alert;
struct alert_message;

// NULL without memory.
struct alert_message *alert_message_create(void);
void alert_message_destroy(struct alert_message *message); // takes NULL

// For message_plan_create().
const struct ProtobufCMessageDescriptor *alert_message_descriptor(void);

// The message of the alert, valid until the next fill; it borrows the event's texts.
const struct Netscope__V1__Alert *alert_message_fill(struct alert_message *message,
                                                     const struct alert_event *event);
