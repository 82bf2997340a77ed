#include "decode/decode.h"

#include <assert.h>

#include <string.h>

#include "decode/decoders.h"

// The packet as it was before the decoder went into a tunnel.
struct outer {
    bool known;
    struct packet packet;
    struct decoding decoding;
};

enum {
    FIRST_CLEARED = offsetof(struct packet, ip_protocol),
    FIRST_END = offsetof(struct packet, tcp),
    SECOND_CLEARED = offsetof(struct packet, ether_type),
    SECOND_END = offsetof(struct packet, tunnel),
};

enum decoder_id decode_fail(struct packet *packet, enum decode_layer layer, enum decode_reason reason)
{
    assert(layer > DECODE_LAYER_NONE && layer < DECODE_LAYERS && reason > DECODE_OK &&
           reason < DECODE_REASONS);
    if (packet->error_reason == DECODE_OK) {
        packet->error_layer = (uint8_t)layer;
        packet->error_reason = (uint8_t)reason;
    }
    return DECODER_NONE;
}

// Field by field, see decoding_header().
static inline void begin(struct packet *packet, struct decoding *decoding)
{
    uint32_t captured = packet->captured, length = packet->length;
    memset((char *)packet + FIRST_CLEARED, 0, FIRST_END - FIRST_CLEARED);
    memset((char *)packet + SECOND_CLEARED, 0, SECOND_END - SECOND_CLEARED);
    packet->tunnel.kind = TUNNEL_NONE;
    packet->notes = captured < length ? PACKET_NOTE_SNAPPED : 0;
    decoding->cursor.at = packet->bytes;
    decoding->cursor.end = packet->bytes + captured;
    decoding->cursor.failed = false;
    decoding->missing = captured < length ? length - captured : 0;
}

static void end(struct packet *packet, const struct decoding *decoding)
{
    packet->payload_offset = decoding_offset(decoding, packet);
    packet->payload_captured = (uint32_t)cursor_left(&decoding->cursor);
    packet->payload_length = decoding_wire_left(decoding);
    assert(packet->payload_offset + packet->payload_captured <= packet->captured); // no layer reached further
}

// Keeps the outer packet and clears what the inner one will fill. A tunnel row that follows another
// one (ERSPAN in GRE) finds nothing to keep.
static void enter_tunnel(struct outer *outer, struct packet *packet, const struct decoding *decoding)
{
    if (packet->source.version == 0)
        return;
    *outer = (struct outer){.known = true, .packet = *packet, .decoding = *decoding};
    packet->tunnel.source = packet->source;
    packet->tunnel.target = packet->target;
    memset(&packet->source, 0, sizeof packet->source);
    memset(&packet->target, 0, sizeof packet->target);
    packet->source_port = packet->target_port = 0;
    packet->has_transport = packet->ports_known = false;
    packet->ip_protocol = 0;
}

// The tunnel held no IP header that could be read: its packet stays what it was outside. A failure
// is kept, as the tunnel's; that the content is of another kind is none.
static void leave_tunnel(const struct outer *outer, struct packet *packet, struct decoding *decoding)
{
    assert(outer->packet.source.version != 0 && outer->packet.bytes == packet->bytes);
    uint8_t reason = packet->error_reason;
    *packet = outer->packet;
    *decoding = outer->decoding;
    if (reason != DECODE_OK && reason != DECODE_UNSUPPORTED_TYPE && reason != DECODE_ENCRYPTED)
        decode_fail(packet, DECODE_LAYER_TUNNEL, reason);
}

static void note_layer(struct layer_trace *trace, enum decoder_id id, const struct packet *packet,
                       const struct decoding *decoding)
{
    assert(trace->count < DECODE_LAYER_BUDGET);
    trace->layers[trace->count].decoder = (uint8_t)id;
    trace->layers[trace->count].offset = decoding_offset(decoding, packet);
    trace->layers[trace->count].length = (uint32_t)cursor_left(&decoding->cursor);
    trace->count++;
}

static bool may_enter(const struct packet *packet, const struct decode_options *options)
{
    return options->tunnels && packet->fragment == FRAGMENT_NONE;
}

// Inlined into its two callers, so that the one without a trace pays nothing for it.
__attribute__((always_inline)) static inline void
decode_layers(struct packet *packet, const struct decode_options *options, struct layer_trace *trace)
{
    struct decoding decoding;
    begin(packet, &decoding);
    struct outer outer;
    outer.known = false;
    enum decoder_id id = decode_link_type(packet, packet->link_type);
    for (unsigned budget = DECODE_LAYER_BUDGET; id != DECODER_NONE; budget--) {
        const struct decoder *row = &decoders[id];
        if (budget == 0) {
            decode_fail(packet, row->layer, DECODE_TOO_DEEP);
            break;
        }
        if (row->layer == DECODE_LAYER_TUNNEL) {
            if (!may_enter(packet, options))
                break;
            enter_tunnel(&outer, packet, &decoding);
        }
        if (trace != NULL)
            note_layer(trace, id, packet, &decoding);
        id = row->decode(&decoding, packet);
    }
    if (outer.known && packet->source.version == 0)
        leave_tunnel(&outer, packet, &decoding);
    end(packet, &decoding);
}

void decode_packet_traced(struct packet *packet, const struct decode_options *options,
                          struct layer_trace *trace)
{
    trace->count = 0;
    decode_layers(packet, options, trace);
}

void decode_packet(struct packet *packet, const struct decode_options *options)
{
    decode_layers(packet, options, NULL);
}

const char *decode_reason_name(enum decode_reason reason)
{
    static const char *const names[DECODE_REASONS] = {
        [DECODE_OK] = "ok",
        [DECODE_TRUNCATED] = "truncated",
        [DECODE_BAD_LENGTH] = "bad_length",
        [DECODE_BAD_VERSION] = "bad_version",
        [DECODE_BAD_HEADER] = "bad_header",
        [DECODE_TOO_DEEP] = "too_deep",
        [DECODE_UNSUPPORTED_LINK] = "unsupported_link",
        [DECODE_UNSUPPORTED_TYPE] = "unsupported_type",
        [DECODE_BAD_MESSAGE] = "bad_message",
        [DECODE_ENCRYPTED] = "encrypted",
    };
    assert(reason < DECODE_REASONS);
    return names[reason];
}

const char *decode_layer_name(enum decode_layer layer)
{
    static const char *const names[DECODE_LAYERS] = {
        [DECODE_LAYER_NONE] = "none",       [DECODE_LAYER_LINK] = "link",
        [DECODE_LAYER_NETWORK] = "network", [DECODE_LAYER_TRANSPORT] = "transport",
        [DECODE_LAYER_TUNNEL] = "tunnel",   [DECODE_LAYER_APP] = "app",
    };
    assert(layer < DECODE_LAYERS);
    return names[layer];
}

const char *tunnel_kind_name(enum tunnel_kind kind)
{
    static const char *const names[TUNNEL_KINDS] = {
        [TUNNEL_NONE] = "none",     [TUNNEL_IPIP] = "ipip",     [TUNNEL_GRE] = "gre",
        [TUNNEL_ERSPAN] = "erspan", [TUNNEL_VXLAN] = "vxlan",   [TUNNEL_GENEVE] = "geneve",
        [TUNNEL_GTP_U] = "gtp_u",   [TUNNEL_TEREDO] = "teredo",
    };
    assert(kind < TUNNEL_KINDS);
    return names[kind];
}
