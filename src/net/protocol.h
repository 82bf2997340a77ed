// Numbers of the wire and their names (IANA). Pure; any thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum ip_protocol {
    IP_PROTOCOL_HOP_BY_HOP = 0,
    IP_PROTOCOL_ICMP = 1,
    IP_PROTOCOL_IGMP = 2,
    IP_PROTOCOL_IPV4 = 4,
    IP_PROTOCOL_TCP = 6,
    IP_PROTOCOL_UDP = 17,
    IP_PROTOCOL_IPV6 = 41,
    IP_PROTOCOL_ROUTING = 43,
    IP_PROTOCOL_FRAGMENT = 44,
    IP_PROTOCOL_GRE = 47,
    IP_PROTOCOL_ESP = 50,
    IP_PROTOCOL_AH = 51,
    IP_PROTOCOL_ICMPV6 = 58,
    IP_PROTOCOL_NO_NEXT = 59,
    IP_PROTOCOL_DESTINATION = 60,
    IP_PROTOCOL_SCTP = 132,
    IP_PROTOCOL_MOBILITY = 135,
    IP_PROTOCOL_HIP = 139,
    IP_PROTOCOL_SHIM6 = 140,
};

enum { ETHER_LENGTH_MAXIMUM = 1500 }; // an EtherType up to this is the length of an 802.3 frame

enum ether_type {
    ETHER_TYPE_IPV4 = 0x0800,
    ETHER_TYPE_ARP = 0x0806,
    ETHER_TYPE_TEB = 0x6558, // transparent Ethernet bridging (GRE, Geneve)
    ETHER_TYPE_RARP = 0x8035,
    ETHER_TYPE_VLAN = 0x8100,
    ETHER_TYPE_IPV6 = 0x86dd,
    ETHER_TYPE_MPLS = 0x8847,
    ETHER_TYPE_MPLS_MULTICAST = 0x8848,
    ETHER_TYPE_PPPOE_SESSION = 0x8864,
    ETHER_TYPE_QINQ = 0x88a8,
    ETHER_TYPE_CISCO_METADATA = 0x8909,
    ETHER_TYPE_QINQ_OLD = 0x9100,
};

// Whether a VLAN tag follows, of whichever kind.
static inline bool ether_type_is_tag(uint16_t type)
{
    return type == ETHER_TYPE_VLAN || type == ETHER_TYPE_QINQ || type == ETHER_TYPE_QINQ_OLD;
}

enum tcp_flag {
    TCP_FIN = 0x01,
    TCP_SYN = 0x02,
    TCP_RST = 0x04,
    TCP_PSH = 0x08,
    TCP_ACK = 0x10,
    TCP_URG = 0x20,
    TCP_ECE = 0x40,
    TCP_CWR = 0x80,
};

// ICMP has a type and a code where these have ports.
static inline bool ip_protocol_is_icmp(uint8_t protocol)
{
    return protocol == IP_PROTOCOL_ICMP || protocol == IP_PROTOCOL_ICMPV6;
}

// TCP, UDP and SCTP: the protocols whose endpoints are told apart by ports.
static inline bool ip_protocol_has_ports(uint8_t protocol)
{
    return protocol == IP_PROTOCOL_TCP || protocol == IP_PROTOCOL_UDP || protocol == IP_PROTOCOL_SCTP;
}

// "tcp", "udp", "icmp", "icmpv6", "sctp", "gre"...; NULL for a number without a short name.
const char *ip_protocol_name(uint8_t protocol);
// "tcp" or "ip-proto-253": never NULL; `into` holds the text of unnamed ones.
const char *ip_protocol_text(uint8_t protocol, char into[16]);
