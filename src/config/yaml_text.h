// Settings as YAML text, for --print-config and the example file. Pure; one thread.
#pragma once

#include "config/config.h"
#include "config/table.h"

// `text` in double quotes. False when it is not UTF-8, which YAML cannot carry.
bool yaml_add_string(struct strbuf *into, const char *text);
// The value alone: true, 60, "text", ["first", "second"].
bool yaml_add_value(struct strbuf *into, const struct settings *settings, const struct setting *setting);
// The line of --print-config. What is secret or was not given by anyone stands in a comment.
bool yaml_add_setting(struct strbuf *into, const struct settings *settings, const struct setting *setting);
