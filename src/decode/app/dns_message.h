// How well bytes fit the DNS message format: what the content detection decides on. Used by the DNS
// files of this folder only. Pure.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decode/app/dns.h"

enum { DNS_HEADER_BYTES = 12 };

enum dns_fit {
    DNS_FIT_NONE,    // no header, or a contradiction
    DNS_FIT_CUT,     // the bytes end before the counted records do
    DNS_FIT_TRAILER, // a whole message, and bytes behind it
    DNS_FIT_EXACT,
};

// Reads as much as there is into `out`, which is filled unless the fit is NONE. `utf8`: names may be UTF-8, as those
// of mDNS.
enum dns_fit dns_read(const uint8_t *bytes, size_t length, bool utf8, struct dns_message *out);
// The header and the first question alone. False: the question is broken, `out` has the header.
bool dns_read_front(const uint8_t *bytes, size_t length, bool utf8, struct dns_message *out);
