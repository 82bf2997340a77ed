// For the files that fill netscope.v1.Report: memory that lives as long as the message, and its parts.
// Without memory a text becomes empty, a list gets no rows, a part is left out, and `failed` is set.
#pragma once

#include "api/flow_message.h"
#include "api/report_message.h"
#include "base/strbuf.h"

struct report_block;

struct report_message {
    struct Netscope__V1__Report *report; // among the blocks, as all its parts
    const struct report_summary *summary;
    struct report_block *blocks;
    struct flow_message **flow_messages;
    unsigned flow_message_count;
    struct alert_message **alert_messages;
    unsigned alert_message_count;
    struct strbuf scratch;
    bool failed;
};

// Copies that live as long as the message; raw texts are escaped. NULL is "".
char *build_text(struct report_message *message, const char *wire);
char *build_address(struct report_message *message, const struct address *address);
// A list of `count` zeroed rows, whose address goes to the T ** that `list` points to. Returns how many.
size_t build_rows(struct report_message *message, void *list, size_t count, size_t row_bytes);
// A zeroed part of `bytes`; NULL without memory.
void *build_part(struct report_message *message, size_t bytes);

// Sets a value that can be unknown: the member and the case of its one-member oneof.
#define SET_KNOWN(part, TYPE, FIELD, field, known)                                                           \
    ((part)->field##_value_case = NETSCOPE__V1__REPORT__##TYPE##FIELD##_VALUE_##FIELD,                       \
     (part)->field = (known))

void build_capture(struct report_message *message); // span, ledger, interfaces, protocols, doubts
void build_flows(struct report_message *message);
void build_dns(struct report_message *message);
void build_tls(struct report_message *message);
void build_alerts(struct report_message *message);
