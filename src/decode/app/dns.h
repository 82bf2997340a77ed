// DNS messages (RFC 1035, EDNS RFC 6891, mDNS RFC 6762) over UDP and TCP, found by content on any
// port. Pure, bounded (compression pointers may only go back and are counted), no allocation.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decode/packet.h"

enum { DNS_NAME_BYTES = 256, DNS_ANSWERS = 16 };

// A name as dotted text: labels' bytes as they came, dots and backslashes in labels escaped with a
// backslash as in RFC 4343, other non-printable bytes as \DDD (UTF-8 of mDNS stays, RFC 6762 16); "." for the root;
// empty when the bytes ended before the name did. Terminated. A text that does not fit, which takes many escapes, is
// cut behind a whole character.
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
    bool
        damaged; // contradicts itself behind what is told here: no answers, the code of the header alone, and where
                 // the first question is broken neither name nor type
    bool utf8;                             // names were read as mDNS has them
    unsigned addresses;                    // answers kept below, of any type
    struct dns_answer answer[DNS_ANSWERS]; // the first ones of the answer section
};

// Parses one message (without TCP's length prefix). False: no DNS or contradictory; `out` undefined.
// `complete` says that all bytes of the message are at hand; of a message cut short (by the snaplen, or
// by its server, which sets TC) keeps what could be read. Bytes behind the message are ignored.
bool dns_parse(const uint8_t *bytes, size_t length, bool complete, struct dns_message *out);

// Whether this UDP or TCP payload is DNS: on port 53, 5353 or 5355 when it parses, or when it is damaged but its first
// question is a usual one (a datagram's may be broken where the header is beyond doubt); on other ports only when the
// header is usual and every section parses to the exact end. TCP: the segment must begin with a message's length; of
// several messages the first is read. Fills `out` when *found. Returns DECODE_OK; for a message that is damaged, and for
// a datagram on those three ports that is not DNS, DECODE_BAD_MESSAGE, or DECODE_TRUNCATED when not even the header was
// captured. Costs a few compares when it is not DNS.
enum decode_reason dns_of_packet(const struct packet *packet, struct dns_message *out, bool *found);

// Messages on a TCP stream, each behind its length (RFC 1035 4.2.2, RFC 7766 8). What the first of the bytes are:
enum dns_step {
    DNS_STEP_NONE,    // no DNS: the rest is not looked at
    DNS_STEP_MESSAGE, // a message, in `out` (it may be damaged); *taken bytes are its own
    DNS_STEP_SKIP,    // a message's place, *taken bytes, but it could not be read
    DNS_STEP_PART,    // they may be the beginning of one: more are needed
};

// On a port that promises DNS. `at_hand` bytes, of which there is a message of which not all are at hand that can still
// be read: PART unless `last`, which says that no more will come.
enum dns_step dns_of_stream(const uint8_t *bytes, size_t at_hand, bool last, struct dns_message *out,
                            size_t *taken);
// On any other: `bytes` are a whole segment (or what is left of one behind messages); never PART.
enum dns_step dns_of_other_stream(const uint8_t *bytes, size_t length, struct dns_message *out,
                                  size_t *taken);

// Whether it may be other than NONE: what is asked before all else.
static inline bool dns_may_be_other_stream(const uint8_t *bytes, size_t length)
{
    return length > 2 && 2u + ((unsigned)bytes[0] << 8 | bytes[1]) <= length;
}

// Whether one of the packet's ports is that of DNS, mDNS or LLMNR.
bool dns_is_on_port(const struct packet *packet);

const char *dns_type_name(uint16_t type, char into[12]);   // "A", "AAAA", "TYPE65280"
const char *dns_rcode_name(uint16_t rcode, char into[12]); // "NOERROR", "NXDOMAIN", "RCODE99"
