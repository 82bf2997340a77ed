// DNS messages (RFC 1035, EDNS RFC 6891, mDNS RFC 6762) over UDP and TCP, found by content on any
// port. Pure, bounded (compression pointers may only go back and are counted), no allocation.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decode/packet.h"

enum { DNS_NAME_BYTES = 256, DNS_ANSWERS = 16 };

// A name as dotted text: labels' bytes as they came, dots and backslashes in labels escaped with a
// backslash as in RFC 4343, other non-printable bytes as \DDD; "." for the root; empty when the bytes
// ended before the name did. Terminated. A text that does not fit, which takes many escapes, is cut
// behind a whole character.
struct dns_name {
    uint8_t length;
    char text[DNS_NAME_BYTES];
};

struct dns_answer {
    uint16_t type;
    uint32_t ttl_seconds;
    struct address address; // A, AAAA; version 0 otherwise
};

struct dns_message {
    uint16_t id;
    bool response, authoritative, truncated, recursion_desired, recursion_available;
    uint8_t opcode;
    uint16_t rcode;                                        // with the EDNS extension
    uint16_t questions, answers, authorities, additionals; // as the header claims
    struct dns_name name; // of the first question; of the first answer when there is none (mDNS)
    uint16_t type, class; // of it
    bool edns;
    unsigned addresses;                    // answers kept below, of any type
    struct dns_answer answer[DNS_ANSWERS]; // the first ones of the answer section
};

// Parses one message (without TCP's length prefix). False: no DNS or contradictory; `out` undefined.
// `complete` says that all bytes of the message are at hand; of a message cut short (by the snaplen, or
// by its server, which sets TC) keeps what could be read. Bytes behind the message are ignored.
bool dns_parse(const uint8_t *bytes, size_t length, bool complete, struct dns_message *out);

// Whether this UDP or TCP payload is DNS: on port 53, 5353 or 5355 when it parses, on other ports only
// when the header is usual and every section parses to the exact end. TCP: the segment must begin with
// a message's length; of several messages the first is read. Fills `out` when *found. Returns
// DECODE_OK; for a datagram on those three ports that is not DNS DECODE_BAD_MESSAGE, or
// DECODE_TRUNCATED when not even the header was captured. Costs a few compares when it is not DNS.
enum decode_reason dns_of_packet(const struct packet *packet, struct dns_message *out, bool *found);

const char *dns_type_name(uint16_t type, char into[12]);   // "A", "AAAA", "TYPE65280"
const char *dns_rcode_name(uint16_t rcode, char into[12]); // "NOERROR", "NXDOMAIN", "RCODE99"
