#include "capture/file/pcapng_file.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/time.h"
#include "capture/file/pcapng_interface.h"

enum block_type {
    BLOCK_SECTION = 0x0a0d0d0a,
    BLOCK_INTERFACE = 1,
    BLOCK_PACKET = 2, // obsolete
    BLOCK_SIMPLE_PACKET = 3,
    BLOCK_STATISTICS = 5,
    BLOCK_ENHANCED_PACKET = 6,
};

enum {
    BYTE_ORDER_MAGIC = 0x1a2b3c4d,
    BLOCK_HEADER_BYTES = 8,
    BLOCK_TRAILER_BYTES = 4,
    SECTION_BYTES = 28,
    PACKET_FIELDS_BYTES = 28, // block header and the fixed fields, of enhanced and old packet blocks
    SIMPLE_FIELDS_BYTES = 12,
    INTERFACE_KEPT_BYTES = 64 * 1024, // of its options no more is looked at
    STATISTICS_FIELDS_BYTES = 20,     // block header, interface and time
    OPTION_HEADER_BYTES = 4,
    DROPS_UNKNOWN = 0xffff, // of an old packet block
};

struct block {
    uint32_t type;
    uint32_t bytes; // header, body and trailer
};

bool pcapng_file_matches(const uint8_t *bytes, size_t length)
{
    struct cursor cursor = cursor_of(bytes, length);
    return cursor_u32(&cursor) == BLOCK_SECTION;
}

void pcapng_file_done(struct pcapng_file *file)
{
    free(file->interface);
    file->interface = NULL;
}

static enum parse_result more(struct parse_step *step, size_t needed)
{
    assert(needed > step->left && needed <= FILE_FORMAT_NEEDED_MAX);
    step->needed = needed;
    return PARSE_MORE;
}

static enum parse_result corrupt_block(struct parse_step *step, const struct block *block, const char *what)
{
    snprintf(step->reason, sizeof step->reason, "a block of type %u and %u bytes %s", block->type,
             block->bytes, what);
    return PARSE_CORRUPT;
}

// Done with the block up to its trailer, which is checked by the next step.
static void take_block(struct pcapng_file *file, const struct block *block, struct parse_step *step)
{
    assert(!file->trailer_due && block->bytes >= BLOCK_HEADER_BYTES + BLOCK_TRAILER_BYTES);
    step->taken = block->bytes - BLOCK_TRAILER_BYTES;
    file->trailer_due = true;
    file->block_bytes = block->bytes;
}

static enum parse_result check_trailer(struct pcapng_file *file, struct parse_step *step)
{
    if (step->left < BLOCK_TRAILER_BYTES)
        return more(step, BLOCK_TRAILER_BYTES);
    struct cursor cursor = cursor_of(step->bytes, step->left);
    uint32_t bytes = cursor_u32_in(&cursor, file->little_endian);
    if (bytes != file->block_bytes) {
        snprintf(step->reason, sizeof step->reason,
                 "a block gives its length as %u first and as %u at its end", file->block_bytes, bytes);
        return PARSE_CORRUPT;
    }
    file->trailer_due = false;
    step->taken = BLOCK_TRAILER_BYTES;
    return PARSE_OTHER;
}

// The section header decides the byte order, its own length's too.
static enum parse_result read_section(struct pcapng_file *file, struct parse_step *step)
{
    if (step->left < SECTION_BYTES)
        return more(step, SECTION_BYTES);
    struct cursor cursor = cursor_of(step->bytes + BLOCK_HEADER_BYTES, SECTION_BYTES - BLOCK_HEADER_BYTES);
    uint32_t magic = cursor_u32(&cursor);
    struct block block = {.type = BLOCK_SECTION};
    if (magic != BYTE_ORDER_MAGIC && magic != __builtin_bswap32(BYTE_ORDER_MAGIC))
        return corrupt_block(step, &block, "has no byte-order mark");
    file->little_endian = magic != BYTE_ORDER_MAGIC;
    uint16_t version_major = cursor_u16_in(&cursor, file->little_endian);
    cursor = cursor_of(step->bytes + 4, 4);
    block.bytes = cursor_u32_in(&cursor, file->little_endian);
    if (block.bytes < SECTION_BYTES || block.bytes % 4 != 0)
        return corrupt_block(step, &block, "has an impossible length");
    if (version_major != 1)
        return corrupt_block(step, &block, "is of an unknown version of the format");
    file->in_section = true;
    file->interfaces = 0;
    take_block(file, &block, step);
    return PARSE_OTHER;
}

static bool grow_interfaces(struct pcapng_file *file)
{
    assert(file->interface_rows < PCAPNG_SECTION_INTERFACES_MAX);
    unsigned rows = file->interface_rows == 0 ? 8 : 2 * file->interface_rows;
    struct pcapng_interface *grown = realloc(file->interface, rows * sizeof *grown);
    if (grown == NULL)
        return false;
    file->interface = grown;
    file->interface_rows = rows;
    return true;
}

