#include "api/text.h"

#include <string.h>

#include "base/strbuf.h"

static bool is_plain(const char *text)
{
    for (; *text != '\0'; text++)
        if (*text < 0x20 || *text > 0x7e)
            return false;
    return true;
}

const char *api_text_bytes(struct strbuf *scratch, const void *bytes, size_t length)
{
    strbuf_clear(scratch);
    strbuf_add_wire(scratch, bytes, length);
    return scratch->text;
}

const char *api_text(struct strbuf *scratch, const char *wire)
{
    if (wire == NULL)
        return "";
    return is_plain(wire) ? wire : api_text_bytes(scratch, wire, strlen(wire));
}

static bool continues(const uint8_t *bytes, size_t count, uint8_t least, uint8_t most)
{
    if (bytes[0] < least || bytes[0] > most)
        return false;
    for (size_t i = 1; i < count; i++)
        if ((bytes[i] & 0xc0) != 0x80)
            return false;
    return true;
}

// The second byte's range keeps out overlong forms, surrogates and code points past U+10FFFF.
size_t utf8_sequence(const uint8_t *bytes, size_t left)
{
    uint8_t first = bytes[0];
    if (first < 0x80)
        return 1;
    if (first < 0xc2 || first > 0xf4)
        return 0;
    size_t length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    uint8_t least = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    uint8_t most = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    return left >= length && continues(bytes + 1, length - 1, least, most) ? length : 0;
}
