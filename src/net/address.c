#include "net/address.h"

#include <arpa/inet.h>
#include <assert.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/strbuf.h"

enum { GROUPS = 8 }; // of an IPv6 address

static bool address_is_of_version(const struct address *address)
{
    return address->version == 4 || address->version == 6 || address->version == 0;
}

int address_compare(const struct address *left, const struct address *right)
{
    assert(address_is_of_version(left) && address_is_of_version(right));
    if (left->version != right->version)
        return left->version < right->version ? -1 : 1;
    return memcmp(left->bytes, right->bytes, sizeof left->bytes);
}

bool address_is_multicast(const struct address *address)
{
    if (address->version == 4)
        return (address->bytes[0] & 0xf0) == 0xe0;
    return address->version == 6 && address->bytes[0] == 0xff;
}

bool address_is_broadcast(const struct address *address)
{
    static const uint8_t everyone[4] = {255, 255, 255, 255};
    return address->version == 4 && memcmp(address->bytes, everyone, sizeof everyone) == 0;
}

static bool stays_inside_v4(const uint8_t bytes[4])
{
    static const uint8_t none[4] = {0};
    return bytes[0] == 127 || (bytes[0] == 169 && bytes[1] == 254) || memcmp(bytes, none, sizeof none) == 0;
}

static bool stays_inside_v6(const uint8_t bytes[16])
{
    static const uint8_t zeros[15] = {0};
    bool link_local = bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80;
    return link_local || (memcmp(bytes, zeros, sizeof zeros) == 0 && bytes[15] <= 1);
}

bool address_stays_inside(const struct address *address)
{
    if (address_is_multicast(address) || address_is_broadcast(address))
        return true;
    if (address->version == 4)
        return stays_inside_v4(address->bytes);
    return address->version == 6 && stays_inside_v6(address->bytes);
}

bool address_parse(const char *text, struct address *out)
{
    uint8_t bytes[16];
    if (inet_pton(AF_INET, text, bytes) == 1)
        *out = address_v4(bytes);
    else if (inet_pton(AF_INET6, text, bytes) == 1)
        *out = address_v6(bytes);
    else
        return false;
    return true;
}

static unsigned address_bits(const struct address *address)
{
    assert(address->version == 4 || address->version == 6);
    return address->version == 4 ? 32 : 128;
}

static uint64_t word_at(const uint8_t *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return be64toh(word);
}

// Whether the first `bits` of 64 bits are equal.
static bool same_start(uint64_t left, uint64_t right, unsigned bits)
{
    return bits == 0 || (left ^ right) >> (64 - bits) == 0;
}

static bool host_bits_are_zero(const struct prefix *prefix)
{
    for (unsigned bit = prefix->bits; bit < address_bits(&prefix->address); bit++)
        if (prefix->address.bytes[bit / 8] & (0x80 >> bit % 8))
            return false;
    return true;
}

// One to three decimal digits and nothing else.
static bool parse_bits(const char *text, unsigned maximum, uint8_t *out)
{
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 3 || text[digits] != '\0')
        return false;
    unsigned long bits = strtoul(text, NULL, 10);
    *out = (uint8_t)bits;
    return bits <= maximum;
}

bool prefix_parse(const char *text, struct prefix *out)
{
    char address[ADDRESS_TEXT_BYTES];
    const char *slash = strchr(text, '/');
    size_t length = slash != NULL ? (size_t)(slash - text) : strlen(text);
    if (length >= sizeof address)
        return false;
    memcpy(address, text, length);
    address[length] = '\0';

    struct prefix prefix;
    if (!address_parse(address, &prefix.address))
        return false;
    prefix.bits = (uint8_t)address_bits(&prefix.address);
    if (slash != NULL && !parse_bits(slash + 1, prefix.bits, &prefix.bits))
        return false;
    if (!host_bits_are_zero(&prefix))
        return false;
    *out = prefix;
    return true;
}

bool prefix_contains(const struct prefix *prefix, const struct address *address)
{
    const uint8_t *left = prefix->address.bytes, *right = address->bytes;
    assert(prefix->bits <= address_bits(&prefix->address));
    if (prefix->address.version != address->version)
        return false;
    if (prefix->bits <= 64)
        return same_start(word_at(left), word_at(right), prefix->bits);
    return word_at(left) == word_at(right) &&
           same_start(word_at(left + 8), word_at(right + 8), prefix->bits - 64);
}

static bool is_v4_mapped(const uint8_t bytes[16])
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    return memcmp(bytes, mapped, sizeof mapped) == 0;
}

