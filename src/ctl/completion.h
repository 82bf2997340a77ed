// What may follow the words of a command line that is being written: derived from the tables. Pure but for the values that
// the sensor knows and for files.
#pragma once

#include "ctl/command.h"

struct strbuf;

// Adds the candidates for the last word, a line each. `words` begins with the first word behind "netscopectl".
// `ask` adds values of a hint field that begin with the prefix, a line each; NULL = nobody is asked.
typedef void ask_hints(struct strbuf *into, int hint, const char *prefix, char *const words[], int count);
void completion_add(struct strbuf *into, char *const words[], int count, ask_hints *ask);

// The script for a shell; NULL: it is not known.
const char *completion_script(const char *shell);
