#include "base/strbuf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

enum { FIRST_CAPACITY = 64, DIGITS_OF_U64 = 20 };

static char nothing[1]; // what an empty buffer points at; never written

void strbuf_init(struct strbuf *buffer, size_t maximum)
{
    *buffer = (struct strbuf){.text = nothing, .maximum = maximum};
}

void strbuf_done(struct strbuf *buffer)
{
    if (buffer->capacity > 0)
        free(buffer->text);
    strbuf_init(buffer, buffer->maximum);
}

void strbuf_clear(struct strbuf *buffer)
{
    buffer->length = 0;
    buffer->failed = false;
    if (buffer->capacity > 0)
        buffer->text[0] = '\0';
}

static size_t next_capacity(const struct strbuf *buffer, size_t needed)
{
    size_t capacity = buffer->capacity > 0 ? buffer->capacity : FIRST_CAPACITY;
    while (capacity < needed)
        capacity = capacity > SIZE_MAX / 2 ? needed : capacity * 2;
    return capacity;
}

static bool grow(struct strbuf *buffer, size_t needed)
{
    size_t capacity = next_capacity(buffer, needed);
    assert(capacity >= needed && capacity > buffer->capacity);
    assert(buffer->capacity == 0 ? buffer->text == nothing : buffer->length < buffer->capacity);
    char *text = realloc(buffer->capacity > 0 ? buffer->text : NULL, capacity);
    if (text == NULL)
        return false;
    buffer->text = text;
    buffer->capacity = capacity;
    return true;
}

// Makes room for `more` bytes and the terminator; where they go, or NULL and failed.
static char *reserve(struct strbuf *buffer, size_t more)
{
    if (buffer->failed)
        return NULL;
    bool fits =
        buffer->length <= buffer->maximum && more <= buffer->maximum - buffer->length && more < SIZE_MAX / 4;
    if (fits && buffer->length + more + 1 > buffer->capacity)
        fits = grow(buffer, buffer->length + more + 1);
    buffer->failed = !fits;
    return fits ? buffer->text + buffer->length : NULL;
}

static void advance(struct strbuf *buffer, size_t written)
{
    buffer->length += written;
    buffer->text[buffer->length] = '\0';
}

void strbuf_add_bytes(struct strbuf *buffer, const void *bytes, size_t length)
{
    char *at = reserve(buffer, length);
    if (at == NULL)
        return;
    if (length > 0)
        memcpy(at, bytes, length);
    advance(buffer, length);
}

void strbuf_add(struct strbuf *buffer, const char *text)
{
    strbuf_add_bytes(buffer, text, strlen(text));
}

void strbuf_add_char(struct strbuf *buffer, char character)
{
    strbuf_add_bytes(buffer, &character, 1);
}

void strbuf_add_repeat(struct strbuf *buffer, char character, size_t times)
{
    char *at = reserve(buffer, times);
    if (at == NULL)
        return;
    memset(at, character, times);
    advance(buffer, times);
}

void strbuf_addf(struct strbuf *buffer, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    char *at = length >= 0 ? reserve(buffer, (size_t)length) : NULL;
    if (at != NULL) {
        vsnprintf(at, (size_t)length + 1, format, again);
        advance(buffer, (size_t)length);
    }
    va_end(again);
    va_end(arguments);
}

void strbuf_add_u64(struct strbuf *buffer, uint64_t value)
{
    char digits[DIGITS_OF_U64];
    size_t first = sizeof digits;
    do {
        digits[--first] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    strbuf_add_bytes(buffer, digits + first, sizeof digits - first);
}

void strbuf_add_i64(struct strbuf *buffer, int64_t value)
{
    if (value < 0)
        strbuf_add_char(buffer, '-');
    strbuf_add_u64(buffer, value < 0 ? -(uint64_t)value : (uint64_t)value);
}

static size_t plain_run(const uint8_t *at, size_t left)
{
    size_t run = 0;
    while (run < left && at[run] >= 0x20 && at[run] < 0x7F)
        run++;
    return run > 0 || left == 0 ? run : utf8_character(at, left);
}

static void add_escaped(struct strbuf *buffer, uint8_t byte)
{
    static const char hex[] = "0123456789abcdef";
    strbuf_add_bytes(buffer, (const char[]){'\\', 'x', hex[byte >> 4], hex[byte & 15]}, 4);
}

void strbuf_add_wire(struct strbuf *buffer, const void *bytes, size_t length)
{
    const uint8_t *at = bytes;
    while (length > 0 && !buffer->failed) {
        size_t run = plain_run(at, length);
        if (run > 0)
            strbuf_add_bytes(buffer, at, run);
        else
            add_escaped(buffer, at[0]);
        size_t taken = run > 0 ? run : 1;
        assert(taken <= length);
        at += taken;
        length -= taken;
    }
}
