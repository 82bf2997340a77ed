// What the parsers of capture file formats share: one step over the bytes at hand. Pure: bytes in, one
// frame or the wish for more out; the reader (file_reader.c) finds the bytes.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "capture/live/interface_list.h"
#include "capture/source.h"

enum parse_result {
    PARSE_FRAME,   // `frame` is filled, without its chunk; its bytes point into the input
    PARSE_OTHER,   // something without a frame was read
    PARSE_MORE,    // `needed` bytes in a row are needed, more than there are
    PARSE_CORRUPT, // `reason` says why
};

struct parse_step {
    const uint8_t *bytes; // in
    size_t left;          // in
    uint64_t taken;       // out: bytes done with; may exceed `left`, what is beyond need not be kept
    size_t needed;        // out, with PARSE_MORE; at most FILE_FORMAT_NEEDED_MAX
    struct frame *frame;  // where the frame goes
    char reason[160];     // out, with PARSE_CORRUPT: continues "it is damaged: "
};

enum { FILE_FORMAT_NEEDED_MAX = FRAME_CAPTURED_MAX + 128 };

// One file: its label (file_labels.h) and the list where its interfaces go.
struct file_identity {
    const char *name;
    unsigned reading;
    struct interface_list *interfaces;
};