static enum parse_result read_interface(struct pcapng_file *file, const struct block *block,
                                        const struct file_identity *identity, struct parse_step *step)
{
    size_t needed = block->bytes < INTERFACE_KEPT_BYTES ? block->bytes : INTERFACE_KEPT_BYTES;
    if (step->left < needed)
        return more(step, needed);
    if (block->bytes < PCAPNG_INTERFACE_BYTES)
        return corrupt_block(step, block, "is too short to describe an interface");
    if (file->interfaces == PCAPNG_SECTION_INTERFACES_MAX)
        return corrupt_block(step, block, "describes one interface too many for a section");
    if (file->interfaces == file->interface_rows && !grow_interfaces(file))
        return corrupt_block(step, block, "finds no memory");
    assert(file->interfaces < file->interface_rows);
    size_t body_bytes = needed - BLOCK_HEADER_BYTES - (needed == block->bytes ? BLOCK_TRAILER_BYTES : 0);
    struct cursor body = cursor_of(step->bytes + BLOCK_HEADER_BYTES, body_bytes);
    if (!pcapng_interface_read(&file->interface[file->interfaces], body, file->little_endian, identity))
        return corrupt_block(step, block, "finds no memory");
    file->interfaces++;
    take_block(file, block, step);
    return PARSE_OTHER;
}

// Where the options of an enhanced packet block begin and end; none: both are 0. Options that do not fit in what a step
// may hold are left alone.
struct option_span {
    size_t begin, end;
};

static struct option_span options_of(const struct block *block, uint32_t captured)
{
    struct option_span span = {
        .begin = PACKET_FIELDS_BYTES + (((size_t)captured + 3) & ~(size_t)3),
        .end = block->bytes - BLOCK_TRAILER_BYTES,
    };
    bool there = block->type == BLOCK_ENHANCED_PACKET && span.end > span.begin + OPTION_HEADER_BYTES &&
                 span.end <= FILE_FORMAT_NEEDED_MAX;
    return there ? span : (struct option_span){0};
}

// The frame's bytes follow `fields_bytes` of header and fields; its interface and time are set.
static enum parse_result take_frame(struct pcapng_file *file, const struct block *block, size_t fields_bytes,
                                    struct parse_step *step)
{
    struct frame *frame = step->frame;
    assert(block->bytes >= fields_bytes + BLOCK_TRAILER_BYTES);
    if (frame->captured > FRAME_CAPTURED_MAX ||
        frame->captured > block->bytes - fields_bytes - BLOCK_TRAILER_BYTES)
        return corrupt_block(step, block, "says that it holds a longer packet than it can");
    size_t needed = fields_bytes + frame->captured, options_end = options_of(block, frame->captured).end;
    if (needed < options_end)
        needed = options_end;
    if (step->left < needed)
        return more(step, needed);
    frame->bytes = step->bytes + fields_bytes;
    if (frame->length < frame->captured)
        frame->length = frame->captured;
    file->last_ns = frame->time_ns;
    take_block(file, block, step);
    return PARSE_FRAME;
}

static enum parse_result read_statistics(struct pcapng_file *file, const struct block *block,
                                         const struct file_identity *identity, struct parse_step *step)
{
    size_t needed = block->bytes - BLOCK_TRAILER_BYTES;
    if (needed > STATISTICS_FIELDS_BYTES && needed <= INTERFACE_KEPT_BYTES) {
        if (step->left < needed)
            return more(step, needed);
        struct cursor body = cursor_of(step->bytes + BLOCK_HEADER_BYTES, needed - BLOCK_HEADER_BYTES);
        uint32_t number = cursor_u32_in(&body, file->little_endian);
        cursor_skip(&body, STATISTICS_FIELDS_BYTES - BLOCK_HEADER_BYTES - 4);
        if (number < file->interfaces)
            pcapng_interface_read_statistics(&file->interface[number], body, file->little_endian,
                                             identity->interfaces);
    }
    take_block(file, block, step);
    return PARSE_OTHER;
}

// What was lost before the frame that was taken, as its block tells.
static void read_drops(const struct pcapng_file *file, const struct block *block,
                       struct pcapng_interface *interface, const struct file_identity *identity,
                       const struct parse_step *step)
{
    struct option_span span = options_of(block, step->frame->captured);
    if (span.end != 0)
        pcapng_interface_read_drops(interface, cursor_of(step->bytes + span.begin, span.end - span.begin),
                                    file->little_endian, identity->interfaces);
}

