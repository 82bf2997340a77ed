#include "api/decimal.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/strbuf.h"

static void text_of(double value, char into[64])
{
    struct strbuf text;
    strbuf_init(&text, 63);
    decimal_add(&text, value);
    snprintf(into, 64, "%s", text.text);
    strbuf_done(&text);
}

Test(decimal, known_values)
{
    static const struct {
        double value;
        const char *text;
    } rows[] = {
        {0, "0"},
        {1, "1"},
        {10, "10"},
        {1e14, "100000000000000"},
        {9765636.0009765625, "9765636.000976562"},
        {0.1, "0.1"},
        {0.3, "0.3"},
        {-2.5, "-2.5"},
        {0.1 + 0.2, "0.30000000000000004"},
        {1.234567, "1.234567"},
        {0.00001, "0.00001"},
        {0.0001, "0.0001"},
        {1e-9, "1e-09"},
        {1e15, "1e+15"},
        {123456789.125, "123456789.125"},
        {5e-324, "4.94065645841247e-324"},
        {1.0 / 3, "0.3333333333333333"},
        {450359962737049.5, "450359962737049.5"},
        {999999999999999, "999999999999999"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[64];
        text_of(rows[i].value, text);
        cr_expect(eq(dbl, strtod(text, NULL), rows[i].value), "%s", text);
        cr_expect(eq(str, text, (char *)rows[i].text));
    }
}

// Fewest digits of 15 to 17 that printf needs for the same double.
static int digits_needed(double value)
{
    char text[64];
    for (int digits = 15; digits < 17; digits++) {
        snprintf(text, sizeof text, "%.*e", digits - 1, value);
        if (strtod(text, NULL) == value)
            return digits;
    }
    return 17;
}

static int digits_of(const char *text)
{
    int digits = 0, zeros = 0;
    for (; *text != '\0' && *text != 'e'; text++) {
        if (*text < '0' || *text > '9' || (digits == 0 && *text == '0'))
            continue;
        zeros = *text == '0' ? zeros + 1 : 0;
        digits++;
    }
    return digits - zeros;
}

Test(decimal, random_values_read_back_in_the_fewest_digits)
{
    uint64_t state = 88172645463325252u;
    for (int i = 0; i < 300000; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        double value = ldexp((double)(state >> 11), (int)(state % 120) - 80);
        char text[64];
        text_of(value, text);
        cr_assert(strtod(text, NULL) == value, "%.17g became %s", value, text);
        cr_assert(digits_of(text) <= digits_needed(value), "%.17g became %s", value, text);
    }
}
