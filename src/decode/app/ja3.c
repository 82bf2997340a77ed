#include "base/digest.h"
#include "decode/app/ja.h"
#include "decode/app/ja_text.h"

static void add_dashed(struct ja_text *text, const struct ja_numbers *numbers)
{
    for (size_t i = 0; i < numbers->count; i++) {
        if (i > 0)
            ja_add_character(text, '-');
        ja_add_decimal(text, numbers->number[i]);
    }
}

static void add_dashed_formats(struct ja_text *text, struct cursor formats)
{
    while (cursor_left(&formats) > 0) {
        ja_add_decimal(text, cursor_u8(&formats));
        if (cursor_left(&formats) > 0)
            ja_add_character(text, '-');
    }
}

// "version,ciphers,extensions,groups,formats"
static void describe(const struct hello *hello, struct ja_text *text)
{
    struct ja_numbers numbers;
    text->length = 0;
    ja_add_decimal(text, hello->legacy_version);
    ja_add_character(text, ',');
    ja_keep_list(&numbers, hello->ciphers);
    add_dashed(text, &numbers);
    ja_add_character(text, ',');
    ja_keep_extensions(&numbers, hello->extensions);
    add_dashed(text, &numbers);
    ja_add_character(text, ',');
    ja_keep_list(&numbers, hello->groups);
    add_dashed(text, &numbers);
    ja_add_character(text, ',');
    add_dashed_formats(text, hello->formats);
}

void ja3_of_hello(const struct hello *hello, char into[JA3_TEXT_BYTES])
{
    struct ja_text text;
    uint8_t digest[DIGEST_BYTES_MAX];
    char hex[DIGEST_HEX_MAX];
    into[0] = '\0';
    describe(hello, &text);
    if (digest_bytes(DIGEST_MD5, text.characters, text.length, digest))
        memcpy(into, digest_hex(digest, digest_size(DIGEST_MD5), hex), JA3_TEXT_BYTES);
}
