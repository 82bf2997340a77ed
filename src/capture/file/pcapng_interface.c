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
enum statistics_option { STATISTICS_INTERFACE_DROP = 5, STATISTICS_SYSTEM_DROP = 7 };
enum packet_option { PACKET_DROP_COUNT = 4 };

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

bool pcapng_next_option(struct cursor *options, bool little_endian, uint16_t *code, struct cursor *value)
{
    *code = cursor_u16_in(options, little_endian);
    uint16_t length = cursor_u16_in(options, little_endian);
    *value = cursor_sub(options, length);
    if (options->failed || *code == OPTION_END)
        return false;
    size_t padding = -(size_t)length & 3;
    cursor_skip(options, padding < cursor_left(options) ? padding : cursor_left(options));
    return true;
}

static void read_options(struct cursor *options, bool little_endian, struct pcapng_interface *interface,
                         struct source_interface *row)
{
    uint16_t code;
    struct cursor value;
    for (int i = 0; i < OPTIONS_MAX && pcapng_next_option(options, little_endian, &code, &value); i++)
        read_option(code, &value, little_endian, interface, row);
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
    interface->statistics_loss = interface->packets_loss = 0;
    return interface_list_add(identity->interfaces, &row, &interface->interface);
}

static uint64_t greater(uint64_t left, uint64_t right)
{
    return left > right ? left : right;
}

static uint64_t add_saturated(uint64_t left, uint64_t right)
{
    return left <= UINT64_MAX - right ? left + right : UINT64_MAX;
}

// Counts what is new at the row, which other sections and files may share.
static void set_loss(struct pcapng_interface *interface, uint64_t statistics, uint64_t packets,
                     struct interface_list *list)
{
    uint64_t before = greater(interface->statistics_loss, interface->packets_loss);
    interface->statistics_loss = greater(interface->statistics_loss, statistics);
    interface->packets_loss = packets;
    uint64_t after = greater(interface->statistics_loss, interface->packets_loss);
    struct interface_row *row = interface_list_row(list, interface->interface);
    assert(after >= before && row != NULL);
    row->recorded_loss = add_saturated(row->recorded_loss, after - before);
    list->loss_recorded |= after > before;
}

void pcapng_interface_add_loss(struct pcapng_interface *interface, uint64_t packets,
                               struct interface_list *list)
{
    set_loss(interface, 0, add_saturated(interface->packets_loss, packets), list);
}

void pcapng_interface_read_statistics(struct pcapng_interface *interface, struct cursor options,
                                      bool little_endian, struct interface_list *list)
{
    uint64_t dropped = 0;
    uint16_t code;
    struct cursor value;
    for (int i = 0; i < OPTIONS_MAX && pcapng_next_option(&options, little_endian, &code, &value); i++)
        if ((code == STATISTICS_INTERFACE_DROP || code == STATISTICS_SYSTEM_DROP) && cursor_left(&value) >= 8)
            dropped = add_saturated(dropped, cursor_u64_in(&value, little_endian));
    set_loss(interface, dropped, interface->packets_loss, list);
}

void pcapng_interface_read_drops(struct pcapng_interface *interface, struct cursor options,
                                 bool little_endian, struct interface_list *list)
{
    uint16_t code;
    struct cursor value;
    for (int i = 0; i < OPTIONS_MAX && pcapng_next_option(&options, little_endian, &code, &value); i++)
        if (code == PACKET_DROP_COUNT && cursor_left(&value) >= 8)
            pcapng_interface_add_loss(interface, cursor_u64_in(&value, little_endian), list);
}
