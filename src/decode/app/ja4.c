#include <assert.h>
#include <stdio.h>

#include "base/digest.h"
#include "decode/app/ja.h"
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

static bool is_alphanumeric(uint8_t byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z');
}

// The outer characters of the first protocol, or of its bytes in hexadecimal.
static void ja4_protocol(const struct hello *hello, char into[2])
{
    struct cursor protocols = hello->protocols, protocol;
    memcpy(into, "00", 2);
    if (!hello_next_protocol(&protocols, &protocol) || cursor_left(&protocol) == 0)
        return;
    uint8_t first = protocol.at[0], last = protocol.end[-1];
    bool plain = is_alphanumeric(first) && is_alphanumeric(last);
    into[0] = plain ? (char)first : "0123456789abcdef"[first >> 4];
    into[1] = plain ? (char)last : "0123456789abcdef"[last & 15];
}

// Shell's sort: lists are short, and a hostile one of 8192 numbers does not go quadratic.
static void sort_numbers(struct ja_numbers *numbers)
{
    static const size_t gaps[] = {1750, 701, 301, 132, 57, 23, 10, 4, 1};
    for (size_t g = 0; g < sizeof gaps / sizeof gaps[0]; g++) {
        size_t gap = gaps[g];
        for (size_t i = gap; i < numbers->count; i++) {
            uint16_t moving = numbers->number[i];
            size_t to = i;
            for (; to >= gap && numbers->number[to - gap] > moving; to -= gap)
                numbers->number[to] = numbers->number[to - gap];
            numbers->number[to] = moving;
        }
    }
}

static void drop_named_extensions(struct ja_numbers *numbers)
{
    assert(numbers->count <= JA_NUMBERS_MAX);
    size_t kept = 0;
    for (size_t i = 0; i < numbers->count; i++)
        if (numbers->number[i] != EXTENSION_SERVER_NAME && numbers->number[i] != EXTENSION_ALPN)
            numbers->number[kept++] = numbers->number[i];
    numbers->count = kept;
}

static void add_hex_list(struct ja_text *text, const struct ja_numbers *numbers)
{
    for (size_t i = 0; i < numbers->count; i++) {
        if (i > 0)
            ja_add_character(text, ',');
        ja_add_hex(text, numbers->number[i]);
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

static bool hash_ciphers(struct ja_numbers *ciphers, char into[HASH_CHARACTERS])
{
    struct ja_text text;
    text.length = 0;
    sort_numbers(ciphers);
    add_hex_list(&text, ciphers);
    return hash_text(&text, into);
}

// The extensions sorted, then the signature algorithms in their order.
static bool hash_extensions(const struct hello *hello, struct ja_numbers *numbers, char into[HASH_CHARACTERS])
{
    struct ja_text text;
    text.length = 0;
    drop_named_extensions(numbers);
    sort_numbers(numbers);
    add_hex_list(&text, numbers);
    ja_keep_list(numbers, hello->signatures);
    if (numbers->count > 0)
        ja_add_character(&text, '_');
    add_hex_list(&text, numbers);
    return hash_text(&text, into);
}

static unsigned shown(size_t count)
{
    return count < COUNT_SHOWN_MAX ? (unsigned)count : COUNT_SHOWN_MAX;
}

void ja4_of_hello(const struct hello *hello, char into[JA4_TEXT_BYTES])
{
    struct ja_numbers numbers;
    char protocol[2], hashes[2][HASH_CHARACTERS];
    ja_keep_list(&numbers, hello->ciphers);
    unsigned ciphers = shown(numbers.count);
    bool hashed = hash_ciphers(&numbers, hashes[0]);
    ja_keep_extensions(&numbers, hello->extensions);
    unsigned extensions = shown(numbers.count);
    hashed = hash_extensions(hello, &numbers, hashes[1]) && hashed;
    ja4_protocol(hello, protocol);
    into[0] = '\0';
    if (hashed)
        snprintf(into, JA4_TEXT_BYTES, "%c%s%c%02u%02u%.2s_%.12s_%.12s", hello->transport,
                 ja4_version(hello->version), hello->has_sni_extension ? 'd' : 'i', ciphers, extensions,
                 protocol, hashes[0], hashes[1]);
}
