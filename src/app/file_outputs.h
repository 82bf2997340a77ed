// The outputs that are files: exports, records as flows end, alerts, the recording of packets. One row each, there while the
// settings name a path; those of SETTING_LIVE follow the settings while the run goes on. One that is turned off is
// written to its end by a thread of its own, for as long as its reader takes; a file of this run is never emptied by it. Calls come from one thread at a time: the main thread before and after the run, the
// thread of requests during it; counts from any.
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "config/settings.h"
#include "control/control.h"
#include "export/export.h"

struct tap;
struct tap_consumer;

enum { FILE_OUTPUTS = 6 };

// One file or series that is written; zeros = none.
struct file_output {
    char *path;                    // owned
    struct sink *sink;             // of flows or alerts, or
    struct tap *tap;               // of packets,
    struct tap_consumer *recorder; // whose consumer this is
};

// One that was turned off and is written to its end (output_ending.h).
struct output_ending {
    struct file_output file; // path NULL = none
    pthread_t thread;
    bool started;
    bool complete; // and failure: before done
    struct error failure;
    atomic_bool done;
};

// A file of this run that was ended.
struct written_file {
    unsigned row;
    dev_t device;
    ino_t inode;
};

struct file_outputs {
    struct control *control;
    struct file_output now[FILE_OUTPUTS];       // by row
    struct file_output next[FILE_OUTPUTS];      // opened for the settings to come
    bool changes[FILE_OUTPUTS];                 // next takes the place of now
    uint32_t min_free_mb;                       // of the settings to come
    struct output_ending leaving[FILE_OUTPUTS]; // that were ended, and are not whole yet
    struct written_file *written;               // none of them is emptied
    unsigned written_count, written_room;
    bool failed[FILE_OUTPUTS]; // one that was ended is incomplete
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

// Counts of the output of a row, with the lock held: false when it is not open.
bool file_output_counts(const struct file_outputs *files, unsigned row, struct export_counts *out);
const char *file_output_name(unsigned row); // "export_json"

// Writes what is left and closes: false with a sentence when it is incomplete. At most once; then destroy.
bool file_output_finish(const struct file_output *file, struct error *error);
void file_output_destroy(struct file_output *file);

// As in struct control_part.
bool file_outputs_prepare(void *owner, const struct settings *now, const struct settings *next, bool dry_run,
                          struct error *error);
void file_outputs_commit(void *owner);
void file_outputs_abandon(void *owner);
