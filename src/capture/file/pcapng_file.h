// pcapng (draft-ietf-opsawg-pcapng): sections of both byte orders, interfaces with their own link type
// and time resolution, enhanced, simple and old packet blocks, the loss that interface statistics and packets tell
// of; all other blocks are passed over by their length. Pure but for the memory of a section's interfaces.
#pragma once

#include <stdbool.h>

#include "capture/file/file_format.h"

// How the time units of an interface become nanoseconds.
struct pcapng_clock {
    enum { PCAPNG_MULTIPLY, PCAPNG_DIVIDE, PCAPNG_SHIFT } how;
    uint64_t factor; // to multiply or divide by
    unsigned bits;   // PCAPNG_SHIFT: units of 2^-bits seconds
    int64_t offset_ns;
};

struct pcapng_interface {
    struct pcapng_clock clock;
    uint16_t link_type;
    uint16_t interface; // in the source's list
    uint32_t snaplen;
    // Packets that were lost before they reached the file: as the last statistics block has it, and as the packets add
    // up. Both tell of the same loss; the greater is believed.
    uint64_t statistics_loss, packets_loss;
};

enum { PCAPNG_SECTION_INTERFACES_MAX = 4096 };

struct pcapng_file {
    bool little_endian;
    bool in_section;
    bool trailer_due;        // the block's second length comes next
    uint32_t block_bytes;    // of the block before the trailer
    unsigned interfaces;     // of this section
    unsigned interface_rows; // allocated
    struct pcapng_interface *interface;
    int64_t last_ns; // simple packets have no time: they take the last one
};

bool pcapng_file_matches(const uint8_t *bytes, size_t length);
// Starts with a zeroed file; the section header is its first block.
enum parse_result pcapng_file_next(struct pcapng_file *file, const struct file_identity *identity,
                                   struct parse_step *step);
void pcapng_file_done(struct pcapng_file *file);
