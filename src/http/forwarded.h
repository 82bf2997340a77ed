// What proxies in front say of a request that they passed on: X-Forwarded-For, -Proto and -Host, or Forwarded (RFC 7239). It
// counts only as far as web.trusted_proxies vouch for it; what anybody else says is not looked at. Pure.
//
// A proxy that sets one kind of header may pass the other on as its client wrote it: with both there none counts.
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "net/address.h"

struct string_list;

struct proxies {
    struct prefix *prefixes;
    unsigned count;
};

// False with a sentence that names the entry.
bool proxies_parse(const struct string_list *list, struct proxies *out, struct error *error);
void proxies_done(struct proxies *proxies); // safe on zeros

// The headers' values, those of several lines joined by commas; NULL = there is none.
struct forwarded_headers {
    const char *x_for, *x_proto, *x_host, *forwarded;
};

enum { FORWARDED_HOST_BYTES = 256 };

struct forwarded {
    struct address from; // where the request came from; version 0 = no proxy that we trust names it
    bool secure;         // it was made by TLS
    char host[FORWARDED_HOST_BYTES]; // the Host that was asked for; "" = as the request has it
};

// `into` comes in with what the connection itself says, and is changed where the address of its peer is a trusted one.
void forwarded_read(const struct forwarded_headers *headers, const struct proxies *proxies,
                    struct forwarded *into);
