// Ways around what libpcap 1.10 (Debian 12 has 1.10.3) gets wrong or cannot do in filters: parts of an
// expression are spelled as others that mean the same. Pure, but for the memory of the result, which the
// caller frees; NULL without memory.
#pragma once

#include <stdbool.h>
#include <stdint.h>

// ARCnet: libpcap reads the address of "link src host $c0" as 0xdc; it becomes "link[0] = 0xc0". Of other
// link types, or without such an address, a copy.
char *filter_spell_arcnet(const char *expression, uint16_t link_type);

// The words "inbound" and "outbound" as what is true and what is false of a frame of known direction.
char *filter_spell_direction(const char *expression, bool outbound);
