#include "decode/app/name_text.h"

#include <assert.h>
#include <string.h>

#include "base/utf8.h"

// The whole piece or, when it does not fit, nothing.
static bool add_piece(struct name_text *text, const void *piece, size_t length)
{
    if (text->length + length >= text->room)
        return false;
    memcpy(text->text + text->length, piece, length);
    text->length += length;
    return true;
}

static bool add_byte(struct name_text *text, uint8_t byte, unsigned rules)
{
    if (byte == '\\' || (byte == '.' && (rules & NAME_TEXT_LABEL) != 0))
        return add_piece(text, (char[]){'\\', (char)byte}, 2);
    if (byte >= ' ' && byte <= '~')
        return add_piece(text, &byte, 1);
    char escaped[4] = {'\\', (char)('0' + byte / 100), (char)('0' + byte / 10 % 10), (char)('0' + byte % 10)};
    return add_piece(text, escaped, sizeof escaped);
}

// Whether all bytes are shown as they are.
static bool is_plain(const uint8_t *bytes, size_t length, unsigned rules)
{
    size_t at = 0;
    while (at < length && bytes[at] >= ' ' && bytes[at] <= '~' && bytes[at] != '\\' &&
           (bytes[at] != '.' || (rules & NAME_TEXT_LABEL) == 0))
        at++;
    return at == length;
}

bool name_text_add(struct name_text *text, const uint8_t *bytes, size_t length, unsigned rules)
{
    if (is_plain(bytes, length, rules) && add_piece(text, bytes, length))
        return true;
    while (length > 0) {
        size_t character = (rules & NAME_TEXT_UTF8) != 0 ? utf8_character(bytes, length) : 0;
        bool fits = character > 0 ? add_piece(text, bytes, character) : add_byte(text, bytes[0], rules);
        if (!fits)
            return false;
        size_t taken = character > 0 ? character : 1;
        assert(taken <= length);
        bytes += taken;
        length -= taken;
    }
    return true;
}

bool name_text_add_plain(struct name_text *text, char character)
{
    return add_piece(text, &character, 1);
}

size_t name_text_end(struct name_text *text)
{
    assert(text->length < text->room);
    text->text[text->length] = '\0';
    return text->length;
}
