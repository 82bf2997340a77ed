// The outputs that are files: exports, records as flows end, the recording of packets. One row each, there while the
// settings name a path; those of SETTING_LIVE follow the settings while the run goes on, and a file that is open
// keeps what it was opened with. Calls come from one thread at a time: the main thread before and after the run, the
// thread of requests during it; counts from any.
#pragma once

#include <pthread.h>
#include <stdbool.h>

#include "base/error.h"
#include "config/settings.h"
#include "control/control.h"
#include "export/export.h"

struct tap;
struct tap_consumer;

enum { FILE_OUTPUTS = 5 };

// One file or series that is written; zeros = none.
struct file_output {
    char *path;                    // owned
    struct sink *sink;             // of flows, or
    struct tap *tap;               // of packets,
    struct tap_consumer *recorder; // whose consumer this is
};

struct file_outputs {
    struct control *control;
    struct file_output now[FILE_OUTPUTS];  // by row
    struct file_output next[FILE_OUTPUTS]; // opened for the settings to come
    bool changes[FILE_OUTPUTS];            // next takes the place of now
    bool failed[FILE_OUTPUTS];             // one that was ended is incomplete
    struct error failure[FILE_OUTPUTS];
    pthread_mutex_t lock; // of `now`, against who reads counts
};

// Opens what the settings ask for; fails with the first that cannot be written. file_outputs_done() after any outcome.
bool file_outputs_open(struct file_outputs *files, const struct settings *settings, struct control *control,
                       struct error *error);
// SIGHUP: files that were moved away are followed by new ones.
void file_outputs_reopen(struct file_outputs *files);
// After the run: writes what is left and closes. Returns how many are incomplete, a sentence each.
unsigned file_outputs_finish(struct file_outputs *files, struct error failures[FILE_OUTPUTS]);
void file_outputs_done(struct file_outputs *files); // before the control

// Counts of the output of a row between hold and release: false when it is not open, or counts nothing.
bool file_output_counts(const struct file_outputs *files, unsigned row, struct export_counts *out);
const char *file_output_name(unsigned row); // "export_json"

// As in struct control_part.
bool file_outputs_prepare(void *owner, const struct settings *now, const struct settings *next, bool dry_run,
                          struct error *error);
void file_outputs_commit(void *owner);
void file_outputs_abandon(void *owner);
