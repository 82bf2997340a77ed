#include "decode/app/hello.h"

#include <assert.h>

enum { CLIENT_HELLO = 1, RANDOM_BYTES = 32, DTLS_FRAGMENT_BYTES = 8, HOST_NAME = 0 };
enum { DTLS_VERSION_OLD = 0x0100 }; // OpenSSL's before the standard

enum extension {
    EXTENSION_SERVER_NAME = 0,
    EXTENSION_SUPPORTED_GROUPS = 10,
    EXTENSION_POINT_FORMATS = 11,
    EXTENSION_SIGNATURES = 13,
    EXTENSION_ALPN = 16,
    EXTENSION_SUPPORTED_VERSIONS = 43,
    EXTENSION_ECH = 0xfe0d,
};

static bool is_dtls(uint16_t version)
{
    return version >> 8 == 0xfe;
}

// DTLS counts down.
static bool is_newer(uint16_t version, uint16_t than)
{
    if (is_dtls(version) && is_dtls(than))
        return version < than;
    return version > than;
}

// A list with its length in front, cut to whole 16-bit elements; empty when it does not fit.
static struct cursor take_u16_list(struct cursor *body)
{
    struct cursor list = cursor_sub(body, cursor_u16(body));
    list.end -= cursor_left(&list) % 2;
    assert(list.end >= list.at);
    return list;
}

// The first name stays: what repeats the extension neither hides it nor changes it.
static void read_server_name(struct cursor body, struct hello *hello)
{
    hello->has_sni_extension = true;
    if (cursor_left(&hello->server_name) > 0)
        return;
    struct cursor list = cursor_sub(&body, cursor_u16(&body));
    if (cursor_u8(&list) != HOST_NAME)
        return;
    hello->server_name = cursor_sub(&list, cursor_u16(&list));
}

// Drafts and private numbers are none.
static bool is_known_version(uint16_t version)
{
    return (version >= 0x0300 && version <= 0x0304) || version == 0xfeff || version == 0xfefd ||
           version == 0xfefc;
}

static void raise(uint16_t *highest, uint16_t version)
{
    if (*highest == 0 || is_newer(version, *highest))
        *highest = version;
}

// The list is read once: a hello that repeats it costs no more.
static void read_supported_versions(struct cursor body, struct hello *hello)
{
    struct cursor list = cursor_sub(&body, cursor_u8(&body));
    uint16_t highest = 0, known = 0;
    if (hello->has_versions)
        return;
    hello->has_versions = true;
    while (cursor_left(&list) >= 2) {
        uint16_t version = cursor_u16(&list);
        if (!is_grease(version))
            raise(&highest, version);
        if (is_known_version(version))
            raise(&known, version);
    }
    if (highest != 0)
        hello->highest_version = highest;
    if (known != 0)
        hello->version = known;
}

static void read_extension(uint16_t type, struct cursor body, struct hello *hello)
{
    switch (type) {
    case EXTENSION_SERVER_NAME:
        read_server_name(body, hello);
        break;
    case EXTENSION_SUPPORTED_GROUPS:
        hello->groups = take_u16_list(&body);
        break;
    case EXTENSION_POINT_FORMATS:
        hello->formats = cursor_sub(&body, cursor_u8(&body));
        break;
    case EXTENSION_SIGNATURES:
        hello->signatures = take_u16_list(&body);
        break;
    case EXTENSION_ALPN:
        hello->protocols = cursor_sub(&body, cursor_u16(&body));
        break;
    case EXTENSION_SUPPORTED_VERSIONS:
        read_supported_versions(body, hello);
        break;
    case EXTENSION_ECH:
        hello->has_ech = true;
        break;
    default:
        break;
    }
}

// Every extension that is there as a whole; true when nothing is left of the block.
static bool read_extensions(struct hello *hello)
{
    struct cursor block = hello->extensions;
    for (unsigned read = 0; cursor_left(&block) > 0; read++) {
        if (read == HELLO_EXTENSIONS_MAX)
            return false;
        uint16_t type = cursor_u16(&block);
        struct cursor body = cursor_sub(&block, cursor_u16(&block));
        if (block.failed)
            return false;
        read_extension(type, body, hello);
    }
    return true;
}

static bool is_hello_version(uint16_t version, char transport)
{
    assert(transport == 't' || transport == 'q' || transport == 'd');
    if (transport == 'd')
        return is_dtls(version) || version == DTLS_VERSION_OLD;
    return version >> 8 == 3;
}

// Session id, DTLS cookie, ciphers, compression: true when all of it is there.
static bool read_fixed_part(struct cursor *cursor, struct hello *hello)
{
    cursor_skip(cursor, RANDOM_BYTES);
    cursor_skip(cursor, cursor_u8(cursor));
    if (hello->transport == 'd')
        cursor_skip(cursor, cursor_u8(cursor));
    hello->ciphers = take_u16_list(cursor);
    cursor_skip(cursor, cursor_u8(cursor));
    return !cursor->failed;
}

// The block may be absent (RFC 5246) or cut short.
static bool read_extension_block(struct cursor *cursor, struct hello *hello)
{
    if (cursor_left(cursor) == 0)
        return true;
    size_t claimed = cursor_u16(cursor);
    size_t at_hand = cursor_left(cursor);
    hello->extensions = cursor_sub(cursor, claimed < at_hand ? claimed : at_hand);
    return read_extensions(hello) && claimed <= at_hand && !cursor->failed;
}

static void clear(struct hello *hello, char transport)
{
    struct cursor none = cursor_of("", 0);
    *hello = (struct hello){.transport = transport,
                            .ciphers = none,
                            .extensions = none,
                            .groups = none,
                            .signatures = none,
                            .formats = none,
                            .protocols = none,
                            .server_name = none};
}

bool hello_read(const uint8_t *bytes, size_t length, char transport, struct hello *hello)
{
    struct cursor cursor = cursor_of(bytes, length);
    clear(hello, transport);
    if (cursor_u8(&cursor) != CLIENT_HELLO)
        return false;
    size_t claimed = cursor_u24(&cursor);
    if (transport == 'd')
        cursor_skip(&cursor, DTLS_FRAGMENT_BYTES);
    bool whole = cursor_left(&cursor) >= claimed;
    cursor_limit(&cursor, claimed);
    hello->bytes = (size_t)(cursor.end - bytes);
    assert(hello->bytes <= length);
    hello->legacy_version = hello->highest_version = hello->version = cursor_u16(&cursor);
    if (cursor.failed || !is_hello_version(hello->legacy_version, transport))
        return false;
    if (!read_fixed_part(&cursor, hello))
        return !whole;
    hello->complete = read_extension_block(&cursor, hello) && whole;
    return true;
}

bool hello_next_protocol(struct cursor *protocols, struct cursor *protocol)
{
    while (cursor_left(protocols) > 0) {
        *protocol = cursor_sub(protocols, cursor_u8(protocols));
        if (protocol->failed)
            return false;
        const uint8_t *name = protocol->at;
        if (cursor_left(protocol) != 2 || !is_grease((uint16_t)(name[0] << 8 | name[1])))
            return true;
    }
    return false;
}
