#include "decode/app/ja_text.h"

#include <assert.h>

void ja_add_character(struct ja_text *text, char character)
{
    assert(text->length < JA_TEXT_BYTES);
    text->characters[text->length++] = character;
}

void ja_add_decimal(struct ja_text *text, unsigned number)
{
    char digits[10];
    size_t count = 0;
    do {
        digits[count++] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    while (count > 0)
        ja_add_character(text, digits[--count]);
}

void ja_add_hex(struct ja_text *text, uint16_t number)
{
    for (int shift = 12; shift >= 0; shift -= 4)
        ja_add_character(text, "0123456789abcdef"[number >> shift & 15]);
}