static enum parse_result read_packet(struct pcapng_file *file, const struct block *block,
                                     const struct file_identity *identity, struct parse_step *step)
{
    if (block->bytes < PACKET_FIELDS_BYTES + BLOCK_TRAILER_BYTES)
        return corrupt_block(step, block, "is too short to hold a packet");
    if (step->left < PACKET_FIELDS_BYTES)
        return more(step, PACKET_FIELDS_BYTES);
    struct cursor cursor = cursor_of(step->bytes + BLOCK_HEADER_BYTES, step->left - BLOCK_HEADER_BYTES);
    bool little_endian = file->little_endian;
    uint32_t number = block->type == BLOCK_PACKET ? cursor_u16_in(&cursor, little_endian)
                                                  : cursor_u32_in(&cursor, little_endian);
    bool old = block->type == BLOCK_PACKET;
    uint16_t drops = old ? cursor_u16_in(&cursor, little_endian) : 0;
    uint64_t high = cursor_u32_in(&cursor, little_endian);
    uint64_t low = cursor_u32_in(&cursor, little_endian);
    if (number >= file->interfaces)
        return corrupt_block(step, block, "holds a packet of an interface that was not described");
    struct pcapng_interface *interface = &file->interface[number];
    struct frame *frame = step->frame;
    frame->captured = cursor_u32_in(&cursor, little_endian);
    frame->length = cursor_u32_in(&cursor, little_endian);
    frame->time_ns = pcapng_clock_ns(&interface->clock, high << 32 | low);
    frame->interface = interface->interface;
    frame->link_type = interface->link_type;
    enum parse_result result = take_frame(file, block, PACKET_FIELDS_BYTES, step);
    if (result != PARSE_FRAME)
        return result;
    read_drops(file, block, interface, identity, step);
    if (drops != 0 && drops != DROPS_UNKNOWN)
        pcapng_interface_add_loss(interface, drops, identity->interfaces);
    return PARSE_FRAME;
}

static enum parse_result read_simple_packet(struct pcapng_file *file, const struct block *block,
                                            struct parse_step *step)
{
    if (block->bytes < SIMPLE_FIELDS_BYTES + BLOCK_TRAILER_BYTES)
        return corrupt_block(step, block, "is too short to hold a packet");
    if (step->left < SIMPLE_FIELDS_BYTES)
        return more(step, SIMPLE_FIELDS_BYTES);
    if (file->interfaces == 0)
        return corrupt_block(step, block, "holds a packet of an interface that was not described");
    struct cursor cursor = cursor_of(step->bytes + BLOCK_HEADER_BYTES, 4);
    const struct pcapng_interface *interface = &file->interface[0];
    uint32_t room = block->bytes - SIMPLE_FIELDS_BYTES - BLOCK_TRAILER_BYTES;
    struct frame *frame = step->frame;
    frame->length = cursor_u32_in(&cursor, file->little_endian);
    frame->captured = frame->length < room ? frame->length : room;
    if (interface->snaplen != 0 && frame->captured > interface->snaplen)
        frame->captured = interface->snaplen;
    frame->time_ns = file->last_ns;
    frame->interface = interface->interface;
    frame->link_type = interface->link_type;
    return take_frame(file, block, SIMPLE_FIELDS_BYTES, step);
}

static enum parse_result read_block(struct pcapng_file *file, const struct block *block,
                                    const struct file_identity *identity, struct parse_step *step)
{
    switch (block->type) {
    case BLOCK_INTERFACE:
        return read_interface(file, block, identity, step);
    case BLOCK_PACKET:
    case BLOCK_ENHANCED_PACKET:
        return read_packet(file, block, identity, step);
    case BLOCK_STATISTICS:
        return read_statistics(file, block, identity, step);
    case BLOCK_SIMPLE_PACKET:
        return read_simple_packet(file, block, step);
    default:
        take_block(file, block, step);
        return PARSE_OTHER;
    }
}

enum parse_result pcapng_file_next(struct pcapng_file *file, const struct file_identity *identity,
                                   struct parse_step *step)
{
    if (file->trailer_due)
        return check_trailer(file, step);
    if (step->left < BLOCK_HEADER_BYTES)
        return more(step, BLOCK_HEADER_BYTES);
    struct cursor cursor = cursor_of(step->bytes, step->left);
    struct block block = {.type = cursor_u32_in(&cursor, file->little_endian)};
    block.bytes = cursor_u32_in(&cursor, file->little_endian);
    if (block.type == BLOCK_SECTION) // reads the same in both byte orders
        return read_section(file, step);
    if (!file->in_section)
        return corrupt_block(step, &block, "stands before the first section");
    if (block.bytes < BLOCK_HEADER_BYTES + BLOCK_TRAILER_BYTES || block.bytes % 4 != 0)
        return corrupt_block(step, &block, "has an impossible length");
    return read_block(file, &block, identity, step);
}
