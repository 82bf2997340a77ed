#include "flow/client.h"

#include <assert.h>
#include <stddef.h>

// How likely a port is a server's.
enum port_rank { PORT_ANY, PORT_REGISTERED, PORT_SYSTEM };
enum { SYSTEM_PORTS = 1024, DHCP_CLIENT = 68, DHCPV6_CLIENT = 546 };

enum { BY_TCP = 1, BY_UDP = 2 };

// What servers listen on above the system ports (IANA's registry, and ports that everybody uses without asking), by number.
static const struct service_port {
    uint16_t port;
    uint8_t by;
} service_ports[] = {
    {1080, BY_TCP},           // SOCKS
    {1194, BY_TCP | BY_UDP},  // OpenVPN
    {1433, BY_TCP},           // SQL Server
    {1434, BY_UDP},           // and where it is
    {1521, BY_TCP},           // Oracle
    {1645, BY_UDP},           // RADIUS, of old
    {1646, BY_UDP},           //
    {1701, BY_UDP},           // L2TP
    {1723, BY_TCP},           // PPTP
    {1812, BY_UDP},           // RADIUS
    {1813, BY_UDP},           //
    {1883, BY_TCP},           // MQTT
    {1900, BY_UDP},           // SSDP
    {2049, BY_TCP | BY_UDP},  // NFS
    {2055, BY_UDP},           // NetFlow
    {2123, BY_UDP},           // GTP-C
    {2152, BY_UDP},           // GTP-U
    {3128, BY_TCP},           // HTTP proxies
    {3268, BY_TCP},           // LDAP, the global catalogue
    {3306, BY_TCP},           // MySQL
    {3386, BY_UDP},           // GTP'
    {3389, BY_TCP | BY_UDP},  // RDP
    {3478, BY_TCP | BY_UDP},  // STUN
    {3544, BY_UDP},           // Teredo
    {3702, BY_UDP},           // WS-Discovery
    {3799, BY_UDP},           // RADIUS, changes of authorisation
    {4011, BY_UDP},           // PXE
    {4500, BY_UDP},           // IPsec behind NAT
    {4739, BY_TCP | BY_UDP},  // IPFIX
    {4789, BY_UDP},           // VXLAN
    {5060, BY_TCP | BY_UDP},  // SIP
    {5061, BY_TCP},           //
    {5072, BY_UDP},           // AYIYA
    {5222, BY_TCP},           // XMPP
    {5223, BY_TCP},           //
    {5246, BY_UDP},           // CAPWAP
    {5247, BY_UDP},           //
    {5269, BY_TCP},           // XMPP between servers
    {5349, BY_TCP | BY_UDP},  // STUN over TLS
    {5351, BY_UDP},           // NAT-PMP, PCP
    {5353, BY_UDP},           // mDNS
    {5355, BY_UDP},           // LLMNR
    {5432, BY_TCP},           // PostgreSQL
    {5671, BY_TCP},           // AMQP
    {5672, BY_TCP},           //
    {5683, BY_UDP},           // CoAP
    {5684, BY_UDP},           //
    {5900, BY_TCP},           // VNC
    {6081, BY_UDP},           // Geneve
    {6343, BY_UDP},           // sFlow
    {6379, BY_TCP},           // Redis
    {6443, BY_TCP},           // Kubernetes
    {6667, BY_TCP},           // IRC
    {8080, BY_TCP},           // HTTP
    {8443, BY_TCP},           //
    {8472, BY_UDP},           // VXLAN, of old
    {8883, BY_TCP},           // MQTT over TLS
    {9092, BY_TCP},           // Kafka
    {9200, BY_TCP},           // Elasticsearch
    {9995, BY_UDP},           // NetFlow
    {11211, BY_TCP | BY_UDP}, // memcached
    {20000, BY_TCP | BY_UDP}, // DNP3
    {27015, BY_UDP},          // Steam
    {27017, BY_TCP},          // MongoDB
    {44818, BY_TCP | BY_UDP}, // EtherNet/IP
    {47808, BY_UDP},          // BACnet
    {51820, BY_UDP},          // WireGuard
};

static enum port_rank rank_of(uint8_t protocol, uint16_t port)
{
    if (protocol == IP_PROTOCOL_UDP && (port == DHCP_CLIENT || port == DHCPV6_CLIENT))
        return PORT_ANY;
    if (port < SYSTEM_PORTS)
        return PORT_SYSTEM;
    uint8_t by = protocol == IP_PROTOCOL_TCP ? BY_TCP : protocol == IP_PROTOCOL_UDP ? BY_UDP : 0;
    size_t low = 0, high = sizeof service_ports / sizeof service_ports[0];
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (service_ports[middle].port < port)
            low = middle + 1;
        else
            high = middle;
    }
    bool found = low < sizeof service_ports / sizeof service_ports[0] && service_ports[low].port == port;
    return found && (service_ports[low].by & by) != 0 ? PORT_REGISTERED : PORT_ANY;
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
