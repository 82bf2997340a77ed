// Names of the wire as text, escaped once, where they are read: printable ASCII stays, a backslash doubles (RFC 4343),
// what cannot be shown becomes \DDD a byte, NUL too. Whoever carries or writes the text escapes nothing more than its
// own format asks for. Used by the files of this folder only. Pure.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum name_text_rule {
    NAME_TEXT_LABEL = 1 << 0, // a dot is a byte of it, not a separator: escaped
    NAME_TEXT_UTF8 = 1 << 1,  // well-formed UTF-8 stays
};

struct name_text {
    char *text; // not terminated before name_text_end()
    size_t length, room;
};

// False when not all fits: the text ends behind the last whole character then.
bool name_text_add(struct name_text *text, const uint8_t *bytes, size_t length, unsigned rules);
// One character as it is.
bool name_text_add_plain(struct name_text *text, char character);
// Terminates; the length.
size_t name_text_end(struct name_text *text);
