// The outputs of a run, built from the settings: sinks (exports, streams, statistics line, report) and taps
// (recorder, packet lines). Main thread; the run's control owns the sinks, this the taps.
#pragma once

#include <stdbool.h>

#include "app/recording.h"
#include "base/error.h"
#include "config/settings.h"
#include "control/control.h"

struct tap;
struct report;
struct terminal;

enum { OUTPUT_FILES = 6, RUN_FAILURES = 2 };

struct outputs {
    const struct settings *settings;
    struct control *control;
    struct terminal *standard; // standard output; unused where an output writes to it
    struct terminal *errors;   // standard error
    struct terminal *human;    // where people read: one of the two, errors when an output goes to stdout
    struct terminal *lines;    // of packets and statistics: the same, or errors beside a JSON report
    struct tap *packet_lines;  // NULL = none
    struct recording recording;
    struct sink *files[OUTPUT_FILES];     // exports and streams, for SIGHUP; owned by control
    const char *file_names[OUTPUT_FILES]; // of their settings: "export_json"
    unsigned file_count;
    struct report *report; // owned by control; NULL = not asked for
};

// Opens every output; fails with the first that cannot be written. outputs_done() after any outcome.
bool outputs_open(struct outputs *outputs, const struct settings *settings, struct control *control,
                  struct error *error);
// SIGHUP: files that were moved away are followed by new ones.
void outputs_reopen(struct outputs *outputs);
// After the run: lets the taps finish. False with the first failure; the others are logged.
bool outputs_finish(struct outputs *outputs, struct error *error);
void outputs_done(struct outputs *outputs);

// How a run ended, for what is told of it. The texts are borrowed.
struct run_end {
    const char *truncated; // why the input was not read to its end; NULL = it was
    const char *failures[RUN_FAILURES];
    unsigned failure_count; // sentences about incomplete outputs
    int64_t run_ns;
};

// What a run says at its end, from its report (text, JSON, summary file) and, live, its summary.
bool outputs_tell(struct outputs *outputs, const struct run_end *end, struct error *error);
