// ClientHellos put together for tests, and what is made of them.
#pragma once

#include "decode/app/tls.h"
#include "wire.h"

#define RANDOM      "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define SERVER_NAME "0000 0010 000e 00 000b 6578616d706c652e636f6d"
#define ALPN_H2     "0010 0005 0003 02 6832"
#define SIGNATURES  "000d 0012 0010 0403 0804 0401 0503 0805 0501 0806 0601"
#define VERSIONS    "002b 0007 06 1a1a 0304 0303"

// Of what a hello offers; the last eight stay valid.
static inline const char *ja3(const struct tls_hello *hello)
{
    static char texts[8][JA3_TEXT_BYTES];
    static unsigned next;
    char *into = texts[next++ % 8];
    tls_ja3(hello->offer, into);
    return into;
}

static inline const char *ja4(const struct tls_hello *hello)
{
    static char texts[8][JA4_TEXT_BYTES];
    static unsigned next;
    char *into = texts[next++ % 8];
    tls_ja4(hello->offer, into);
    return into;
}

struct message {
    uint8_t bytes[WIRE_BYTES];
    size_t length;
};

static inline void add(struct message *message, const char *hex)
{
    struct packet bytes = wire_hex(LINK_RAW, hex);
    cr_assert_leq(message->length + bytes.captured, sizeof message->bytes);
    memcpy(message->bytes + message->length, bytes.bytes, bytes.captured);
    message->length += bytes.captured;
}

static inline void set_length(struct message *message, size_t at, size_t bytes, size_t length)
{
    for (size_t i = 0; i < bytes; i++)
        message->bytes[at + i] = (uint8_t)(length >> 8 * (bytes - 1 - i));
}

// A ClientHello of these ciphers and extensions, both in hex; extensions NULL: without the block.
static inline struct message hello(const char *version, const char *ciphers, const char *extensions)
{
    struct message made = {.length = 0};
    add(&made, "01 000000");
    add(&made, version);
    add(&made, RANDOM "00 0000");
    size_t list = made.length;
    add(&made, ciphers);
    set_length(&made, list - 2, 2, made.length - list);
    add(&made, "01 00");
    if (extensions != NULL) {
        add(&made, "0000");
        size_t block = made.length;
        add(&made, extensions);
        set_length(&made, block - 2, 2, made.length - block);
    }
    set_length(&made, 1, 3, made.length - 4);
    return made;
}

static inline struct tls_hello parsed(const struct message *message)
{
    struct tls_hello out;
    memset(&out, 0xa5, sizeof out);
    cr_assert(tls_hello_parse(message->bytes, message->length, 't', &out));
    return out;
}
