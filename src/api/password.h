// The one user of HTTP's Basic authentication, as a token whose text is "name:password": he is looked up by its SHA-256 as the
// others are, in constant time, and no password is kept. Pure, but for the file that is read.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct auth_settings;
struct token_table;

enum { PASSWORD_BYTES = 1024, PASSWORD_SHOWN_BYTES = 2048 };

// A table of one, by `auth.password`, or the first line of `auth.password_file`. False with a sentence.
bool password_load(const struct auth_settings *auth, const char *section, struct token_table *out,
                   struct error *error);

// What is behind "Basic ": base64, padded or not. False when it is none, or too long.
bool password_decode(const char *encoded, char into[PASSWORD_SHOWN_BYTES], size_t *length);
