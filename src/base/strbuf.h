// A growing string with a maximum. Owned by its holder; one thread. Appending past the maximum (or
// without memory) sets `failed`, keeps what is there and ignores the rest, so that a caller tests
// once at the end. `text` is always terminated, never NULL after strbuf_init().
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct strbuf {
    char *text;
    size_t length;   // bytes, without the terminator
    size_t capacity; // bytes allocated
    size_t maximum;  // `length` never exceeds it
    bool failed;
};

void strbuf_init(struct strbuf *buffer, size_t maximum);
void strbuf_done(struct strbuf *buffer);
void strbuf_clear(struct strbuf *buffer); // empties it and forgets the failure; keeps the memory

void strbuf_add(struct strbuf *buffer, const char *text);
void strbuf_add_bytes(struct strbuf *buffer, const void *bytes, size_t length);
void strbuf_add_char(struct strbuf *buffer, char character);
void strbuf_add_repeat(struct strbuf *buffer, char character, size_t times);
void strbuf_addf(struct strbuf *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));
// Decimal without printf: the writers' hot path.
void strbuf_add_u64(struct strbuf *buffer, uint64_t value);
void strbuf_add_i64(struct strbuf *buffer, int64_t value);

// Bytes of the wire as text that is safe on a terminal and valid UTF-8: printable ASCII and valid
// UTF-8 stay, a backslash too (names come with escapes of their own, as in RFC 4343), everything else (controls,
// those of Unicode that turn the direction of text included, NUL, broken UTF-8) becomes \xHH a byte.
void strbuf_add_wire(struct strbuf *buffer, const void *bytes, size_t length);