struct address address_plain(const struct address *address)
{
    bool mapped = address->version == 6 && is_v4_mapped(address->bytes);
    return mapped ? address_v4(address->bytes + 12) : *address;
}

bool address_is_loopback(const struct address *address)
{
    static const struct address loopback_v6 = {.bytes = {[15] = 1}, .version = 6};
    struct address plain = address_plain(address);
    return plain.version == 4 ? plain.bytes[0] == 127 : address_compare(&plain, &loopback_v6) == 0;
}

struct address address_network(const struct address *address, uint8_t bits)
{
    struct address network = *address;
    assert(bits <= address_bits(address));
    for (unsigned i = bits / 8; i < sizeof network.bytes; i++)
        network.bytes[i] &= (uint8_t)(i == bits / 8 ? 0xff00 >> bits % 8 : 0);
    return network;
}

// The writers below put text at `at` and return its end; the callers' arrays are large enough by
// ADDRESS_TEXT_BYTES, which holds the longest form.
static char *write_decimal(char *at, unsigned value)
{
    assert(value <= UINT16_MAX);
    char digits[5];
    unsigned count = 0;
    do
        digits[count++] = (char)('0' + value % 10);
    while ((value /= 10) != 0);
    while (count > 0)
        *at++ = digits[--count];
    return at;
}

static char *write_v4(char *at, const uint8_t bytes[4])
{
    for (unsigned i = 0; i < 4; i++) {
        if (i > 0)
            *at++ = '.';
        at = write_decimal(at, bytes[i]);
    }
    return at;
}

static char *write_group(char *at, unsigned group)
{
    assert(group <= UINT16_MAX);
    bool begun = false;
    for (int shift = 12; shift >= 0; shift -= 4) {
        unsigned digit = group >> shift & 0xf;
        if (begun || digit != 0 || shift == 0) {
            *at++ = "0123456789abcdef"[digit];
            begun = true;
        }
    }
    return at;
}

struct zero_run {
    unsigned start, length;
};

// The longest run of two or more zero groups, the first of equals; length 0 = none.
static struct zero_run longest_zeros(const unsigned groups[GROUPS])
{
    struct zero_run best = {0, 0};
    for (unsigned start = 0; start < GROUPS; start++) {
        unsigned length = 0;
        while (start + length < GROUPS && groups[start + length] == 0)
            length++;
        if (length >= 2 && length > best.length)
            best = (struct zero_run){start, length};
    }
    return best;
}

static char *write_v6(char *at, const uint8_t bytes[16])
{
    if (is_v4_mapped(bytes)) {
        memcpy(at, "::ffff:", 7);
        return write_v4(at + 7, bytes + 12);
    }
    unsigned groups[GROUPS];
    for (unsigned i = 0; i < GROUPS; i++)
        groups[i] = bytes_u16(bytes + 2 * i);
    struct zero_run zeros = longest_zeros(groups);
    for (unsigned i = 0; i < GROUPS; i++) {
        if (zeros.length > 0 && i == zeros.start) {
            *at++ = ':';
            *at++ = ':';
            i += zeros.length - 1;
            continue;
        }
        if (i > 0 && at[-1] != ':')
            *at++ = ':';
        at = write_group(at, groups[i]);
    }
    return at;
}

static char *write_address(char *at, const struct address *address)
{
    if (address->version == 4)
        return write_v4(at, address->bytes);
    if (address->version == 6)
        return write_v6(at, address->bytes);
    assert(address->version == 0);
    *at = '-';
    return at + 1;
}

char *address_format(const struct address *address, char into[ADDRESS_TEXT_BYTES])
{
    char *end = write_address(into, address);
    assert(end - into < ADDRESS_TEXT_BYTES);
    *end = '\0';
    return into;
}

char *endpoint_format(const struct endpoint *endpoint, char into[ENDPOINT_TEXT_BYTES])
{
    bool brackets = endpoint->address.version == 6;
    char *at = into;
    if (brackets)
        *at++ = '[';
    at = write_address(at, &endpoint->address);
    if (brackets)
        *at++ = ']';
    *at++ = ':';
    at = write_decimal(at, endpoint->port);
    assert(at - into < ENDPOINT_TEXT_BYTES);
    *at = '\0';
    return into;
}

void address_add(struct strbuf *into, const struct address *address)
{
    char text[ADDRESS_TEXT_BYTES];
    strbuf_add_bytes(into, text, (size_t)(write_address(text, address) - text));
}
