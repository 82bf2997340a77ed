// The report of a run as the message netscope.v1.Report and as its JSON: the one place that maps the
// summary to the vocabulary that leaves the process. Texts from the wire are escaped (api/text.h). One
// owner, one thread; the summary must outlive the message.
#pragma once

#include <stdbool.h>

#include "report/summary.h"

struct Netscope__V1__Report;
struct report_message;
struct strbuf;

// NULL without memory.
struct report_message *report_message_create(const struct report_summary *summary);
void report_message_destroy(struct report_message *message);

const struct Netscope__V1__Report *report_message_get(const struct report_message *message);

// The whole report as JSON over several lines, without a newline at the end. False without memory.
bool report_json_add(struct strbuf *into, const struct report_summary *summary);
