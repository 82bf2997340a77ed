// The headers between IP and its transport: IPv6 extension headers (RFC 8200), and AH (RFC 4302) under
// either version. For the IP decoders only.
#pragma once

#include "decode/decoders.h"

enum { IP_EXTENSIONS_MAXIMUM = 12 };

// Walks from header `protocol` at the cursor to the transport, whose number goes to packet->ip_protocol;
// notes a fragment header. False when what follows cannot be read as a transport: a later fragment, a
// cut or contradictory header (recorded), or a chain beyond the maximum (recorded).
bool ip_extensions_skip(struct decoding *decoding, struct packet *packet, uint8_t protocol);

// One line a header.
void ip_extensions_describe(struct cursor *cursor, uint8_t protocol, struct fields *fields);
