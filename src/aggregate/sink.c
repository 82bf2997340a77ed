#include "aggregate/sink.h"

#include <net/if.h>
#include <stdio.h>

#include "pipeline/observation.h"

const char *sink_interface_name(const struct source *source, uint16_t interface,
                                char into[SINK_INTERFACE_BYTES])
{
    if (!observation_is_kernel(interface))
        return interface < source_interfaces(source) ? source_interface(source, interface)->name : "";
    unsigned index = interface & (OBSERVATION_KERNEL - 1u);
    _Static_assert(SINK_INTERFACE_BYTES >= IF_NAMESIZE, "a kernel's name fits");
    if (source->ops->lossless || if_indextoname(index, into) == NULL)
        snprintf(into, SINK_INTERFACE_BYTES, "if%u", index);
    return into;
}
