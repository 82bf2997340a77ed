#include <string.h>

#include "base/digest.h"
#include "decode/app/ja_text.h"

static void add_dashed(struct ja_text *text, const struct offer *offer, enum offer_list which)
{
    ja_add_character(text, ',');
    for (size_t i = 0; i < offer->list[which].count; i++) {
        if (i > 0)
            ja_add_character(text, '-');
        ja_add_decimal(text, offer->list[which].number[i]);
    }
}

// "version,ciphers,extensions,groups,formats"
static void describe(const struct offer *offer, struct ja_text *text)
{
    text->length = 0;
    ja_add_decimal(text, offer->legacy_version);
    add_dashed(text, offer, OFFER_CIPHERS);
    add_dashed(text, offer, OFFER_EXTENSIONS);
    add_dashed(text, offer, OFFER_GROUPS);
    add_dashed(text, offer, OFFER_FORMATS);
}

void tls_ja3(const char *offered, char into[JA3_TEXT_BYTES])
{
    struct offer offer;
    struct ja_text text;
    uint8_t digest[DIGEST_BYTES_MAX];
    char hex[DIGEST_HEX_MAX];
    into[0] = '\0';
    if (!offer_read(offered, &offer))
        return;
    describe(&offer, &text);
    if (digest_bytes(DIGEST_MD5, text.characters, text.length, digest))
        memcpy(into, digest_hex(digest, digest_size(DIGEST_MD5), hex), JA3_TEXT_BYTES);
}
