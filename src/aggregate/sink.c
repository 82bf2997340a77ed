#include "aggregate/sink.h"

#include <stdio.h>

#include "pipeline/observation.h"

const char *sink_interface_name(const struct source *source, uint16_t interface,
                                char into[SINK_INTERFACE_BYTES])
{
    if (!observation_is_kernel(interface))
        return interface < source_interfaces(source) ? source_interface(source, interface)->name : "";
    unsigned index = interface & (OBSERVATION_KERNEL - 1u);
    _Static_assert((int)SINK_INTERFACE_BYTES >= (int)SOURCE_LINK_NAME_BYTES, "a kernel's name fits");
    _Static_assert((int)SOURCE_LINKS == (int)OBSERVATION_KERNEL - 1,
                   "the numbers of links that flows remember");
    if (!source_link_name(source, index, into))
        snprintf(into, SINK_INTERFACE_BYTES, "if%u", index);
    return into;
}
