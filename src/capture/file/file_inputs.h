// The inputs that the user named, as a flat list of files: a directory stands for the capture files in it
// (by content, sorted by name, not of its subdirectories) and for what in it cannot be looked into, which is told of
// as any input that cannot be read. At start; no thread.
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "config/settings.h"

// Fills `out`, whose items are the caller's: file_inputs_done(). Fails (ERROR_UNAVAILABLE) when a directory
// holds no capture or cannot be listed, and (ERROR_INVALID_ARGUMENT) when "-" is named twice. Paths that are no
// directories pass unlooked at.
bool file_inputs_expand(const struct string_list *named, struct string_list *out, struct error *error);
void file_inputs_done(struct string_list *inputs);
