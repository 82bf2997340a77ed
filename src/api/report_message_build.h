// For the files that fill netscope.v1.Report, whose parts live in the message's build (api/build.h).
#pragma once

#include "api/build.h"
#include "api/flow_message.h"
#include "api/report_message.h"

struct report_message {
    struct Netscope__V1__Report *report; // among the blocks, as all its parts
    const struct report_summary *summary;
    struct build build;
    struct flow_message **flow_messages;
    unsigned flow_message_count;
    struct alert_message **alert_messages;
    unsigned alert_message_count;
};

// Sets a value that can be unknown: the member and the case of its one-member oneof.
#define SET_KNOWN(part, TYPE, FIELD, field, known)                                                           \
    ((part)->field##_value_case = NETSCOPE__V1__REPORT__##TYPE##FIELD##_VALUE_##FIELD,                       \
     (part)->field = (known))

void build_capture(struct report_message *message); // span, ledger, interfaces, protocols, doubts
void build_flows(struct report_message *message);
void build_dns(struct report_message *message);
void build_tls(struct report_message *message);
void build_alerts(struct report_message *message);
