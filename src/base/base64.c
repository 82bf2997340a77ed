#include "base/base64.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static char *encode_three(const uint8_t *from, char *into)
{
    into[0] = alphabet[from[0] >> 2];
    into[1] = alphabet[(from[0] & 3) << 4 | from[1] >> 4];
    into[2] = alphabet[(from[1] & 15) << 2 | from[2] >> 6];
    into[3] = alphabet[from[2] & 63];
    return into + 4;
}

// One or two bytes are left: the missing ones count as zero and show as padding.
static char *encode_last(const uint8_t *from, size_t length, char *into)
{
    assert(length == 1 || length == 2);
    uint8_t three[3] = {from[0], length == 2 ? from[1] : 0, 0};
    encode_three(three, into);
    into[3] = '=';
    if (length == 1)
        into[2] = '=';
    return into + 4;
}

char *base64_encode(const void *bytes, size_t length, char *into)
{
    const uint8_t *from = bytes;
    char *to = into;
    for (; length >= 3; from += 3, length -= 3)
        to = encode_three(from, to);
    if (length > 0)
        to = encode_last(from, length, to);
    *to = '\0';
    assert((to - into) % 4 == 0);
    return into;
}

// Padding is two characters at most, and completes a group of four.
static size_t without_padding(const char *text, size_t length)
{
    if (length == 0 || length % 4 != 0)
        return length;
    size_t padding = text[length - 1] != '=' ? 0 : text[length - 2] != '=' ? 1 : 2;
    return length - padding;
}

bool base64_decode(const char *text, size_t length, void *into, size_t room, size_t *bytes)
{
    uint8_t *to = into;
    uint32_t bits = 0;
    unsigned held = 0;
    length = without_padding(text, length);
    if (length % 4 == 1 || length / 4 * 3 + (length % 4 > 0 ? length % 4 - 1 : 0) > room)
        return false;
    for (size_t i = 0; i < length; i++) {
        const char *digit = text[i] != '\0' ? strchr(alphabet, text[i]) : NULL;
        if (digit == NULL)
            return false;
        bits = bits << 6 | (uint32_t)(digit - alphabet);
        held += 6;
        if (held < 8)
            continue;
        held -= 8;
        *to++ = (uint8_t)(bits >> held);
    }
    *bytes = (size_t)(to - (uint8_t *)into);
    return (bits & ((1U << held) - 1)) == 0; // what is left over is zero in what was encoded
}
