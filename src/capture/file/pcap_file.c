#include "capture/file/pcap_file.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/cursor.h"
#include "base/time.h"

enum pcap_magic {
    PCAP_MAGIC_US = 0xa1b2c3d4,
    PCAP_MAGIC_NS = 0xa1b23c4d,
    PCAP_MAGIC_MODIFIED = 0xa1b2cd34, // records carry interface, protocol and packet type too
};

enum { RECORD_HEADER_BYTES = 16, MODIFIED_RECORD_HEADER_BYTES = 24 };

static bool is_magic(uint32_t magic)
{
    return magic == PCAP_MAGIC_US || magic == PCAP_MAGIC_NS || magic == PCAP_MAGIC_MODIFIED;
}

bool pcap_file_matches(const uint8_t *bytes, size_t length)
{
    struct cursor cursor = cursor_of(bytes, length);
    uint32_t magic = cursor_u32(&cursor);
    return is_magic(magic) || is_magic(__builtin_bswap32(magic));
}

static enum parse_result corrupt(struct parse_step *step, const char *reason)
{
    snprintf(step->reason, sizeof step->reason, "%s", reason);
    return PARSE_CORRUPT;
}

static enum parse_result more(struct parse_step *step, size_t needed)
{
    assert(needed > step->left);
    step->needed = needed;
    return PARSE_MORE;
}

static void read_magic(struct pcap_file *file, struct cursor *cursor)
{
    uint32_t magic = cursor_u32(cursor);
    file->little_endian = !is_magic(magic);
    if (file->little_endian)
        magic = __builtin_bswap32(magic);
    file->nanoseconds = magic == PCAP_MAGIC_NS;
    file->record_header_bytes =
        magic == PCAP_MAGIC_MODIFIED ? MODIFIED_RECORD_HEADER_BYTES : RECORD_HEADER_BYTES;
}

static bool add_interface(struct pcap_file *file, const struct file_identity *identity)
{
    struct source_interface row = {.link_type = file->link_type, .snaplen = file->snaplen};
    snprintf(row.name, sizeof row.name, "%s", identity->name);
    memcpy(row.configured, row.name, sizeof row.configured);
    return interface_list_add(identity->interfaces, &row, &file->interface);
}

enum parse_result pcap_file_open(struct pcap_file *file, const struct file_identity *identity,
                                 struct parse_step *step)
{
    if (step->left < PCAP_FILE_HEADER_BYTES)
        return more(step, PCAP_FILE_HEADER_BYTES);
    struct cursor cursor = cursor_of(step->bytes, step->left);
    read_magic(file, &cursor);
    uint16_t version_major = cursor_u16_in(&cursor, file->little_endian);
    file->version_minor = cursor_u16_in(&cursor, file->little_endian);
    cursor_skip(&cursor, 8); // time zone and accuracy, never used
    file->snaplen = cursor_u32_in(&cursor, file->little_endian);
    file->link_type = (uint16_t)cursor_u32_in(&cursor, file->little_endian); // above: length of the FCS
    if (version_major != 2) {
        snprintf(step->reason, sizeof step->reason, "its header names version %u.%u of the format, not 2.4",
                 version_major, file->version_minor);
        return PARSE_CORRUPT;
    }
    if (!add_interface(file, identity))
        return corrupt(step, "no memory");
    step->taken = PCAP_FILE_HEADER_BYTES;
    return PARSE_OTHER;
}

// Before version 2.3 the wire length came first; in 2.3 it depended on the writer.
static bool lengths_swapped(const struct pcap_file *file, uint32_t captured, uint32_t length)
{
    return file->version_minor < 3 || (file->version_minor == 3 && captured > length);
}

enum parse_result pcap_file_next(const struct pcap_file *file, struct parse_step *step)
{
    size_t header_bytes = file->record_header_bytes;
    assert(header_bytes == RECORD_HEADER_BYTES || header_bytes == MODIFIED_RECORD_HEADER_BYTES);
    if (step->left < header_bytes)
        return more(step, header_bytes);
    struct cursor cursor = cursor_of(step->bytes, step->left);
    int64_t seconds = cursor_u32_in(&cursor, file->little_endian);
    int64_t fraction = cursor_u32_in(&cursor, file->little_endian);
    uint32_t captured = cursor_u32_in(&cursor, file->little_endian);
    uint32_t length = cursor_u32_in(&cursor, file->little_endian);
    if (__builtin_expect(file->version_minor < 4, 0) && lengths_swapped(file, captured, length)) {
        uint32_t first = captured;
        captured = length;
        length = first;
    }
    if (captured > FRAME_CAPTURED_MAX) {
        snprintf(step->reason, sizeof step->reason,
                 "a packet of %u bytes, more than the greatest possible %d", captured, FRAME_CAPTURED_MAX);
        return PARSE_CORRUPT;
    }
    if (step->left < header_bytes + captured)
        return more(step, header_bytes + captured);
    struct frame *frame = step->frame;
    frame->time_ns = seconds * NS_PER_S + (file->nanoseconds ? fraction : fraction * NS_PER_US);
    frame->bytes = step->bytes + header_bytes;
    frame->captured = captured;
    frame->length = length > captured ? length : captured;
    frame->interface = file->interface;
    frame->link_type = file->link_type;
    step->taken = header_bytes + captured;
    return PARSE_FRAME;
}
