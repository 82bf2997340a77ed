// Whether the head of a first HTTP/1 request is complete: up to the empty line behind it (RFC 9112, section 2.1). Pure;
// the same however the bytes are cut into pieces. Zeros are the beginning.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct request_head {
    bool begun;    // something stands in a line; empty lines before are skipped, as servers do
    bool in_line;  // something stands in this line
    bool complete; // stays
};

// Returns `complete`.
bool request_head_read(struct request_head *head, const uint8_t *bytes, size_t length);
