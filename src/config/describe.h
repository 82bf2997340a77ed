// The words that help, documentation and example share about a row of the settings table. Pure.
#pragma once

#include "config/table.h"

struct strbuf;

// What the flag takes: "N", "PATH", "auto|first|all"; nothing for a bool.
void describe_argument(struct strbuf *into, const struct setting *setting);
// Type, range and unit: "64 to 262144 bytes", "true or false", "list".
void describe_form(struct strbuf *into, const struct setting *setting);
// The default in words; nothing when it is empty.
void describe_default(struct strbuf *into, const struct setting *setting);
// "--[no-]promiscuous", "-s, --snaplen".
void describe_flag(struct strbuf *into, const struct setting *setting);
// `text` in lines of at most `width` columns; lines after the first begin with `indent`.
void describe_wrapped(struct strbuf *into, const char *text, size_t column, const char *indent, size_t width);
