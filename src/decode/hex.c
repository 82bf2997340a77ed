// The hex dump: offset, sixteen bytes in two groups of eight, the same as ASCII.
#include "decode/fields.h"

#include <assert.h>

enum { ROW_BYTES = 16, GROUP_BYTES = 8 };

static void add_hex_byte(struct strbuf *into, uint8_t byte)
{
    static const char digits[] = "0123456789abcdef";
    strbuf_add_bytes(into, (const char[]){digits[byte >> 4], digits[byte & 0xf], ' '}, 3);
}

static void add_row(struct strbuf *into, const uint8_t *bytes, size_t length)
{
    assert(length > 0 && length <= ROW_BYTES);
    for (size_t i = 0; i < ROW_BYTES; i++) {
        if (i == GROUP_BYTES)
            strbuf_add_char(into, ' ');
        if (i < length)
            add_hex_byte(into, bytes[i]);
        else
            strbuf_add_repeat(into, ' ', 3);
    }
    strbuf_add_char(into, ' ');
    for (size_t i = 0; i < length; i++)
        strbuf_add_char(into, bytes[i] >= 0x20 && bytes[i] < 0x7f ? (char)bytes[i] : '.');
    strbuf_add_char(into, '\n');
}

void packet_add_hex(struct strbuf *into, const uint8_t *bytes, size_t length)
{
    for (size_t offset = 0; offset < length && !into->failed; offset += ROW_BYTES) {
        size_t left = length - offset;
        strbuf_addf(into, "%06zx  ", offset);
        add_row(into, bytes + offset, left < ROW_BYTES ? left : ROW_BYTES);
    }
}
