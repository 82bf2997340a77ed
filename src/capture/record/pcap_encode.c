#include "capture/record/pcap_encode.h"

#include <assert.h>
#include <string.h>

#include "base/time.h"

enum {
    HEADERS_BOUND = 512, // section and interface description with names
    RECORD_BOUND = 48,
};

static const uint32_t nanosecond_magic = 0xa1b23c4d;

enum pcapng_number {
    SECTION_BLOCK = 0x0a0d0d0a,
    SECTION_BYTES = 28,
    BYTE_ORDER = 0x1a2b3c4d,
    INTERFACE_BLOCK = 1,
    PACKET_BLOCK = 6,
    PACKET_BLOCK_BYTES = 32, // without the frame
    OPTION_NAME = 2,
    OPTION_TIME_RESOLUTION = 9,
    NANOSECONDS = 9,
};

static void put_u16(uint8_t **at, uint16_t value)
{
    (*at)[0] = (uint8_t)value;
    (*at)[1] = (uint8_t)(value >> 8);
    *at += 2;
}

static void put_u32(uint8_t **at, uint32_t value)
{
    put_u16(at, (uint16_t)value);
    put_u16(at, (uint16_t)(value >> 16));
}

static void put_bytes(uint8_t **at, const void *bytes, size_t length)
{
    if (length > 0)
        memcpy(*at, bytes, length);
    *at += length;
}

static void put_padding(uint8_t **at, size_t length)
{
    for (size_t i = length; i % 4 != 0; i++)
        *(*at)++ = 0;
}

void pcap_encoder_init(struct pcap_encoder *encoder, enum pcap_format format)
{
    memset(encoder, 0, sizeof *encoder);
    encoder->format = format;
}

size_t pcap_encoder_bound(uint32_t captured)
{
    return HEADERS_BOUND + RECORD_BOUND + (size_t)captured;
}

static void put_classic_header(uint8_t **at, uint16_t link_type)
{
    put_u32(at, nanosecond_magic);
    put_u16(at, 2);
    put_u16(at, 4);
    put_u32(at, 0);
    put_u32(at, 0);
    put_u32(at, FRAME_CAPTURED_MAX);
    put_u32(at, link_type);
}

static void put_section(uint8_t **at)
{
    put_u32(at, SECTION_BLOCK);
    put_u32(at, SECTION_BYTES);
    put_u32(at, BYTE_ORDER);
    put_u16(at, 1);
    put_u16(at, 0);
    put_u32(at, UINT32_MAX); // length of the section: not given
    put_u32(at, UINT32_MAX);
    put_u32(at, SECTION_BYTES);
}

size_t pcap_encoder_header(struct pcap_encoder *encoder, uint16_t link_type, uint8_t *into)
{
    uint8_t *at = into;
    if (encoder->started)
        return 0;
    if (encoder->format == PCAP_FORMAT_PCAPNG)
        put_section(&at);
    else
        put_classic_header(&at, link_type);
    encoder->link_type = link_type;
    encoder->started = true;
    return (size_t)(at - into);
}

static void put_option(uint8_t **at, uint16_t code, const void *value, size_t length)
{
    put_u16(at, code);
    put_u16(at, (uint16_t)length);
    put_bytes(at, value, length);
    put_padding(at, length);
}

static void put_interface(uint8_t **at, uint16_t link_type, const struct source_interface *interface)
{
    uint8_t *start = *at;
    put_u32(at, INTERFACE_BLOCK);
    uint8_t *length_at = *at;
    put_u32(at, 0);
    put_u16(at, link_type);
    put_u16(at, 0);
    put_u32(at, FRAME_CAPTURED_MAX);
    put_option(at, OPTION_NAME, interface->name, strnlen(interface->name, sizeof interface->name));
    put_option(at, OPTION_TIME_RESOLUTION, &(uint8_t){NANOSECONDS}, 1);
    put_u32(at, 0); // end of options
    uint32_t length = (uint32_t)(*at - start) + 4;
    put_u32(at, length);
    put_u32(&length_at, length);
}

// The number of the interface's description, which is written when there is none.
static uint32_t describe(struct pcap_encoder *encoder, uint16_t number, uint16_t link_type,
                         const struct source_interface *interface, uint8_t **at)
{
    uint16_t row = number < SOURCE_INTERFACES_MAX ? number : SOURCE_INTERFACES_MAX - 1;
    if (encoder->id[row] == 0 || encoder->id_link_type[row] != link_type ||
        encoder->id_of[row] != interface) {
        put_interface(at, link_type, interface);
        encoder->id[row] = ++encoder->described;
        encoder->id_link_type[row] = link_type;
        encoder->id_of[row] = interface;
    }
    return encoder->id[row] - 1;
}

static void put_packet_block(uint8_t **at, const struct frame *frame, uint32_t id)
{
    uint32_t length = PACKET_BLOCK_BYTES + ((frame->captured + 3) & ~3U);
    uint64_t time_ns = frame->time_ns > 0 ? (uint64_t)frame->time_ns : 0;
    put_u32(at, PACKET_BLOCK);
    put_u32(at, length);
    put_u32(at, id);
    put_u32(at, (uint32_t)(time_ns >> 32));
    put_u32(at, (uint32_t)time_ns);
    put_u32(at, frame->captured);
    put_u32(at, frame->length);
    put_bytes(at, frame->bytes, frame->captured);
    put_padding(at, frame->captured);
    put_u32(at, length);
}

static void put_classic_record(uint8_t **at, const struct frame *frame)
{
    int64_t time_ns = frame->time_ns > 0 ? frame->time_ns : 0;
    int64_t seconds = time_ns / NS_PER_S;
    put_u32(at, seconds < UINT32_MAX ? (uint32_t)seconds : UINT32_MAX);
    put_u32(at, (uint32_t)(time_ns % NS_PER_S));
    put_u32(at, frame->captured);
    put_u32(at, frame->length);
    put_bytes(at, frame->bytes, frame->captured);
}

size_t pcap_encoder_interface(struct pcap_encoder *encoder, uint16_t number,
                              const struct source_interface *interface, uint8_t *into)
{
    uint8_t *at = into;
    assert(encoder->started);
    if (encoder->format == PCAP_FORMAT_PCAPNG)
        describe(encoder, number, interface->link_type, interface, &at);
    return (size_t)(at - into);
}

size_t pcap_encoder_frame(struct pcap_encoder *encoder, const struct frame *frame,
                          const struct source_interface *interface, uint8_t *into)
{
    uint8_t *at = into + pcap_encoder_header(encoder, frame->link_type, into);
    if (encoder->format == PCAP_FORMAT_PCAPNG) {
        uint32_t id = describe(encoder, frame->interface, frame->link_type, interface, &at);
        put_packet_block(&at, frame, id);
    } else if (frame->link_type == encoder->link_type) {
        put_classic_record(&at, frame);
    }
    return (size_t)(at - into);
}
