// The decoder table and the numbers by which one layer names the next.
#include "decode/decoders.h"

const struct decoder decoders[DECODERS] = {
    [DECODER_ETHERNET] = {"Ethernet", DECODE_LAYER_LINK, decode_ethernet, describe_ethernet},
    [DECODER_SLL] = {"Linux cooked", DECODE_LAYER_LINK, decode_sll, describe_sll},
    [DECODER_SLL2] = {"Linux cooked v2", DECODE_LAYER_LINK, decode_sll2, describe_sll2},
    [DECODER_NULL] = {"Loopback", DECODE_LAYER_LINK, decode_null, describe_null},
    [DECODER_RAW_IP] = {"Raw IP", DECODE_LAYER_LINK, decode_raw_ip, NULL},
    [DECODER_PPP] = {"PPP", DECODE_LAYER_LINK, decode_ppp, describe_ppp},
    [DECODER_CISCO_HDLC] = {"Cisco HDLC", DECODE_LAYER_LINK, decode_cisco_hdlc, describe_cisco_hdlc},
    [DECODER_FRAME_RELAY] = {"Frame Relay", DECODE_LAYER_LINK, decode_frame_relay, describe_frame_relay},
    [DECODER_WIFI] = {"802.11", DECODE_LAYER_LINK, decode_wifi, describe_wifi},
    [DECODER_RADIOTAP] = {"Radiotap", DECODE_LAYER_LINK, decode_radiotap, describe_radiotap},
    [DECODER_NFLOG] = {"NFLOG", DECODE_LAYER_LINK, decode_nflog, describe_nflog},
    [DECODER_PKTAP] = {"PKTAP", DECODE_LAYER_LINK, decode_pktap, describe_pktap},
    [DECODER_VLAN] = {"VLAN", DECODE_LAYER_LINK, decode_vlan, describe_vlan},
    [DECODER_LLC] = {"LLC", DECODE_LAYER_LINK, decode_llc, describe_llc},
    [DECODER_CISCO_METADATA] = {"Cisco metadata", DECODE_LAYER_LINK, decode_cisco_metadata,
                                describe_cisco_metadata},
    [DECODER_MPLS] = {"MPLS", DECODE_LAYER_LINK, decode_mpls, describe_mpls},
    [DECODER_PPPOE] = {"PPPoE", DECODE_LAYER_LINK, decode_pppoe, describe_pppoe},
    [DECODER_ARP] = {"ARP", DECODE_LAYER_NETWORK, decode_arp, describe_arp},
    [DECODER_IPV4] = {"IPv4", DECODE_LAYER_NETWORK, decode_ipv4, describe_ipv4},
    [DECODER_IPV6] = {"IPv6", DECODE_LAYER_NETWORK, decode_ipv6, describe_ipv6},
    [DECODER_TCP] = {"TCP", DECODE_LAYER_TRANSPORT, decode_tcp, describe_tcp},
    [DECODER_UDP] = {"UDP", DECODE_LAYER_TRANSPORT, decode_udp, describe_udp},
    [DECODER_ICMP] = {"ICMP", DECODE_LAYER_TRANSPORT, decode_icmp, describe_icmp},
    [DECODER_ICMPV6] = {"ICMPv6", DECODE_LAYER_TRANSPORT, decode_icmpv6, describe_icmpv6},
    [DECODER_SCTP] = {"SCTP", DECODE_LAYER_TRANSPORT, decode_sctp, describe_sctp},
    [DECODER_IPV4_IN_IP] = {"IPv4 in IP", DECODE_LAYER_TUNNEL, decode_ipv4_in_ip, NULL},
    [DECODER_IPV6_IN_IP] = {"IPv6 in IP", DECODE_LAYER_TUNNEL, decode_ipv6_in_ip, NULL},
    [DECODER_GRE] = {"GRE", DECODE_LAYER_TUNNEL, decode_gre, describe_gre},
    [DECODER_ERSPAN] = {"ERSPAN", DECODE_LAYER_TUNNEL, decode_erspan, describe_erspan},
    [DECODER_VXLAN] = {"VXLAN", DECODE_LAYER_TUNNEL, decode_vxlan, describe_vxlan},
    [DECODER_GENEVE] = {"Geneve", DECODE_LAYER_TUNNEL, decode_geneve, describe_geneve},
    [DECODER_GTP_U] = {"GTP-U", DECODE_LAYER_TUNNEL, decode_gtp_u, describe_gtp_u},
    [DECODER_TEREDO] = {"Teredo", DECODE_LAYER_TUNNEL, decode_teredo, describe_teredo},
};

struct link_row {
    uint16_t link_type;
    uint8_t decoder;
    const char *name;
};

