// 802.11 (LINKTYPE_IEEE802_11) and radiotap in front of it (LINKTYPE_IEEE802_11_RADIOTAP, radiotap.org). Numbers are in
// little-endian order. Data frames carry LLC, or 802.3 subframes where several are put together (of which the first is
// read); what is encrypted, and management and control frames, are not looked into.
#include "decode/decoders.h"
#include "decode/describe.h"

enum {
    RADIOTAP_BYTES = 8,
    RADIOTAP_WORDS_MAXIMUM = 16,
    RADIOTAP_MORE = 1u << 31, // a further word of presence bits follows
    RADIOTAP_HAS_CLOCK = 1 << 0,
    RADIOTAP_HAS_FLAGS = 1 << 1,
    RADIOTAP_CLOCK_BYTES = 8,
};
enum radiotap_flag { RADIOTAP_CHECKSUM = 0x10, RADIOTAP_PADDED = 0x20 };

enum {
    WIFI_BYTES = 24,
    WIFI_ADDRESS_BYTES = 6,
    WIFI_QOS_BYTES = 2,
    WIFI_CONTROL_BYTES = 4,
    WIFI_CHECKSUM_BYTES = 4,
};
// Of the frame control, its first byte in the lower half.
enum wifi_control {
    WIFI_VERSION = 0x0003,
    WIFI_TYPE = 0x000c,
    WIFI_TYPE_DATA = 0x0008,
    WIFI_NO_DATA = 0x0040,
    WIFI_QOS = 0x0080,
    WIFI_FOUR_ADDRESSES = 0x0300,
    WIFI_PROTECTED = 0x4000,
    WIFI_ORDER = 0x8000,
};
enum { QOS_AGGREGATE = 0x80 };

// The flags of a radiotap header, which come behind the clock; 0 without any. Fields are aligned from its begin.
static uint8_t radiotap_flags(struct cursor header)
{
    size_t whole = cursor_left(&header);
    cursor_skip(&header, 4);
    uint32_t present = cursor_u32le(&header), more = present;
    for (unsigned i = 0; (more & RADIOTAP_MORE) != 0 && i < RADIOTAP_WORDS_MAXIMUM; i++)
        more = cursor_u32le(&header);
    if ((present & RADIOTAP_HAS_FLAGS) == 0)
        return 0;
    if ((present & RADIOTAP_HAS_CLOCK) != 0) {
        size_t at = whole - cursor_left(&header);
        cursor_skip(&header, (-at & 7) + RADIOTAP_CLOCK_BYTES);
    }
    return cursor_u8(&header);
}

static uint32_t wifi_header_bytes(uint16_t control)
{
    uint32_t bytes = WIFI_BYTES;
    if ((control & WIFI_FOUR_ADDRESSES) == WIFI_FOUR_ADDRESSES)
        bytes += WIFI_ADDRESS_BYTES;
    if ((control & WIFI_QOS) != 0)
        bytes += WIFI_QOS_BYTES;
    if ((control & WIFI_QOS) != 0 && (control & WIFI_ORDER) != 0)
        bytes += WIFI_CONTROL_BYTES;
    return bytes;
}

// Where the quality of service begins; only with WIFI_QOS.
static uint32_t qos_offset(uint16_t control)
{
    return WIFI_BYTES + ((control & WIFI_FOUR_ADDRESSES) == WIFI_FOUR_ADDRESSES ? WIFI_ADDRESS_BYTES : 0);
}

