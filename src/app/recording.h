// The recording of packets (output.write_pcap): a tap with a recorder, there while the settings name a file. It follows
// them while the run goes on. Calls come from one thread at a time: the main thread before and after the run, the
// thread of requests during it.
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "config/settings.h"
#include "control/control.h"

struct tap;
struct tap_consumer;

// One file, or one series, being written; zeros = none.
struct recorder {
    char *path; // owned
    struct tap *tap;
    struct tap_consumer *consumer; // the tap's
};

struct recording {
    struct control *control;
    struct recorder now, next; // next: opened for the settings to come
    bool changes;              // next takes the place of now
    bool failed;               // a recording that was ended is incomplete
    struct error failure;
};

// Begins what the settings ask for. recording_done() after any outcome.
bool recording_open(struct recording *recording, const struct settings *settings, struct control *control,
                    struct error *error);
// SIGHUP: a file that was moved away is followed by a new one.
void recording_reopen(struct recording *recording);
// After the run: writes what is left. False with the sentence of the first recording that is incomplete.
bool recording_finish(struct recording *recording, struct error *error);
void recording_done(struct recording *recording);

// As in struct control_part.
bool recording_prepare(void *owner, const struct settings *now, const struct settings *next, bool dry_run,
                       struct error *error);
void recording_commit(void *owner);
void recording_abandon(void *owner);
