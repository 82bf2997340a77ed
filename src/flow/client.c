#include "flow/client.h"

#include <assert.h>
#include <stddef.h>

// How likely a port is a server's.
enum port_rank { PORT_ANY, PORT_REGISTERED, PORT_SYSTEM };
enum { SYSTEM_PORTS = 1024, DHCP_CLIENT = 68, DHCPV6_CLIENT = 546 };

// What servers listen on by UDP above the system ports (IANA's registry, and ports that everybody uses without asking), by
// number. Of TCP a SYN tells who asked, and where none was captured the detectors judge by more than a port.
static const uint16_t service_ports[] = {
    1194, // OpenVPN
    1434, // SQL Server, where it is
    1645, // RADIUS, of old
    1646,
    1701, // L2TP
    1812, // RADIUS
    1813,
    1900, // SSDP
    2049, // NFS
    2055, // NetFlow
    2123, // GTP-C
    2152, // GTP-U
    3386, // GTP'
    3389, // RDP
    3478, // STUN
    3544, // Teredo
    3702, // WS-Discovery
    3799, // RADIUS, changes of authorisation
    4011, // PXE
    4500, // IPsec behind NAT
    4739, // IPFIX
    4789, // VXLAN
    5060, // SIP
    5072, // AYIYA
    5246, // CAPWAP
    5247,
    5349, // STUN over TLS
    5351, // NAT-PMP, PCP
    5353, // mDNS
    5355, // LLMNR
    5683, // CoAP
    5684,
    6081,  // Geneve
    6343,  // sFlow
    8472,  // VXLAN, of old
    9995,  // NetFlow
    11211, // memcached
    20000, // DNP3
    27015, // Steam
    44818, // EtherNet/IP
    47808, // BACnet
    51820, // WireGuard
};

static enum port_rank rank_of(uint8_t protocol, uint16_t port)
{
    if (protocol == IP_PROTOCOL_UDP && (port == DHCP_CLIENT || port == DHCPV6_CLIENT))
        return PORT_ANY;
    if (port < SYSTEM_PORTS)
        return PORT_SYSTEM;
    if (protocol != IP_PROTOCOL_UDP)
        return PORT_ANY;
    size_t low = 0, high = sizeof service_ports / sizeof service_ports[0];
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (service_ports[middle] < port)
            low = middle + 1;
        else
            high = middle;
    }
    bool found = low < sizeof service_ports / sizeof service_ports[0] && service_ports[low] == port;
    return found ? PORT_REGISTERED : PORT_ANY;
}

// What a message says of who sent it.
enum message_role { MESSAGE_ANY, MESSAGE_QUESTION, MESSAGE_ANSWER };

// RFC 8489 section 5: two bits of zero, a class, a length in words, the cookie. Those of before it have none and are
// known by their port.
static enum message_role role_in_stun(const uint8_t *bytes, uint32_t length)
{
    enum { HEADER = 20 };
    static const enum message_role of_class[4] = {MESSAGE_QUESTION, MESSAGE_ANY, MESSAGE_ANSWER,
                                                  MESSAGE_ANSWER};
    bool is_stun = length >= HEADER && (bytes[0] & 0xc0) == 0 && (bytes[3] & 3) == 0 && bytes[4] == 0x21 &&
                   bytes[5] == 0x12 && bytes[6] == 0xa4 && bytes[7] == 0x42;
    return is_stun ? of_class[(bytes[0] & 1) << 1 | (bytes[1] >> 4 & 1)] : MESSAGE_ANY;
}

// 3GPP TS 29.060 and 29.274: both ends have the same port as a rule. Echoes, and what is asked of contexts (16 to 21) and
// sessions (32 to 37), whose answers have the odd numbers.
static enum message_role role_in_gtp(const struct packet *packet, const uint8_t *bytes, uint32_t length)
{
    enum { GTP_C = 2123, GTP_U = 2152, HEADER = 8, ECHO_REQUEST = 1, ECHO_ANSWER = 2 };
    bool by_port = packet->source_port == packet->target_port &&
                   (packet->source_port == GTP_C || packet->source_port == GTP_U);
    if (!by_port || length < HEADER || (bytes[0] >> 5 != 1 && bytes[0] >> 5 != 2))
        return MESSAGE_ANY;
    uint8_t type = bytes[1];
    if (type == ECHO_REQUEST || type == ECHO_ANSWER)
        return type == ECHO_ANSWER ? MESSAGE_ANSWER : MESSAGE_QUESTION;
    if ((type >= 16 && type <= 21) || (type >= 32 && type <= 37))
        return (type & 1) != 0 ? MESSAGE_ANSWER : MESSAGE_QUESTION;
    return MESSAGE_ANY;
}

static enum message_role role_in_message(const struct packet *packet)
{
    if (packet->ip_protocol != IP_PROTOCOL_UDP || !packet->has_transport || packet->payload_captured == 0)
        return MESSAGE_ANY;
    const uint8_t *bytes = packet_payload(packet);
    enum message_role role = role_in_stun(bytes, packet->payload_captured);
    return role != MESSAGE_ANY ? role : role_in_gtp(packet, bytes, packet->payload_captured);
}

static struct flow_opener opener_by_ports(const struct packet *packet)
{
    bool has_ports = packet->ports_known && ip_protocol_has_ports(packet->ip_protocol);
    struct flow_opener first = {CLIENT_FIRST_PACKET, true};
    if (!has_ports)
        return first;
    enum port_rank source = rank_of(packet->ip_protocol, packet->source_port);
    enum port_rank target = rank_of(packet->ip_protocol, packet->target_port);
    if (source > target)
        return (struct flow_opener){CLIENT_PORT, false};
    // A datagram to a server is a client's first word; a segment without SYN is not.
    return packet->ip_protocol == IP_PROTOCOL_TCP && target > source ? (struct flow_opener){CLIENT_PORT, true}
                                                                     : first;
}

struct flow_opener flow_opener_of(const struct packet *packet)
{
    assert(packet->source.version == packet->target.version);
    uint8_t flags = packet->ip_protocol == IP_PROTOCOL_TCP && packet->has_transport ? packet->tcp.flags : 0;
    if ((flags & (TCP_SYN | TCP_ACK)) == TCP_SYN)
        return (struct flow_opener){CLIENT_SYN, true};
    if ((flags & TCP_SYN) != 0)
        return (struct flow_opener){CLIENT_SYN_ACK, false};
    if (address_is_multicast(&packet->target))
        return (struct flow_opener){CLIENT_FIRST_PACKET, true};
    if (address_is_multicast(&packet->source) && !ip_protocol_is_icmp(packet->ip_protocol))
        return (struct flow_opener){CLIENT_PORT, false};
    enum message_role role = role_in_message(packet);
    if (role == MESSAGE_ANSWER)
        return (struct flow_opener){CLIENT_PORT, false};
    return role == MESSAGE_QUESTION ? (struct flow_opener){CLIENT_FIRST_PACKET, true}
                                    : opener_by_ports(packet);
}
