#include "capture/file/pcapng_interface.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "capture/file/file_labels.h"

enum interface_option {
    OPTION_END = 0,
    OPTION_NAME = 2,
    OPTION_TIME_RESOLUTION = 9,
    OPTION_TIME_OFFSET = 14,
};

enum { OPTIONS_MAX = 256, MICROSECONDS = 6, NANOSECONDS = 9, POWERS_OF_TEN = 19, BINARY_RESOLUTION = 0x80 };

static int64_t clamp_ns(__int128 ns)
{
    if (ns > INT64_MAX)
        return INT64_MAX;
    return ns < INT64_MIN ? INT64_MIN : (int64_t)ns;
}

int64_t pcapng_clock_ns(const struct pcapng_clock *clock, uint64_t units)
{
    __int128 ns = 0;
    switch (clock->how) {
    case PCAPNG_MULTIPLY:
        ns = (__int128)units * clock->factor;
        break;
    case PCAPNG_DIVIDE:
        assert(clock->factor > 0);
        ns = units / clock->factor;
        break;
    case PCAPNG_SHIFT:
        assert(clock->bits < 128);
        ns = (__int128)units * NS_PER_S >> clock->bits;
        break;
    }
    return clamp_ns(ns + clock->offset_ns);
}

static uint64_t power_of_ten(unsigned exponent)
{
    assert(exponent <= POWERS_OF_TEN); // of 64 bits
    uint64_t power = 1;
    for (unsigned i = 0; i < exponent; i++)
        power *= 10;
    return power;
}

static void set_resolution(struct pcapng_clock *clock, uint8_t resolution)
{
    unsigned exponent = resolution & 0x7f;
    if ((resolution & BINARY_RESOLUTION) != 0) {
        clock->how = PCAPNG_SHIFT;
        clock->bits = exponent < 120 ? exponent : 120; // of 94 bits nothing is left either way
    } else if (exponent <= NANOSECONDS) {
        clock->how = PCAPNG_MULTIPLY;
        clock->factor = power_of_ten(NANOSECONDS - exponent);
    } else {
        unsigned beyond = exponent - NANOSECONDS;
        clock->how = PCAPNG_DIVIDE;
        clock->factor = power_of_ten(beyond < POWERS_OF_TEN ? beyond : POWERS_OF_TEN);
    }
}

static void set_offset(struct pcapng_clock *clock, struct cursor *value, bool little_endian)
{
    int64_t seconds = (int64_t)cursor_u64_in(value, little_endian);
    clock->offset_ns = clamp_ns((__int128)seconds * NS_PER_S);
}

static void set_name(struct source_interface *row, struct cursor *value)
{
    size_t length = cursor_left(value);
    if (length > sizeof row->name - 1)
        length = sizeof row->name - 1;
    assert(length < sizeof row->name);
    memset(row->name, 0, sizeof row->name);
    memcpy(row->name, value->at, length);
}

static void read_option(uint16_t code, struct cursor *value, bool little_endian,
                        struct pcapng_interface *interface, struct source_interface *row)
{
    if (code == OPTION_NAME && cursor_peek(value) != 0)
        set_name(row, value);
    else if (code == OPTION_TIME_RESOLUTION && cursor_left(value) >= 1)
        set_resolution(&interface->clock, cursor_u8(value));
    else if (code == OPTION_TIME_OFFSET && cursor_left(value) >= 8)
        set_offset(&interface->clock, value, little_endian);
}

static void read_options(struct cursor *options, bool little_endian, struct pcapng_interface *interface,
                         struct source_interface *row)
{
    for (int i = 0; i < OPTIONS_MAX; i++) {
        uint16_t code = cursor_u16_in(options, little_endian);
        uint16_t length = cursor_u16_in(options, little_endian);
        struct cursor value = cursor_sub(options, length);
        if (options->failed || code == OPTION_END)
            return;
        read_option(code, &value, little_endian, interface, row);
        cursor_skip(options, -(size_t)length & 3);
    }
}

bool pcapng_interface_read(struct pcapng_interface *interface, struct cursor body, bool little_endian,
                           const struct file_identity *identity)
{
    struct source_interface row = {.link_type = 0};
    snprintf(row.name, sizeof row.name, "%s", identity->name);
    interface->clock = (struct pcapng_clock){.how = PCAPNG_MULTIPLY};
    set_resolution(&interface->clock, MICROSECONDS);
    row.link_type = cursor_u16_in(&body, little_endian);
    cursor_skip(&body, 2); // reserved
    row.snaplen = cursor_u32_in(&body, little_endian);
    read_options(&body, little_endian, interface, &row);
    if (identity->reading > 1 && strcmp(row.name, identity->name) != 0)
        file_label_number(row.name, identity->reading);
    memcpy(row.configured, row.name, sizeof row.configured);
    interface->link_type = row.link_type;
    interface->snaplen = row.snaplen;
    return interface_list_add(identity->interfaces, &row, &interface->interface);
}
