// Classic pcap (draft-ietf-opsawg-pcap): both byte orders, microseconds and nanoseconds, the modified
// format with longer record headers, and the length order of versions before 2.4. Pure.
#pragma once

#include <stdbool.h>

#include "capture/file/file_format.h"

enum { PCAP_FILE_HEADER_BYTES = 24 };

struct pcap_file {
    bool little_endian;
    bool nanoseconds;
    uint8_t record_header_bytes;
    uint16_t version_minor;
    uint16_t link_type;
    uint16_t interface;
    uint32_t snaplen;
};

// True when the first four bytes are one of its magic numbers.
bool pcap_file_matches(const uint8_t *bytes, size_t length);
// The file header; PARSE_OTHER when it was read.
enum parse_result pcap_file_open(struct pcap_file *file, const struct file_identity *identity,
                                 struct parse_step *step);
enum parse_result pcap_file_next(const struct pcap_file *file, struct parse_step *step);
