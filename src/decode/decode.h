// Bytes to `struct packet`, layers 2 to 4: a loop over one table with one row a protocol (table.c),
// each in a file of its own. Pure: bytes in, values out; no allocation, no clock, no global state.
// Any thread. Cost: one pass over the headers; loops carry a layer budget.
#pragma once

#include "base/cursor.h"
#include "decode/packet.h"

struct fields;

// The rows of the decoder table. DECODER_NONE ends the loop: what is left is payload.
enum decoder_id {
    DECODER_NONE,
    DECODER_ETHERNET,
    DECODER_SLL,
    DECODER_SLL2,
    DECODER_NULL,
    DECODER_RAW_IP,
    DECODER_PPP,
    DECODER_CISCO_HDLC,
    DECODER_FRAME_RELAY,
    DECODER_WIFI,
    DECODER_RADIOTAP,
    DECODER_NFLOG,
    DECODER_PKTAP,
    DECODER_VLAN,
    DECODER_LLC,
    DECODER_MPLS,
    DECODER_CISCO_METADATA,
    DECODER_PPPOE,
    DECODER_ARP,
    DECODER_IPV4,
    DECODER_IPV6,
    DECODER_TCP,
    DECODER_UDP,
    DECODER_ICMP,
    DECODER_ICMPV6,
    DECODER_SCTP,
    DECODER_IPV4_IN_IP,
    DECODER_IPV6_IN_IP,
    DECODER_GRE,
    DECODER_ERSPAN,
    DECODER_VXLAN,
    DECODER_GENEVE,
    DECODER_GTP_U,
    DECODER_TEREDO,
    DECODERS,
};

struct decode_options {
    bool tunnels; // look inside tunnels (analysis.tunnels)
};

// What is left of a frame while it is taken apart. On the wire it may reach further than at hand.
struct decoding {
    struct cursor cursor; // the bytes at hand of the next layer
    uint32_t missing;     // bytes of it behind those, which were not captured
};

// One layer: reads its header at the cursor, fills its part of the packet, names the next row. It
// leaves the cursor behind its header, and both ends cut to the length that the header gives to what
// follows. On malformed input it calls decode_fail(), leaves the cursor before what it could not read
// and returns DECODER_NONE.
typedef enum decoder_id decode_function(struct decoding *decoding, struct packet *packet);
// The same header as a tree of fields for people; reads `layer` afresh. See fields.h.
typedef void describe_function(struct cursor layer, const struct packet *packet, struct fields *fields);

// A row of layer DECODE_LAYER_TUNNEL is only entered when the options say so and the packet is no
// fragment (its datagram's other parts could not follow it). What it carries replaces the addresses
// and ports of the packet; when that turns out to hold no IP header, the outer ones come back.
struct decoder {
    const char *name;
    enum decode_layer layer; // where its errors are counted
    decode_function *decode;
    describe_function *describe; // NULL: the row has no header of its own
};

extern const struct decoder decoders[DECODERS];

enum { DECODE_LAYER_BUDGET = 24 }; // layers of one packet, all encapsulations together

// The layers met, for the detail view.
struct layer_trace {
    unsigned count;
    struct {
        uint8_t decoder; // enum decoder_id
        uint32_t offset; // from packet->bytes
        uint32_t length; // of header and what it carries, as cut
    } layers[DECODE_LAYER_BUDGET];
};

// Fills everything below "From the source" of a packet whose bytes, lengths and link_type are set.
void decode_packet(struct packet *packet, const struct decode_options *options);
// The same, and notes the layers.
void decode_packet_traced(struct packet *packet, const struct decode_options *options,
                          struct layer_trace *trace);

// The link layer's name ("EN10MB") for a LINKTYPE; NULL when NetScope does not decode it.
const char *link_type_name(uint16_t link_type);
