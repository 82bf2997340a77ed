// An alert as people read it: one line, and why it was raised. Text of the wire is escaped. Pure; any thread.
#pragma once

#include "aggregate/alert_event.h"

struct strbuf;

// "2024-05-01T12:00:05Z high host_sweep: 10.0.0.9 swept 30 hosts on tcp port 22", with what is new of one that goes on
// or ended; without a newline. `time_ns` is what stands in front: ts_ns where alerts are told as they come, first_seen_ns
// in a list.
void alert_text_add_line(struct strbuf *into, const struct alert_event *event, int64_t time_ns);

// Why it was raised, what it would have taken not to, and what silences exactly this: sentences, each behind `prefix`
// and ended by a newline.
void alert_text_add_reasons(struct strbuf *into, const struct alert *alert, const char *prefix);
