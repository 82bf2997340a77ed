// Link types have two numberings: LINKTYPE numbers, which files hold and our frames carry, and libpcap's
// DLT numbers, which differ for a few old types. Pure; any thread.
#pragma once

#include <stdint.h>

enum link_type { LINK_TYPE_ETHERNET = 1 };

int link_type_to_dlt(uint16_t link_type);
uint16_t link_type_of_dlt(int dlt);
