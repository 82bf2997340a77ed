// What goes wrong, told on standard error: what, why, and what to do. Any text of a sensor is made safe for a terminal.
#pragma once

#include "ctl/command.h"
#include "ctl/fleet.h"
#include "rpc/client.h"

struct strbuf;
struct error;

// "netscopectl: " and the sentence.
void complain(const char *sentence);
// CTL_USAGE, or CTL_UNREACHABLE when nothing is wrong but that sensors were not found.
enum ctl_exit complain_usage(const struct error *error);
// How a call at a server ended.
void complain_of(const struct fleet *fleet, const struct server *server, const struct client_end *end);
void complaint_add(struct strbuf *into, const struct fleet *fleet, const struct server *server,
                   const struct client_end *end);
// That a list holds only what its caller may see; nothing when he has no limits.
void complain_of_limits(char *const *limits, size_t count);
// The exit code that an end alone would give.
enum ctl_exit exit_of_end(enum status_code code);

// Text that a sensor sent: its controls become \xHH, everything else stays.
void add_shown(struct strbuf *into, const char *text);
