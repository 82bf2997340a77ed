// Changes of settings while a run goes on. All or nothing: first everything is checked, then all of it is put in force;
// a failure leaves everything as it was. Whoever has something that follows the settings (the outputs) is a part.
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "config/config.h"

struct control;

// Who wants a change. What the file says replaces all that the API changed, once the file says something new; what can
// only be had at a start waits for it. What the API says ends with the next start, so it must not wait for one.
enum change_origin { CHANGE_BY_FILE, CHANGE_BY_API };

struct change {
    const struct settings *wanted; // whole; borrowed for the call
    enum change_origin origin;
    bool dry_run;      // check only: the same answer, and nothing happens
    uint64_t based_on; // generation that `wanted` was made of; 0 = whichever is in force
};

enum change_outcome {
    CHANGE_APPLIED,
    CHANGE_AT_NEXT_START,
    CHANGE_REFUSED, // why says the reason
};

struct change_verdict {
    unsigned row; // of the settings table
    enum change_outcome outcome;
    const char *reason; // of a refusal, else NULL; static, or the error's text
};

// One verdict a changed row, in the order of the table.
struct change_verdicts {
    unsigned count;
    struct change_verdict verdict[SETTINGS_ROWS];
    uint64_t generation; // that is in force after the call
    bool outdated;       // nothing was looked at: another generation is in force than `based_on`
};

// A part of the process that follows the settings. Its functions are called by whoever changes them, one change at a
// time, during control_apply().
struct control_part {
    void *owner;
    // Readies what may fail for the settings to come, without touching what is in force, when all else has taken them;
    // with `dry_run` it only looks.
    bool (*prepare)(void *owner, const struct settings *now, const struct settings *next, bool dry_run,
                    struct error *error);
    // After prepare(): puts it in force, or gives it up.
    void (*commit)(void *owner);
    void (*abandon)(void *owner);
};

enum { CONTROL_PARTS = 4 };

// Before the run. The owner is gone only after it.
void control_add_part(struct control *control, const struct control_part *part);

// Any thread but those of the run; waits for the source to open interfaces, seconds at most. False with the sentence,
// and with the verdict of the row that it is about: ERROR_INVALID_ARGUMENT..., ERROR_FAILED_PRECONDITION when nothing is
// captured or the API wants what only a start can give.
bool control_apply(struct control *control, const struct change *change, struct change_verdicts *out,
                   struct error *error);

// What start or file said last, as a copy: what an override is taken back to.
bool control_file_settings(struct control *control, struct settings *out, struct error *error);

// The settings file could not be read: nothing changes, and the counters say so.
void control_reload_failed(struct control *control);