static const struct link_row links[] = {
    {1, DECODER_ETHERNET, "EN10MB"},
    {0, DECODER_NULL, "NULL"},
    {9, DECODER_PPP, "PPP"},
    {12, DECODER_RAW_IP, "RAW"},
    {14, DECODER_RAW_IP, "RAW"},
    {50, DECODER_PPP, "PPP_SERIAL"},
    {101, DECODER_RAW_IP, "RAW"},
    {104, DECODER_CISCO_HDLC, "C_HDLC"},
    {105, DECODER_WIFI, "IEEE802_11"},
    {107, DECODER_FRAME_RELAY, "FRELAY"},
    {108, DECODER_NULL, "LOOP"},
    {113, DECODER_SLL, "LINUX_SLL"},
    {127, DECODER_RADIOTAP, "IEEE802_11_RADIO"},
    {149, DECODER_PKTAP, "USER2"}, // as Apple's tcpdump wrote it
    {228, DECODER_RAW_IP, "IPV4"},
    {229, DECODER_RAW_IP, "IPV6"},
    {239, DECODER_NFLOG, "NFLOG"},
    {258, DECODER_PKTAP, "PKTAP"},
    {276, DECODER_SLL2, "LINUX_SLL2"},
};

static const struct link_row *find_link(uint16_t link_type)
{
    for (unsigned i = 0; i < sizeof links / sizeof links[0]; i++)
        if (links[i].link_type == link_type)
            return &links[i];
    return NULL;
}

const char *link_type_name(uint16_t link_type)
{
    const struct link_row *row = find_link(link_type);
    return row != NULL ? row->name : NULL;
}

enum decoder_id decode_link_type(struct packet *packet, uint16_t link_type)
{
    const struct link_row *row = find_link(link_type);
    if (row != NULL)
        return row->decoder;
    return decode_fail(packet, DECODE_LAYER_LINK, DECODE_UNSUPPORTED_LINK);
}

static enum decoder_id ether_type_row(uint16_t ether_type)
{
    switch (ether_type) {
    case ETHER_TYPE_IPV4:
        return DECODER_IPV4;
    case ETHER_TYPE_IPV6:
        return DECODER_IPV6;
    case ETHER_TYPE_ARP:
    case ETHER_TYPE_RARP:
        return DECODER_ARP;
    case ETHER_TYPE_VLAN:
    case ETHER_TYPE_QINQ:
    case ETHER_TYPE_QINQ_OLD:
        return DECODER_VLAN;
    case ETHER_TYPE_MPLS:
    case ETHER_TYPE_MPLS_MULTICAST:
        return DECODER_MPLS;
    case ETHER_TYPE_CISCO_METADATA:
        return DECODER_CISCO_METADATA;
    case ETHER_TYPE_PPPOE_SESSION:
        return DECODER_PPPOE;
    case ETHER_TYPE_TEB:
        return DECODER_ETHERNET;
    default:
        return DECODER_NONE;
    }
}

bool decode_ether_type_known(uint16_t ether_type)
{
    return ether_type_row(ether_type) != DECODER_NONE;
}

enum decoder_id decode_ether_type(struct decoding *decoding, struct packet *packet, uint16_t ether_type)
{
    if (ether_type <= ETHER_LENGTH_MAXIMUM) {
        packet->ether_type = 0;
        if (!decoding_limit(decoding, ether_type))
            decode_fail(packet, DECODE_LAYER_LINK, DECODE_BAD_LENGTH);
        return DECODER_LLC;
    }
    packet->ether_type = ether_type;
    enum decoder_id row = ether_type_row(ether_type);
    if (row == DECODER_NONE)
        decode_fail(packet, DECODE_LAYER_LINK, DECODE_UNSUPPORTED_TYPE);
    return row;
}

enum decoder_id decode_ip_protocol(uint8_t protocol)
{
    switch (protocol) {
    case IP_PROTOCOL_TCP:
        return DECODER_TCP;
    case IP_PROTOCOL_UDP:
        return DECODER_UDP;
    case IP_PROTOCOL_ICMP:
        return DECODER_ICMP;
    case IP_PROTOCOL_ICMPV6:
        return DECODER_ICMPV6;
    case IP_PROTOCOL_SCTP:
        return DECODER_SCTP;
    case IP_PROTOCOL_IPV4:
        return DECODER_IPV4_IN_IP;
    case IP_PROTOCOL_IPV6:
        return DECODER_IPV6_IN_IP;
    case IP_PROTOCOL_GRE:
        return DECODER_GRE;
    default:
        return DECODER_NONE;
    }
}

enum decoder_id decode_ip_version(const struct decoding *decoding)
{
    switch (cursor_peek(&decoding->cursor) >> 4) {
    case 4:
        return DECODER_IPV4;
    case 6:
        return DECODER_IPV6;
    default:
        return DECODER_NONE;
    }
}

enum decoder_id decode_ppp_protocol(struct packet *packet, uint16_t protocol)
{
    switch (protocol) {
    case 0x0021:
        return DECODER_IPV4;
    case 0x0057:
        return DECODER_IPV6;
    case 0x0281:
    case 0x0283:
        return DECODER_MPLS;
    default:
        return decode_fail(packet, DECODE_LAYER_LINK, DECODE_UNSUPPORTED_TYPE);
    }
}

enum decoder_id decode_udp_port(uint16_t source_port, uint16_t target_port)
{
    switch (target_port) {
    case 4789:
    case 4790: // with the protocol extension
    case 8472: // Linux before the assignment; flannel and Cilium to this day
        return DECODER_VXLAN;
    case 6081:
        return DECODER_GENEVE;
    case 2152:
        return DECODER_GTP_U;
    case 3544:
        return DECODER_TEREDO;
    default:
        return source_port == 3544 ? DECODER_TEREDO : DECODER_NONE;
    }
}
