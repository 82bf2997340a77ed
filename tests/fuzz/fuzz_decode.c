// Any bytes of any link type through the decoders and everything that shows a packet. The first three
// bytes of the input choose the link type and how much of the frame the wire held beyond it.
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "decode/decode.h"
#include "decode/fields.h"
#include "decode/fragments.h"

// Each input is a datagram's part; those before it wait or were put together.
static void check_fragment(struct fragments *fragments, struct packet packet)
{
    static uint8_t whole[REASSEMBLY_WHOLE_BYTES];
    if (fragments_apply(fragments, &packet) == FRAGMENT_COMPLETES) {
        fragments_finish(fragments, &(struct decode_options){.tunnels = true}, whole, &packet);
        assert(packet.payload_offset + packet.payload_captured <= sizeof whole);
    }
    while (fragments_next(fragments, &packet))
        assert(packet.payload_captured == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

enum { CHOICE_BYTES = 3, TEXT_MAXIMUM = 1 << 20 };

static struct packet frame_of(const uint8_t *bytes, size_t length)
{
    static const uint16_t link_types[] = {0, 1, 9, 12, 14, 50, 101, 104, 107, 108, 113, 228, 229, 276, 127};
    struct packet packet;
    memset(&packet, 0xa5, sizeof packet);
    packet.time_ns = packet.now_ns = 0;
    packet.number = 1;
    packet.interface = 0;
    packet.bytes = bytes + CHOICE_BYTES;
    packet.captured = (uint32_t)(length - CHOICE_BYTES);
    packet.length = packet.captured + (uint32_t)(bytes[1] << 8 | bytes[2]);
    packet.link_type = link_types[bytes[0] % (sizeof link_types / sizeof link_types[0])];
    return packet;
}

static void check_packet(const struct packet *packet)
{
    assert(packet->payload_offset <= packet->captured);
    assert(packet->payload_captured <= packet->captured - packet->payload_offset);
    assert(packet->payload_captured <= packet->payload_length);
    assert(packet->payload_length <= packet->length - packet->payload_offset);
    assert(!packet->has_transport || packet->ports_known);
    assert(!packet->ports_known || packet->source.version != 0);
    assert(packet->source.version == packet->target.version);
    assert(packet->tunnel.kind == TUNNEL_NONE || packet->tunnel.source.version != 0);
    assert(packet->tunnel.kind < TUNNEL_KINDS && packet->error_reason < DECODE_REASONS);
    assert((packet->error_layer == DECODE_LAYER_NONE) == (packet->error_reason == DECODE_OK));
}

static void check_trace(const struct packet *packet, const struct layer_trace *trace)
{
    assert(trace->count <= DECODE_LAYER_BUDGET);
    for (unsigned i = 0; i < trace->count; i++) {
        assert(trace->layers[i].offset <= packet->captured);
        assert(trace->layers[i].length <= packet->captured - trace->layers[i].offset);
    }
}

static void check_fields(const struct packet *packet, struct fields *fields)
{
    fields_of_packet(fields, packet);
    for (unsigned i = 0; i < fields->count; i++) {
        const struct field *field = &fields->items[i];
        assert(field->offset <= packet->captured);
        assert(field->length <= packet->captured - field->offset);
        assert(strlen(field_name(fields, field)) > 0);
        assert(strlen(field_value(fields, field)) < fields->text.length);
    }
}

static void check_text(const struct packet *packet, struct fields *fields, struct strbuf *text)
{
    strbuf_clear(text);
    packet_add_line(text, packet, "fuzz0");
    for (size_t i = 0; i < text->length; i++)
        assert((unsigned char)text->text[i] >= 0x20 && text->text[i] != 0x7f);
    packet_add_detail(text, packet, fields);
    packet_add_hex(text, packet->bytes, packet->captured);
    assert(strlen(text->text) == text->length);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static struct fields fields;
    static struct strbuf text;
    static struct fragments *fragments;
    if (length < CHOICE_BYTES)
        return 0;
    if (fragments == NULL) {
        fields_init(&fields);
        strbuf_init(&text, TEXT_MAXIMUM);
        fragments = fragments_create(64, 1);
    }
    struct packet packet = frame_of(bytes, length);
    struct layer_trace trace;
    decode_packet_traced(&packet, &(struct decode_options){.tunnels = false}, &trace);
    check_packet(&packet);
    decode_packet_traced(&packet, &(struct decode_options){.tunnels = true}, &trace);
    check_packet(&packet);
    check_trace(&packet, &trace);
    check_fields(&packet, &fields);
    check_fragment(fragments, packet);
    check_text(&packet, &fields, &text);
    return 0;
}
