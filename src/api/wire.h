// The wire format of protobuf, as far as it is read and written by hand here.
#pragma once

#include <stdint.h>

#include "base/strbuf.h"

enum wire_type { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_LENGTH = 2, WIRE_32 = 5 };

static inline void wire_add_varint(struct strbuf *into, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        strbuf_add_char(into, (char)(value | 0x80));
    strbuf_add_char(into, (char)value);
}

static inline void wire_add_key(struct strbuf *into, uint32_t number, enum wire_type wire)
{
    wire_add_varint(into, (uint64_t)number << 3 | wire);
}

static inline void wire_add_span(struct strbuf *into, uint32_t number, const void *bytes, size_t length)
{
    wire_add_key(into, number, WIRE_LENGTH);
    wire_add_varint(into, length);
    strbuf_add_bytes(into, bytes, length);
}
