// How TCP connections fared, record by record. Internal to the report.
#pragma once

#include "aggregate/report_summary.h"

enum report_attempt {
    ATTEMPT_NONE, // no attempt was seen to fail
    ATTEMPT_UNANSWERED,
    ATTEMPT_REFUSED,
};

// What became of the connection attempt that a TCP record begins with.
enum report_attempt report_attempt_of(const struct flow_record *record);
void report_tcp_add(struct report_tcp *tcp, const struct flow_record *record);
