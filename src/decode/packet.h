// A decoded packet: what every later stage reads, filled once by decode_packet(). The bytes are
// borrowed from the chunk that holds the frame and stay valid as long as the batch that carries the
// packet. Plain data, owned by whoever holds the batch; one thread at a time.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/address.h"
#include "net/protocol.h"

// Where decoding of a packet stopped short of what its headers promise. Counted by (layer, reason),
// never logged one by one. A packet has at most one: the first.
enum decode_layer {
    DECODE_LAYER_NONE,
    DECODE_LAYER_LINK,
    DECODE_LAYER_NETWORK,
    DECODE_LAYER_TRANSPORT,
    DECODE_LAYER_TUNNEL,
    DECODE_LAYER_APP,
    DECODE_LAYERS,
};

enum decode_reason {
    DECODE_OK,
    DECODE_TRUNCATED,        // the capture holds fewer bytes than the header (snaplen or a cut frame)
    DECODE_BAD_LENGTH,       // a length field contradicts itself or its container
    DECODE_BAD_VERSION,      // the version nibble is not what the layer below said
    DECODE_BAD_HEADER,       // any other field that cannot be
    DECODE_TOO_DEEP,         // more nested layers or extension headers than the budget
    DECODE_UNSUPPORTED_LINK, // a link type that NetScope does not decode
    DECODE_UNSUPPORTED_TYPE, // an EtherType or LLC payload that NetScope does not decode: not an error of the packet
    DECODE_BAD_MESSAGE, // a DNS, TLS... message that contradicts itself
    DECODE_ENCRYPTED,   // what follows cannot be read by anybody without the key: not an error of the packet
    DECODE_REASONS,
};

// Facts that do not stop decoding; a packet may have several.
enum packet_note {
    PACKET_NOTE_IPV4_CHECKSUM =
        1 << 0,                   // the header checksum is wrong (offload makes them): counted, analysed
    PACKET_NOTE_SNAPPED = 1 << 1, // captured < length
};

enum packet_fragment {
    FRAGMENT_NONE,
    FRAGMENT_FIRST, // offset 0 with more to come: it carries the ports
    FRAGMENT_LATER,
    FRAGMENT_WHOLE, // it completes its datagram, which was put together: what is told is the datagram's
};

enum tunnel_kind {
    TUNNEL_NONE,
    TUNNEL_IPIP, // any of 4in4, 6in4, 4in6, 6in6
    TUNNEL_GRE,
    TUNNEL_ERSPAN,
    TUNNEL_VXLAN,
    TUNNEL_GENEVE,
    TUNNEL_GTP_U,
    TUNNEL_TEREDO,
    TUNNEL_KINDS,
};

// The innermost tunnel that the packet came through, with the endpoints outside it. Only `kind` is
// written when there is none.
struct packet_tunnel {
    uint8_t kind; // enum tunnel_kind
    uint32_t id;  // VNI, GRE key, ERSPAN session, TEID; 0 = none
    struct address source, target;
};

enum { PACKET_VLANS = 2, PACKET_SACKS = 4 };

// Valid when ip_protocol is TCP and has_transport.
struct packet_tcp {
    uint32_t sequence, acknowledgement;
    uint16_t window;      // as sent, unscaled
    uint16_t ip_id;       // of the IPv4 packet that carries it; 0 = none
    uint8_t flags;        // enum tcp_flag
    uint8_t window_shift; // the option of a SYN
    uint8_t sacks;        // blocks of the SACK option, PACKET_SACKS at most
    bool has_window_shift;
    uint32_t timestamp, timestamp_echo; // 0 = no option
    uint16_t mss;                       // 0 = no option
};

// Valid when is_arp. Addresses have version 0 unless the message is about IPv4 over Ethernet.
struct packet_arp {
    uint16_t operation; // 1 request, 2 reply
    uint8_t sender_mac[6], target_mac[6];
    struct address sender, target;
};

// In the first cache line what every packet of a flow is counted by, behind it what few are asked for.
struct packet {
    // From the source.
    int64_t time_ns;         // the packet's own stamp
    int64_t clock_offset_ns; // flow time minus stamp: 0 until a clock that stepped back was re-based
    const uint8_t *bytes;    // the frame, `captured` bytes
    uint32_t length;         // bytes on the wire

    uint32_t payload_length;   // bytes of it on the wire (TCP quality counts with these)
    uint32_t payload_captured; // bytes of it at hand
    uint32_t payload_offset;   // from `bytes`; the transport's payload, or the IP payload without one

    uint16_t interface; // from the source: index into the run's interface table

    // Zero until a decoder fills it, up to `tcp`. has_transport: the transport's header could be read (TCP 20
    // bytes, UDP and ICMP 8, SCTP 12). ports_known: the ports below could be read, though the rest of the header
    // may be cut; of a later fragment fragments_apply() sets them.
    uint8_t ip_protocol; // the effective transport protocol (extension headers walked)
    bool has_transport;
    bool ports_known;
    bool is_arp;
    uint8_t vlans; // tags seen, PACKET_VLANS kept at most
    uint8_t notes; // enum packet_note

    struct packet_tcp tcp;

    // From the source.
    uint32_t captured;  // bytes at hand
    int64_t now_ns;     // the source's clock: never steps back
    uint64_t number;    // 1 for the first packet of the run
    uint16_t link_type; // LINKTYPE_* number, which libpcap calls DLT_*

    // Zero until a decoder fills it, up to `tunnel`.
    uint16_t ether_type;         // of the innermost link layer; 0 = none
    uint16_t vlan[PACKET_VLANS]; // VLAN ids, outermost first
    uint32_t link_interface;     // SLL2: the kernel's interface index; 0 = none
    uint32_t fragment_id;
    uint32_t fragment_at;      // from `bytes`: where the part of the datagram begins
    uint16_t fragment_place;   // of that part in the datagram, in units of eight bytes
    uint8_t fragment_protocol; // what the datagram begins with
    bool fragment_more;        // it is not the last part
    uint8_t fragment;          // enum packet_fragment
    uint8_t ttl;
    uint16_t source_port, target_port; // ICMP: type and code
    uint8_t error_layer;               // enum decode_layer
    uint8_t error_reason;              // enum decode_reason
    struct address source, target;     // version 0: not an IP packet

    struct packet_tunnel tunnel;
    struct packet_arp arp;
};
_Static_assert(offsetof(struct packet, tcp.has_window_shift) < 64, "one cache line");
_Static_assert(sizeof(struct packet) == 256, "four cache lines");

static inline const uint8_t *packet_payload(const struct packet *packet)
{
    return packet->bytes + packet->payload_offset;
}

// "truncated", "bad_length"...: labels of netscope_decode_errors_total.
const char *decode_reason_name(enum decode_reason reason);
const char *decode_layer_name(enum decode_layer layer);
const char *tunnel_kind_name(enum tunnel_kind kind);
