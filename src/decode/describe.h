// For describe functions: each takes the next bytes of a header off the cursor, adds a field for them
// and returns the number. When too few are left nothing is added and 0 is returned; the cursor has
// failed then, so a describe function may simply read on to its end.
#pragma once

#include "base/cursor.h"
#include "decode/fields.h"
#include "decode/packet.h"

enum { FIELD_TOP = 1, FIELD_INNER = 2 }; // depths

// The layer itself: name and header length; the first thing a describe function adds.
void describe_layer(struct fields *fields, const char *name, const struct cursor *layer, size_t length);

uint64_t describe_number(struct fields *fields, const char *name, struct cursor *cursor, size_t length);
uint64_t describe_hex(struct fields *fields, const char *name, struct cursor *cursor, size_t length);
// A number with its name in front, for those that have one: "IPv4 (0x0800)".
uint64_t describe_hex_named(struct fields *fields, const char *name, struct cursor *cursor, size_t length,
                            const char *(*name_of)(uint64_t number));
uint64_t describe_number_named(struct fields *fields, const char *name, struct cursor *cursor, size_t length,
                               const char *(*name_of)(uint64_t number));
void describe_mac(struct fields *fields, const char *name, struct cursor *cursor);
void describe_ipv4_address(struct fields *fields, const char *name, struct cursor *cursor);
void describe_ipv6_address(struct fields *fields, const char *name, struct cursor *cursor);
// Bytes that are shown by their count: options, addresses of other kinds.
void describe_bytes(struct fields *fields, const char *name, struct cursor *cursor, size_t length);

const char *ether_type_name(uint64_t ether_type); // NULL when it has none
const char *ip_protocol_title(uint64_t protocol); // as ip_protocol_name()
