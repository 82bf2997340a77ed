// Where a packet was seen, as the numbers that flows remember (owner, interface, observed_at): the index of
// the capture interface, or, when one handle captures on all ("any", SLL2), the kernel's interface index.
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { OBSERVATION_KERNEL = 0x8000 };

static inline uint16_t observation_interface(uint32_t kernel_index)
{
    return (uint16_t)(OBSERVATION_KERNEL | kernel_index % (OBSERVATION_KERNEL - 1)); // never 0xffff
}

static inline bool observation_is_kernel(uint16_t interface)
{
    return (interface & OBSERVATION_KERNEL) != 0;
}
