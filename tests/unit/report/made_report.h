// A report that tests give made records and answers to.
#pragma once

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "net/protocol.h"
#include "report/report.h"

static struct report *report;
static struct totals totals;

static inline void start(void)
{
    report = report_create(4);
    cr_assert_not_null(report);
    memset(&totals, 0, sizeof totals);
}

static inline void stop(void)
{
    report_destroy(report);
}

// A closed TCP flow from 10.0.0.<host>:40000 to 10.0.9.9:443, which the key order makes A -> B.
static inline struct flow_record tcp_flow(uint8_t host, uint64_t bytes)
{
    struct flow_record record = {
        .endpoint = {{address_v4((const uint8_t[]){10, 0, 0, host}), 40000},
                     {address_v4((const uint8_t[]){10, 0, 9, 9}), 443}},
        .first_seen_ns = 100 * NS_PER_S,
        .last_seen_ns = 102 * NS_PER_S,
        .end_ns = 102 * NS_PER_S,
        .packets = {10, 10},
        .bytes = {bytes / 4, bytes - bytes / 4},
        .handshake_rtt_ns = -1,
        .has_quality = true,
        .final = true,
        .protocol = IP_PROTOCOL_TCP,
        .tcp_state = TCP_STATE_CLOSED,
        .reason = END_CLOSED,
        .client_from = CLIENT_SYN,
        .tcp_flags = {TCP_SYN | TCP_ACK | TCP_FIN, TCP_SYN | TCP_ACK | TCP_FIN},
    };
    return record;
}

// With a text of the payload; TEXT_NONE: without.
enum { TEXT_NONE = EVENT_TEXT_NAMESPACE };

static inline void give_texts(const struct flow_record *record, const char *server_name, unsigned text,
                              const char *said)
{
    struct flow_event event = {
        .record = *record,
        .text = {[EVENT_TEXT_NODE] = "node",
                 [EVENT_TEXT_INTERFACE] = "eth0",
                 [EVENT_TEXT_NAME + 1] = server_name},
        .community_id = "1:x",
    };
    event.text[text] = said;
    report_sink(report)->ops->run(report_sink(report), &event, 1);
}

static inline void give_named(const struct flow_record *record, const char *server_name)
{
    give_texts(record, server_name, TEXT_NONE, NULL);
}

static inline void give(const struct flow_record *record)
{
    give_named(record, NULL);
}

static inline struct dns_transaction answer(const char *name, int16_t rcode, int64_t latency_ns)
{
    struct dns_transaction transaction = {
        .time_ns = 100 * NS_PER_S,
        .latency_ns = latency_ns,
        .client = address_v4((const uint8_t[]){10, 0, 0, 1}),
        .server = address_v4((const uint8_t[]){8, 8, 8, 8}),
        .type = 1,
        .rcode = rcode,
    };
    strcpy(transaction.name.text, name);
    transaction.name.length = (uint8_t)strlen(name);
    return transaction;
}

static inline void give_answer(const char *name, int16_t rcode, int64_t latency_ns)
{
    struct dns_transaction transaction = answer(name, rcode, latency_ns);
    report_sink(report)->ops->dns(report_sink(report), &transaction);
}

static inline const struct report_summary *finish_in(const struct report_context *context)
{
    struct error error;
    cr_assert(report_sink(report)->ops->finish(report_sink(report), &totals, &error));
    const struct report_summary *summary = report_finish_summary(report, context);
    cr_assert_not_null(summary);
    return summary;
}

static inline const struct report_summary *finish(void)
{
    return finish_in(&(struct report_context){.version = "1"});
}

static inline bool says(const struct report_sentences *sentences, const char *part)
{
    for (unsigned i = 0; i < sentences->count; i++)
        if (strstr(sentences->text[i], part) != NULL)
            return true;
    return false;
}
