// The end of an output that was turned off while the run goes on: what is left is written by a thread of its own, so
// that a reader who does not read holds up nobody who changes settings. At the end of the run it is given up as any
// other. One owner, one thread.
#pragma once

#include <stdbool.h>

#include "app/file_outputs.h"
#include "base/error.h"

// Takes the file. Without a thread the caller waits for it.
void output_ending_begin(struct output_ending *ending, struct file_output *take_file);
bool output_ending_is_there(const struct output_ending *ending);
// Whether it is over, after at most `most_ms`.
bool output_ending_await(const struct output_ending *ending, unsigned most_ms);
// Waits for the end, and leaves none. False with a sentence when the file is incomplete.
bool output_ending_end(struct output_ending *ending, struct error *error);
