// The part of the report that counts names: DNS answers and failures, TLS hellos. Internal to the report;
// one thread.
#pragma once

#include "report/latency.h"
#include "report/summary.h"
#include "report/tally.h"
#include "report/top.h"

enum { DNS_RCODES = 4096 };

struct report_names {
    unsigned top;
    struct tally failed, unanswered; // DNS: by code, type and name; by server, type and name
    struct tally versions, tls_names;
    struct report_top slowest; // of struct report_dns_answer
    struct report_latency latency;
    uint64_t answers_by_code[DNS_RCODES];
    struct report_dns dns;
    struct report_tls tls;
};

bool report_names_init(struct report_names *names, unsigned top);
void report_names_done(struct report_names *names);
void report_names_add_flow(struct report_names *names, const struct flow_event *event);
void report_names_add_dns(struct report_names *names, const struct dns_transaction *transaction);

// The parts `dns` and `tls` of the summary; false without memory. What it allocates is freed by
// report_names_free().
bool report_names_finish(struct report_names *names, const struct totals *totals,
                         struct report_summary *summary);
void report_names_free(struct report_summary *summary);
