#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "decode/app/ja_text.h"

enum { COUNT_SHOWN_MAX = 99, HASH_CHARACTERS = 12 };
enum { EXTENSION_SERVER_NAME = 0, EXTENSION_ALPN = 16 };

static const char *ja4_version(uint16_t version)
{
    switch (version) {
    case 0x0304:
        return "13";
    case 0x0303:
        return "12";
    case 0x0302:
        return "11";
    case 0x0301:
        return "10";
    case 0x0300:
        return "s3";
    case 0x0002:
        return "s2";
    case 0xfeff:
        return "d1";
    case 0xfefd:
        return "d2";
    case 0xfefc:
        return "d3";
    default:
        return "00";
    }
}

// Shell's sort: short code, and the longest list costs some 10,000 steps.
static void sort_numbers(uint16_t *numbers, size_t count)
{
    static const size_t gaps[] = {701, 301, 132, 57, 23, 10, 4, 1};
    for (size_t g = 0; g < sizeof gaps / sizeof gaps[0]; g++) {
        size_t gap = gaps[g];
        for (size_t i = gap; i < count; i++) {
            uint16_t moving = numbers[i];
            size_t to = i;
            for (; to >= gap && numbers[to - gap] > moving; to -= gap)
                numbers[to] = numbers[to - gap];
            numbers[to] = moving;
        }
    }
}

// How many are left.
static size_t drop_named_extensions(uint16_t *numbers, size_t count)
{
    assert(count <= OFFER_NUMBERS_MAX);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (numbers[i] != EXTENSION_SERVER_NAME && numbers[i] != EXTENSION_ALPN)
            numbers[kept++] = numbers[i];
    return kept;
}

static void add_hex_list(struct ja_text *text, const uint16_t *numbers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            ja_add_character(text, ',');
        ja_add_hex(text, numbers[i]);
    }
}

// The hash's first characters, zeros when there is nothing to hash; not terminated.
static bool hash_text(const struct ja_text *text, char into[HASH_CHARACTERS])
{
    uint8_t digest[DIGEST_BYTES_MAX] = {0};
    char hex[DIGEST_HEX_MAX];
    if (text->length > 0 && !digest_bytes(DIGEST_SHA256, text->characters, text->length, digest))
        return false;
    memcpy(into, digest_hex(digest, sizeof digest, hex), HASH_CHARACTERS);
    return true;
}

static bool hash_ciphers(struct offer *offer, char into[HASH_CHARACTERS])
{
    struct ja_text text;
    uint16_t *ciphers = offer->list[OFFER_CIPHERS].number;
    text.length = 0;
    sort_numbers(ciphers, offer->list[OFFER_CIPHERS].count);
    add_hex_list(&text, ciphers, offer->list[OFFER_CIPHERS].count);
    return hash_text(&text, into);
}

// The extensions sorted, then the signature algorithms in their order.
static bool hash_extensions(struct offer *offer, char into[HASH_CHARACTERS])
{
    struct ja_text text;
    uint16_t *extensions = offer->list[OFFER_EXTENSIONS].number;
    text.length = 0;
    size_t count = drop_named_extensions(extensions, offer->list[OFFER_EXTENSIONS].count);
    sort_numbers(extensions, count);
    add_hex_list(&text, extensions, count);
    if (offer->list[OFFER_SIGNATURES].count > 0)
        ja_add_character(&text, '_');
    add_hex_list(&text, offer->list[OFFER_SIGNATURES].number, offer->list[OFFER_SIGNATURES].count);
    return hash_text(&text, into);
}

static unsigned shown(size_t count)
{
    return count < COUNT_SHOWN_MAX ? (unsigned)count : COUNT_SHOWN_MAX;
}

void tls_ja4(const char *offered, char into[JA4_TEXT_BYTES])
{
    struct offer offer;
    char hashes[2][HASH_CHARACTERS];
    into[0] = '\0';
    if (!offer_read(offered, &offer))
        return;
    unsigned ciphers = shown(offer.list[OFFER_CIPHERS].count);
    unsigned extensions = shown(offer.list[OFFER_EXTENSIONS].count);
    if (hash_ciphers(&offer, hashes[0]) && hash_extensions(&offer, hashes[1]))
        snprintf(into, JA4_TEXT_BYTES, "%c%s%c%02u%02u%.2s_%.12s_%.12s", offer.transport,
                 ja4_version(offer.version), offer.server_name ? 'd' : 'i', ciphers, extensions,
                 offer.protocol, hashes[0], hashes[1]);
}
