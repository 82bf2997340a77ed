// Tells a TOML file, the seed's form of settings, from YAML. Pure; any thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

// False, with a sentence that shows the same in YAML, when name or content are TOML: the name ends in
// .toml, or the first line that says anything is `[section]` or `key = value`.
bool toml_refuse(const char *name, const char *bytes, size_t length, struct error *error);
