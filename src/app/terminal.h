// What people read (standard output, standard error) while a run goes on: written by a thread of its own, so that a
// reader who has stopped reading holds nobody up. Texts are handed over whole and written in the order in which
// they came, whoever told them; at most TERMINAL_QUEUE_BYTES wait. A reader that has gone (EPIPE) is no failure:
// what follows is thrown away.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct terminal;

enum { TERMINAL_QUEUE_BYTES = 256 << 10 };

struct terminal_setup {
    int descriptor;         // stays the caller's
    const char *name;       // in sentences: "standard output"
    bool (*gives_up)(void); // whether waiting for the reader must end now; asked ten times a second
};

// NULL with a sentence when there is no memory or no thread.
struct terminal *terminal_create(const struct terminal_setup *setup, struct error *error);
void terminal_destroy(
    struct terminal *terminal); // after terminal_finish(), or throws away what waits; takes NULL

// Any thread, never waits: takes the whole text, or drops and counts it. The last quarter of the queue is for these.
bool terminal_offer(struct terminal *terminal, const char *text, size_t length);

// For threads that may wait for the reader: takes the text, in parts when it is larger than the queue. False when
// it was not taken whole: the terminal has failed, or gave up.
bool terminal_add(struct terminal *terminal, const char *text, size_t length);

// Waits until what was handed over is written. False with a sentence when some of it could not be.
bool terminal_flush(struct terminal *terminal, struct error *error);

// Whether terminal_flush() has said that some was not read in time.
bool terminal_is_told(const struct terminal *terminal);

// The errno of a write that failed; 0 = none. EPIPE is one here.
int terminal_failure(const struct terminal *terminal);
// Texts that terminal_offer() dropped because nobody read.
uint64_t terminal_dropped(const struct terminal *terminal);
const char *terminal_name(const struct terminal *terminal);
