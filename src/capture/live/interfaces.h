// The interfaces of this machine, for -D/--list-interfaces. Needs no privilege.
#pragma once

#include <stdbool.h>

#include "base/error.h"

struct strbuf;

// A table: name, up or down, addresses, description. False (ERROR_NOT_FOUND) when they cannot be listed.
bool interfaces_list(struct strbuf *into, struct error *error);

// "eth0, lo, docker0": the network interfaces that can be named, for a sentence.
void interfaces_name(struct strbuf *into);
