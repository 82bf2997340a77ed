// How TCP connections fared, record by record. Internal to the report.
#pragma once

#include "report/summary.h"

enum report_attempt {
    ATTEMPT_NONE,         // no attempt was seen to fail
    ATTEMPT_INCONCLUSIVE, // evicted before an answer could come
    ATTEMPT_UNANSWERED,
    ATTEMPT_REFUSED,
};

// What became of the connection attempt that a TCP record begins with.
enum report_attempt report_attempt_of(const struct flow_record *record);
// Greater for the flow that lost more: by the share of packets that were retransmitted, then by the round
// trip; 0 without a retransmission. Flows that were never answered come last.
uint64_t report_loss_score(const struct flow_record *record);
void report_tcp_add(struct report_tcp *tcp, const struct flow_record *record, enum report_attempt attempt);
