// The outputs of a run, built from the settings: files (file_outputs.h), the webhook, the report, lines of statistics and of alerts, which are
// sinks that the run's control owns, packet lines, and the terminals. Main thread.
#pragma once

#include <stdbool.h>

#include "app/file_outputs.h"
#include "base/error.h"
#include "config/settings.h"
#include "control/control.h"

struct alert_lines;
struct tap;
struct report;
struct terminal;

enum { OUTPUT_FAILURES = FILE_OUTPUTS + 2, RUN_FAILURES = OUTPUT_FAILURES + 1 };

struct outputs {
    const struct settings *settings;
    struct control *control;
    struct terminal *standard; // standard output; unused where an output writes to it
    struct terminal *errors;   // standard error
    struct terminal *human;    // where people read: one of the two, errors when an output goes to stdout
    struct terminal *lines;    // of packets and statistics: the same, or errors beside a JSON report
    struct tap *packet_lines;  // NULL = none
    struct file_outputs files;
    struct sink *webhook;       // of alerts; NULL = none
    struct alert_lines *alerts; // owned by control
    struct report *report;      // owned by control; NULL = not asked for
};

// Opens every output; fails with the first that cannot be written. outputs_done() after any outcome.
bool outputs_open(struct outputs *outputs, const struct settings *settings, struct control *control,
                  struct error *error);
// After the run: lets files and taps finish. Returns how many are incomplete, a sentence each.
unsigned outputs_finish(struct outputs *outputs, struct error failures[OUTPUT_FAILURES]);
void outputs_done(struct outputs *outputs);

// How a run ended, for what is told of it.
struct run_end {
    const char *truncated;               // why the input was not read to its end; NULL = it was
    struct error failures[RUN_FAILURES]; // of outputs that are incomplete
    unsigned failure_count;
    int64_t run_ns;
};

// What a run says at its end, from its report (text, JSON, summary file) and, live, its summary.
bool outputs_tell(struct outputs *outputs, const struct run_end *end, struct error *error);
