// Settings as YAML text, for --print-config and the example file. Pure; one thread.
#pragma once

#include "config/config.h"
#include "config/table.h"

// The line of --print-config. What is secret or was not given by anyone stands in a comment. False when its text is not
// UTF-8, which YAML cannot carry.
bool yaml_add_setting(struct strbuf *into, const struct settings *settings, const struct setting *setting);