static enum decoder_id wifi_data(struct decoding *decoding, struct packet *packet, uint16_t control,
                                 bool padded)
{
    uint32_t bytes = wifi_header_bytes(control);
    if (padded)
        bytes = (bytes + 3) & ~UINT32_C(3);
    struct cursor header = decoding_header(decoding, bytes);
    if (header.failed)
        return decode_fail(packet, DECODE_LAYER_LINK, DECODE_TRUNCATED);
    if ((control & WIFI_PROTECTED) != 0)
        return decode_fail(packet, DECODE_LAYER_LINK, DECODE_ENCRYPTED);
    decoding->cursor.at += bytes;
    if ((control & WIFI_NO_DATA) != 0)
        return decode_fail(packet, DECODE_LAYER_LINK, DECODE_UNSUPPORTED_TYPE);
    bool aggregate = (control & WIFI_QOS) != 0 && (header.at[qos_offset(control)] & QOS_AGGREGATE) != 0;
    return aggregate ? DECODER_ETHERNET : DECODER_LLC;
}

static enum decoder_id wifi_frame(struct decoding *decoding, struct packet *packet, bool padded)
{
    struct cursor header = decoding_header(decoding, 2);
    uint16_t control = cursor_u16le(&header);
    if (header.failed)
        return decode_fail(packet, DECODE_LAYER_LINK, DECODE_TRUNCATED);
    if ((control & WIFI_VERSION) != 0)
        return decode_fail(packet, DECODE_LAYER_LINK, DECODE_BAD_VERSION);
    if ((control & WIFI_TYPE) != WIFI_TYPE_DATA)
        return decode_fail(packet, DECODE_LAYER_LINK, DECODE_UNSUPPORTED_TYPE);
    return wifi_data(decoding, packet, control, padded);
}

enum decoder_id decode_wifi(struct decoding *decoding, struct packet *packet)
{
    return wifi_frame(decoding, packet, false);
}

static uint16_t radiotap_bytes(struct cursor header)
{
    cursor_skip(&header, 2);
    return cursor_u16le(&header);
}

enum decoder_id decode_radiotap(struct decoding *decoding, struct packet *packet)
{
    struct cursor header = decoding_header(decoding, RADIOTAP_BYTES);
    if (header.failed)
        return decode_fail(packet, DECODE_LAYER_LINK, DECODE_TRUNCATED);
    uint16_t bytes = radiotap_bytes(header);
    if (header.at[0] != 0 || bytes < RADIOTAP_BYTES)
        return decode_fail(packet, DECODE_LAYER_LINK,
                           header.at[0] != 0 ? DECODE_BAD_VERSION : DECODE_BAD_LENGTH);
    header = decoding_header(decoding, bytes);
    if (header.failed)
        return decode_fail(packet, DECODE_LAYER_LINK, DECODE_TRUNCATED);
    uint8_t flags = radiotap_flags(header);
    decoding->cursor.at += bytes;
    uint32_t left = decoding_wire_left(decoding);
    if ((flags & RADIOTAP_CHECKSUM) != 0 && left >= WIFI_CHECKSUM_BYTES)
        decoding_limit(decoding, left - WIFI_CHECKSUM_BYTES);
    return wifi_frame(decoding, packet, (flags & RADIOTAP_PADDED) != 0);
}

void describe_wifi(struct cursor layer, const struct packet *packet, struct fields *fields)
{
    (void)packet;
    struct cursor ahead = layer;
    uint16_t control = cursor_u16le(&ahead);
    describe_layer(fields, "802.11", &layer, wifi_header_bytes(control));
    describe_hex(fields, "Frame control", &layer, 2);
    describe_hex(fields, "Duration", &layer, 2);
    describe_mac(fields, "Address 1", &layer);
    describe_mac(fields, "Address 2", &layer);
    describe_mac(fields, "Address 3", &layer);
    describe_hex(fields, "Sequence control", &layer, 2);
}

void describe_radiotap(struct cursor layer, const struct packet *packet, struct fields *fields)
{
    uint16_t bytes = radiotap_bytes(layer);
    describe_layer(fields, "Radiotap", &layer, bytes);
    struct cursor header = cursor_sub(&layer, bytes);
    describe_hex(fields, "Version", &header, 1);
    cursor_skip(&header, 1);
    describe_bytes(fields, "Length", &header, 2);
    describe_bytes(fields, "Present", &header, 4);
    if (!layer.failed)
        describe_wifi(layer, packet, fields);
}
