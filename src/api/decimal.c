#include "api/decimal.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/strbuf.h"

enum { LEAST_DIGITS = 15, MOST_DIGITS = 17, MANTISSA_BITS = 53 };

// A positive double as mantissa / 2^shift.
struct binary {
    uint64_t mantissa;
    unsigned shift;
};

// digits / 10^places.
struct decimal {
    uint64_t digits;
    unsigned places;
};

__extension__ typedef unsigned __int128 wide;

static uint64_t power_of_ten(unsigned exponent)
{
    uint64_t power = 1;
    assert(exponent < 20); // 10^19 is the last that fits
    while (exponent-- > 0)
        power *= 10;
    return power;
}

// Rounds to `places` decimals. True when the result lies nearer to the value than half a unit of its
// last binary place, so that reading it gives the value back.
static bool round_to(struct binary value, unsigned places, struct decimal *out)
{
    assert(value.shift > 0 && value.shift < 128 && places < 38);
    wide power = (wide)power_of_ten(places / 2) * power_of_ten(places - places / 2);
    wide scaled = value.mantissa * power;
    wide half = (wide)1 << (value.shift - 1);
    wide rounded = (scaled + half) >> value.shift;
    if (rounded << value.shift == scaled + half)
        rounded &= ~(wide)1; // a tie goes to the even digit, as in printf
    wide back = rounded << value.shift;
    wide error = back > scaled ? back - scaled : scaled - back;
    *out = (struct decimal){.digits = (uint64_t)rounded, .places = places};
    return 2 * error < power;
}

// Digits before the point of 1e-5 <= value < 1e15: 1 for 1 to 9, 0 for 0.1 and more, -1 for 0.01...
static int leading_digits(double value)
{
    static const double bounds[] = {1e-4, 1e-3, 1e-2, 1e-1, 1e0,  1e1,  1e2,  1e3,  1e4, 1e5,
                                    1e6,  1e7,  1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14};
    unsigned above = 0;
    while (above < sizeof bounds / sizeof bounds[0] && value >= bounds[above])
        above++;
    return (int)above - 4;
}

// The value as a decimal of 15 to 17 digits, the fewest that suffice. False when the arithmetic does not
// cover it: the gaps below and above a power of two differ.
static bool shortest(double value, struct decimal *out)
{
    int exponent;
    double fraction = frexp(value, &exponent);
    struct binary binary = {.mantissa = (uint64_t)ldexp(fraction, MANTISSA_BITS),
                            .shift = (unsigned)(MANTISSA_BITS - exponent)};
    if (binary.mantissa == UINT64_C(1) << (MANTISSA_BITS - 1))
        return false;
    int leading = leading_digits(value);
    for (int digits = LEAST_DIGITS; digits <= MOST_DIGITS; digits++)
        if (round_to(binary, (unsigned)(digits - leading), out))
            return true;
    return false;
}

static void add_decimal(struct strbuf *into, struct decimal decimal)
{
    while (decimal.places > 0 && decimal.digits % 10 == 0) {
        decimal.digits /= 10;
        decimal.places--;
    }
    char text[40];
    unsigned at = sizeof text;
    assert(decimal.places < sizeof text - 2);
    for (unsigned place = 0; decimal.digits > 0 || place <= decimal.places; place++) {
        if (place > 0 && place == decimal.places)
            text[--at] = '.';
        text[--at] = (char)('0' + decimal.digits % 10);
        decimal.digits /= 10;
    }
    strbuf_add_bytes(into, text + at, sizeof text - at);
}

static void add_by_printf(struct strbuf *into, double value)
{
    char text[40];
    for (int digits = LEAST_DIGITS; digits <= MOST_DIGITS; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value) // NOLINT: exact on purpose
            break;
    }
    strbuf_add(into, text);
}

void decimal_add(struct strbuf *into, double value)
{
    double magnitude = fabs(value);
    struct decimal decimal;
    if (magnitude < 1e-5 || magnitude >= 1e15 || !shortest(magnitude, &decimal)) {
        add_by_printf(into, value);
        return;
    }
    if (value < 0)
        strbuf_add_char(into, '-');
    add_decimal(into, decimal);
}
