// The one reader of bytes that came from outside: bounds-checked, memcpy-free of alignment worries,
// with a sticky failure that is tested once. A failed read returns zero and moves nothing further.
// A value type: it borrows the bytes, owns nothing, any thread. Numbers are big-endian (network
// order) unless the name says le.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct cursor {
    const uint8_t *at;
    const uint8_t *end;
    bool failed; // a read went past the end; every later read fails too
};

static inline struct cursor cursor_of(const void *bytes, size_t length)
{
    const uint8_t *at = bytes;
    return (struct cursor){.at = at, .end = at + length};
}

static inline size_t cursor_left(const struct cursor *cursor)
{
    return (size_t)(cursor->end - cursor->at);
}

// The next `length` bytes, or NULL (and failed) when there are fewer.
static inline const uint8_t *cursor_bytes(struct cursor *cursor, size_t length)
{
    if (cursor->failed || cursor_left(cursor) < length) {
        cursor->failed = true;
        return NULL;
    }
    const uint8_t *bytes = cursor->at;
    cursor->at += length;
    return bytes;
}

static inline bool cursor_skip(struct cursor *cursor, size_t length)
{
    return cursor_bytes(cursor, length) != NULL;
}

// Copies `length` bytes out; on failure fills with zeros.
static inline void cursor_copy(struct cursor *cursor, void *into, size_t length)
{
    const uint8_t *bytes = cursor_bytes(cursor, length);
    if (bytes != NULL)
        memcpy(into, bytes, length);
    else
        memset(into, 0, length);
}

// A cursor over the next `length` bytes, which are consumed; failed (and empty) when there are fewer.
static inline struct cursor cursor_sub(struct cursor *cursor, size_t length)
{
    const uint8_t *bytes = cursor_bytes(cursor, length);
    if (bytes == NULL)
        return (struct cursor){.at = cursor->at, .end = cursor->at, .failed = true};
    return cursor_of(bytes, length);
}

// Cuts the cursor to its next `length` bytes when it has more (padding, trailers).
static inline void cursor_limit(struct cursor *cursor, size_t length)
{
    if (cursor_left(cursor) > length)
        cursor->end = cursor->at + length;
}

static inline uint8_t cursor_u8(struct cursor *cursor)
{
    const uint8_t *b = cursor_bytes(cursor, 1);
    return b != NULL ? b[0] : 0;
}

static inline uint16_t cursor_u16(struct cursor *cursor)
{
    const uint8_t *b = cursor_bytes(cursor, 2);
    return b != NULL ? (uint16_t)(b[0] << 8 | b[1]) : 0;
}

static inline uint32_t cursor_u24(struct cursor *cursor)
{
    const uint8_t *b = cursor_bytes(cursor, 3);
    return b != NULL ? (uint32_t)b[0] << 16 | (uint32_t)b[1] << 8 | b[2] : 0;
}

static inline uint32_t cursor_u32(struct cursor *cursor)
{
    const uint8_t *b = cursor_bytes(cursor, 4);
    return b != NULL ? (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3] : 0;
}

static inline uint64_t cursor_u64(struct cursor *cursor)
{
    uint64_t high = cursor_u32(cursor);
    return high << 32 | cursor_u32(cursor);
}

static inline uint16_t cursor_u16le(struct cursor *cursor)
{
    return (uint16_t)__builtin_bswap16(cursor_u16(cursor));
}

static inline uint32_t cursor_u32le(struct cursor *cursor)
{
    return __builtin_bswap32(cursor_u32(cursor));
}

static inline uint64_t cursor_u64le(struct cursor *cursor)
{
    return __builtin_bswap64(cursor_u64(cursor));
}

// In the byte order that a file's header told.
static inline uint16_t cursor_u16_in(struct cursor *cursor, bool little_endian)
{
    return little_endian ? cursor_u16le(cursor) : cursor_u16(cursor);
}

static inline uint32_t cursor_u32_in(struct cursor *cursor, bool little_endian)
{
    return little_endian ? cursor_u32le(cursor) : cursor_u32(cursor);
}

static inline uint64_t cursor_u64_in(struct cursor *cursor, bool little_endian)
{
    return little_endian ? cursor_u64le(cursor) : cursor_u64(cursor);
}

// The next byte without taking it; 0 at the end (not a failure).
static inline uint8_t cursor_peek(const struct cursor *cursor)
{
    return !cursor->failed && cursor->at < cursor->end ? cursor->at[0] : 0;
}

// Keys and frames of our own, whose length is known: numbers in network order, unchecked.

static inline void bytes_put_u16(uint8_t *into, uint16_t value)
{
    into[0] = (uint8_t)(value >> 8);
    into[1] = (uint8_t)value;
}

static inline void bytes_put_u32(uint8_t *into, uint32_t value)
{
    bytes_put_u16(into, (uint16_t)(value >> 16));
    bytes_put_u16(into + 2, (uint16_t)value);
}

static inline uint16_t bytes_u16(const uint8_t *from)
{
    return (uint16_t)(from[0] << 8 | from[1]);
}
