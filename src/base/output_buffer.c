#include "base/output_buffer.h"

#include <assert.h>
#include <string.h>

void output_buffer_empty(struct output_buffer *buffer)
{
    buffer->used = buffer->head_bytes = 0;
    buffer->units = 0;
}

bool output_buffer_has_room(const struct output_buffer *buffer, size_t bytes)
{
    return buffer->units < OUTPUT_BUFFER_UNITS && buffer->used + bytes <= sizeof buffer->bytes;
}

void output_buffer_commit(struct output_buffer *buffer, size_t bytes)
{
    assert(bytes > 0 && output_buffer_has_room(buffer, bytes));
    buffer->used += bytes;
    buffer->ends[buffer->units++] = (uint32_t)buffer->used;
}

void output_buffer_commit_head(struct output_buffer *buffer, size_t bytes)
{
    assert(buffer->units == 0 && output_buffer_has_room(buffer, bytes));
    buffer->used += bytes;
    buffer->head_bytes += bytes;
}

unsigned output_buffer_units_within(const struct output_buffer *buffer, size_t done)
{
    unsigned low = 0, high = buffer->units;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        if (buffer->ends[middle] <= done)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

size_t output_buffer_whole_bytes(const struct output_buffer *buffer, size_t done, unsigned units)
{
    assert(units <= buffer->units && done <= buffer->used);
    if (units > 0)
        return buffer->ends[units - 1];
    return buffer->head_bytes <= done ? buffer->head_bytes : 0;
}

uint32_t output_buffer_drop(struct output_buffer *buffer, size_t done, unsigned units)
{
    assert(units <= buffer->units && done <= buffer->used);
    uint32_t begin = units > 1 ? buffer->ends[units - 2] : (uint32_t)buffer->head_bytes;
    uint32_t last_unit = units > 0 ? buffer->ends[units - 1] - begin : 0;
    buffer->used -= done;
    buffer->head_bytes -= buffer->head_bytes < done ? buffer->head_bytes : done;
    buffer->units -= units;
    memmove(buffer->bytes, buffer->bytes + done, buffer->used);
    for (unsigned i = 0; i < buffer->units; i++)
        buffer->ends[i] = buffer->ends[i + units] - (uint32_t)done;
    return last_unit;
}
