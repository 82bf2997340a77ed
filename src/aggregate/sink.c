#include "aggregate/sink.h"

#include <stdio.h>
#include <string.h>

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

void named_flow_identify(const struct named_flow *flow, char into[COMMUNITY_ID_TEXT_BYTES])
{
    if (flow->community_id[0] != '\0') {
        memcpy(into, flow->community_id, sizeof flow->community_id);
        return;
    }
    const struct flow_record *record = flow->record;
    bool icmp = record->protocol == IP_PROTOCOL_ICMP || record->protocol == IP_PROTOCOL_ICMPV6;
    bool one_way = false;
    int from = icmp ? record->client == 1 : 0;
    if (icmp) { // the ports are mapped already; whether the type has a counterpart decides
        uint16_t ports[2];
        icmp_ports(record->protocol, (uint8_t)record->endpoint[from].port, 0, &ports[0], &ports[1], &one_way);
    }
    community_id(&record->endpoint[from], &record->endpoint[!from], record->protocol, one_way, 0, into);
}
