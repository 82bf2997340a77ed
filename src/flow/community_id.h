// Community ID version 1 (Corelight's open specification): one short text for a flow that other tools
// compute equally, and its view of ICMP as something with ports. Pure; any thread. The text costs a
// SHA-1 (0.3 microseconds): for records that leave, not for packets.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "net/address.h"

struct flow_record;

enum { COMMUNITY_ID_TEXT_BYTES = 32, COMMUNITY_ID_DIGEST_BYTES = 20 };

// The ports that an ICMP or ICMPv6 message has for Community ID and for the flow key. A type with a
// counterpart (echo and echo reply) gets its own and the counterpart's number, so that both directions
// meet in one flow. Any other gets type and code and is one-way: its endpoints are never swapped.
// `protocol` is IP_PROTOCOL_ICMP or IP_PROTOCOL_ICMPV6.
void icmp_ports(uint8_t protocol, uint8_t type, uint8_t code, uint16_t *source_port, uint16_t *target_port,
                bool *one_way);

// "1:LQU9qZlK+B5F3KDmev6m5PMibrg=", terminated. ICMP endpoints carry what icmp_ports() gave. Unless
// `one_way`, source and target may come in either order. Protocols other than TCP, UDP, SCTP and ICMP
// ignore the ports. False (and an empty text) when the addresses are none or of different versions.
bool community_id(const struct endpoint *source, const struct endpoint *target, uint8_t protocol,
                  bool one_way, uint16_t seed, char into[COMMUNITY_ID_TEXT_BYTES]);

// The same of a flow as flows are known, with seed 0: the client first, by whose type ICMP is one-way or not.
bool community_id_of(const struct endpoint *client, const struct endpoint *server, uint8_t protocol,
                     char into[COMMUNITY_ID_TEXT_BYTES]);

// What the text of a record's, version 1 and seed 0, encodes.
bool flow_community_digest(const struct flow_record *record, uint8_t into[COMMUNITY_ID_DIGEST_BYTES]);
// The digest that a text encodes; false when it is none of version 1.
bool community_id_decode(const char *text, uint8_t into[COMMUNITY_ID_DIGEST_BYTES]);
