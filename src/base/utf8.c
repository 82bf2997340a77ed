#include "base/utf8.h"

#include <assert.h>
#include <stdbool.h>

enum { LONGEST_UTF8 = 4 };

static size_t utf8_length(uint8_t first)
{
    if (first < 0xC2 || first > 0xF4)
        return 0;
    return first < 0xE0 ? 2 : first < 0xF0 ? 3 : LONGEST_UTF8;
}

static bool utf8_shown(uint32_t point, size_t length)
{
    static const uint32_t least[LONGEST_UTF8 + 1] = {0, 0, 0x80, 0x800, 0x10000};
    bool valid = point >= least[length] && point <= 0x10FFFF && (point < 0xD800 || point > 0xDFFF);
    bool control =
        point < 0xA0 || (point >= 0x2028 && point <= 0x202E) || (point >= 0x2066 && point <= 0x2069);
    return valid && !control;
}

size_t utf8_character(const uint8_t *at, size_t left)
{
    assert(left > 0);
    size_t length = utf8_length(at[0]);
    if (length == 0 || length > left)
        return 0;
    uint32_t point = at[0] & (0x7Fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((at[i] & 0xC0) != 0x80)
            return 0;
        point = point << 6 | (at[i] & 0x3Fu);
    }
    return utf8_shown(point, length) ? length : 0;
}
