// Alerts as they come: one line each for people, and how many there were. A sink, on the aggregate's thread; the counts
// are read after the run. Live a line that nobody reads is dropped and counted by the terminal, for a file it waits.
#pragma once

#include <stdint.h>

#include "aggregate/sink.h"

struct alert_lines;
struct control;
struct strbuf;
struct terminal;

// `terminal` NULL: they are counted only. NULL without memory.
struct alert_lines *alert_lines_create(struct control *control, struct terminal *terminal);
struct sink *alert_lines_sink(struct alert_lines *lines); // its destroy operation frees the lines

uint64_t alert_lines_raised(const struct alert_lines *lines);
// "alerts: 3 raised (port_scan 2, syn_flood 1)", or nothing when there was none.
void alert_lines_add_summary(struct strbuf *into, const struct alert_lines *lines);
