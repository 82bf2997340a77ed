// The end of an output that was turned off while the run goes on: what is left is written by a thread of its own, so
// that a reader who does not read holds up nobody who changes settings. At the end of the run it is given up as any
// other. One owner, one thread.
#pragma once

#include <stdbool.h>

#include "app/file_outputs.h"
#include "base/error.h"

struct output_ending;

// Takes the file. Without memory or a thread the caller waits for it, NULL then with the failure told.
struct output_ending *output_ending_begin(struct file_output *take_file);
// Whether it is over, after at most `most_ms`.
bool output_ending_await(const struct output_ending *ending, unsigned most_ms);
const char *output_ending_path(const struct output_ending *ending);
// Waits for the end, and frees. False with a sentence when the file is incomplete.
bool output_ending_end(struct output_ending *ending, struct error *error);
