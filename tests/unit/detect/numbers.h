// Numbers for the tests of sketches: a sequence that is random enough and the same at each run.
#pragma once

#include <stdint.h>

static inline uint64_t next_number(uint64_t *state) // splitmix64
{
    uint64_t mixed = *state += 0x9e3779b97f4a7c15;
    mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111eb;
    return mixed ^ mixed >> 31;
}
