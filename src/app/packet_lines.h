// Packet lines: a tap consumer that prints each packet as a line, or with hex_dump as a tree of its layers
// and a hex dump. Runs in the tap's thread, which decodes the copy afresh.
#pragma once

#include <stdbool.h>

#include "capture/record/tap.h"

struct terminal;

struct packet_lines_setup {
    struct terminal *terminal;
    bool hex_dump;
    bool tunnels;                // analysis.tunnels
    const struct source *source; // for interface names
};

// Borrows terminal and source. NULL without memory.
struct tap_consumer *packet_lines_create(const struct packet_lines_setup *setup);
