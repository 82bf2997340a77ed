// A packet for people: one line, a tree of layers and fields, a hex dump. The same tree serves the
// command line, the API and the dashboard. Pure; any thread; all text is safe for terminals.
#pragma once

#include "base/strbuf.h"
#include "decode/packet.h"

// One node of the tree. Depth 0 is a layer, 1 its fields, 2 what is inside a field.
struct field {
    uint8_t depth;
    uint32_t offset, length; // the bytes it stands for, from packet->bytes
    uint32_t name, value;    // offsets into `text`, each terminated
};

enum { FIELDS_MAXIMUM = 512 };

// Owned by the caller, reused between packets.
struct fields {
    const uint8_t *base; // packet->bytes
    unsigned count;
    struct field items[FIELDS_MAXIMUM];
    struct strbuf text;
};

void fields_init(struct fields *fields);
void fields_done(struct fields *fields);

// For describe functions: `at`..`at+length` are the bytes of the field, inside the packet.
void fields_layer(struct fields *fields, const char *name, const uint8_t *at, size_t length);
void fields_add(struct fields *fields, unsigned depth, const char *name, const uint8_t *at, size_t length,
                const char *format, ...) __attribute__((format(printf, 6, 7)));

// Fills `fields` with the whole tree of a packet (application layer included).
void fields_of_packet(struct fields *fields, const struct packet *packet);
const char *field_name(const struct fields *fields, const struct field *field);
const char *field_value(const struct fields *fields, const struct field *field);

// index, UTC time with microseconds, interface name, VLANs, addresses, ports, flags, DNS or TLS summary,
// payload length; no newline.
void packet_add_line(struct strbuf *into, const struct packet *packet, const char *interface_name);
// The tree as indented text, a line a field, with newlines.
void packet_add_detail(struct strbuf *into, const struct packet *packet, struct fields *scratch);
// Offset, 16 bytes in hex, ASCII; with newlines.
void packet_add_hex(struct strbuf *into, const uint8_t *bytes, size_t length);
