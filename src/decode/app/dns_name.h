// Names inside a DNS message (RFC 1035 sections 3.1 and 4.1.4). Used by the DNS parser only. Pure; a
// name costs at most 255 bytes of labels and 128 compression pointers, which may only go back.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/cursor.h"
#include "decode/app/dns.h"

// Both take the name at the cursor and leave the cursor behind it; `message` is the first byte of the
// message. False with cursor->failed: the bytes ended first. False without: no name can be like that.
// `utf8` keeps UTF-8 as it is.
bool dns_name_read(struct cursor *cursor, const uint8_t *message, bool utf8, struct dns_name *name);
bool dns_name_skip(struct cursor *cursor, const uint8_t *message);
