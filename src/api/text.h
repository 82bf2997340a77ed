// Text that came from the wire, made fit for a protobuf string: api_text() is the one door through
// which every such string passes into a message (one bad SNI makes a strict client refuse a whole
// batch). Pure; any thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct strbuf;

// The text itself when it is printable ASCII, else its escaped form (printable UTF-8 stays, any other byte
// becomes \xHH; a backslash is itself, for names come escaped once) in `scratch`, which is cleared first.
// Valid as long as the text and until `scratch` is used again. NULL is "".
const char *api_text(struct strbuf *scratch, const char *wire);

// The same for bytes that may hold NUL and have no terminator; always in `scratch`.
const char *api_text_bytes(struct strbuf *scratch, const void *bytes, size_t length);

// Bytes of the well-formed UTF-8 character at `bytes` (RFC 3629), 1 to 4; 0 when it is broken. `left` > 0.
size_t utf8_sequence(const uint8_t *bytes, size_t left);
