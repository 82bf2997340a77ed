#include "net/protocol.h"

#include <stddef.h>
#include <stdio.h>

static const char *const names[256] = {
    [IP_PROTOCOL_HOP_BY_HOP] = "hop-by-hop",
    [IP_PROTOCOL_ICMP] = "icmp",
    [IP_PROTOCOL_IGMP] = "igmp",
    [IP_PROTOCOL_IPV4] = "ipv4",
    [IP_PROTOCOL_TCP] = "tcp",
    [8] = "egp",
    [9] = "igp",
    [IP_PROTOCOL_UDP] = "udp",
    [33] = "dccp",
    [IP_PROTOCOL_IPV6] = "ipv6",
    [IP_PROTOCOL_ROUTING] = "ipv6-route",
    [IP_PROTOCOL_FRAGMENT] = "ipv6-frag",
    [46] = "rsvp",
    [IP_PROTOCOL_GRE] = "gre",
    [IP_PROTOCOL_ESP] = "esp",
    [IP_PROTOCOL_AH] = "ah",
    [IP_PROTOCOL_ICMPV6] = "icmpv6",
    [IP_PROTOCOL_NO_NEXT] = "ipv6-nonxt",
    [IP_PROTOCOL_DESTINATION] = "ipv6-opts",
    [88] = "eigrp",
    [89] = "ospf",
    [97] = "etherip",
    [98] = "encap",
    [103] = "pim",
    [108] = "ipcomp",
    [112] = "vrrp",
    [115] = "l2tp",
    [IP_PROTOCOL_SCTP] = "sctp",
    [IP_PROTOCOL_MOBILITY] = "mobility",
    [136] = "udplite",
    [137] = "mpls-in-ip",
    [IP_PROTOCOL_HIP] = "hip",
    [IP_PROTOCOL_SHIM6] = "shim6",
};

const char *ip_protocol_name(uint8_t protocol)
{
    return names[protocol];
}

const char *ip_protocol_text(uint8_t protocol, char into[16])
{
    if (names[protocol] != NULL)
        snprintf(into, 16, "%s", names[protocol]);
    else
        snprintf(into, 16, "ip-proto-%u", protocol);
    return into;
}
