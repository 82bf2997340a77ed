// A small file that holds secrets: tokens, a password. Read whole; a warning when everybody on the host may read it, too.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

// At most `most` + 1 bytes, so that the caller sees that it is too long; to be given back by secret_file_done(). `key` is the
// setting that names it. False with a sentence.
bool secret_file_read(const char *path, const char *key, size_t most, char **bytes, size_t *length,
                      struct error *error);
// Forgets them for good.
void secret_file_done(char *take_bytes, size_t length);
