// The network links of this machine and their changes, as the kernel tells them (rtnetlink). Needs no
// privilege. Owned by the live source: its keeper. The table is read as a whole after each change: what
// matters is how things stand, not in which order they came. When the kernel has lost changes, all is read afresh; what
// was known stays until that has come whole.
#pragma once

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct link {
    uint32_t index; // the kernel's
    char name[IF_NAMESIZE];
    bool up;      // switched on
    bool running; // and connected
    bool loopback;
};

struct link_watch;

// Reads the links that there are. NULL with a sentence.
struct link_watch *link_watch_open(struct error *error);
void link_watch_close(struct link_watch *watch); // takes NULL

int link_watch_fd(const struct link_watch *watch); // readable: call link_watch_read()
// Takes in what has come; waits for the kernel only where it has lost changes. False = nothing had.
bool link_watch_read(struct link_watch *watch);

// Valid until the next read.
const struct link *link_watch_links(const struct link_watch *watch, unsigned *count);
const struct link *link_by_name(const struct link_watch *watch, const char *name); // NULL = none
const struct link *link_by_index(const struct link_watch *watch, uint32_t index);  // NULL = none
