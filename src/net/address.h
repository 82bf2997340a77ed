// Addresses, endpoints and prefixes: parse and format. Value types; pure; any thread.
// Text of IPv6 follows RFC 5952; an endpoint is "10.0.0.1:443" or "[2001:db8::1]:443".
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct strbuf;

// Bytes are in network order; an IPv4 address uses the first four, the other twelve are zero.
struct address {
    uint8_t bytes[16];
    uint8_t version; // 4, 6, or 0 = none
};

struct endpoint {
    struct address address;
    uint16_t port;
};

struct prefix {
    struct address address; // host bits are zero
    uint8_t bits;
};

enum { ADDRESS_TEXT_BYTES = 46, ENDPOINT_TEXT_BYTES = 54 };

static inline struct address address_v4(const uint8_t bytes[4])
{
    struct address address = {.version = 4};
    memcpy(address.bytes, bytes, 4);
    return address;
}

static inline struct address address_v6(const uint8_t bytes[16])
{
    struct address address = {.version = 6};
    memcpy(address.bytes, bytes, 16);
    return address;
}

// Orders by version, then bytes: <0, 0, >0.
int address_compare(const struct address *left, const struct address *right);
bool address_is_multicast(const struct address *address);
bool address_is_broadcast(const struct address *address); // 255.255.255.255
// Whether it has no meaning beyond the network it is used on: multicast, broadcast, link-local, loopback, and the
// unspecified address (RFC 1122 section 3.2.1.3, RFC 3927, RFC 5771, RFC 4291 sections 2.5 and 2.7).
bool address_stays_inside(const struct address *address);

bool address_parse(const char *text, struct address *out);
// "10.0.0.0/8", "2001:db8::/32", or a single address; host bits must be zero.
bool prefix_parse(const char *text, struct prefix *out);
bool prefix_contains(const struct prefix *prefix, const struct address *address);
// An IPv4 address where it is one in IPv6 (::ffff:10.0.0.1), else itself.
struct address address_plain(const struct address *address);
bool address_is_loopback(const struct address *address); // 127.0.0.0/8, ::1
// The network of `bits` that the address lies in: its host bits are zero. `bits` are no more than the address has.
struct address address_network(const struct address *address, uint8_t bits);

// These write a terminated text ("-" for version 0) and return `into`.
char *address_format(const struct address *address, char into[ADDRESS_TEXT_BYTES]);
char *endpoint_format(const struct endpoint *endpoint, char into[ENDPOINT_TEXT_BYTES]);
void address_add(struct strbuf *into, const struct address *address);
