// The TLS ClientHello in OpenVPN's control channel (openvpn.net, "OpenVPN protocol"), over UDP and TCP, on any port.
// A packet is an opcode and a key id in one byte, the sender's session id, with tls-auth an HMAC with a packet id and a
// time, the message ids that it acknowledges (with the other side's session id when there are any), a message id of its
// own and bytes of TLS; over TCP each stands behind its length. The hello is that of message 1 and of those behind it, as
// message 0 is the reset that opens the session. What tls-crypt encrypts says nothing. Used by the TLS files of this
// folder. Pure, bounded, no allocation; what is none costs a compare or two.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decode/app/tls.h"

// A longer hello is read as far as that.
enum { OPENVPN_HELLO_BYTES_MAX = 4096 };

// Of the opcode's byte: control data, or an acknowledgement, which may stand before it.
static inline bool openvpn_is_opcode(uint8_t byte)
{
    return (byte & 0xf0) == 0x20;
}

// Whether a stream may begin with a packet's length and one of those: what is asked before all else.
static inline bool openvpn_may_begin(const uint8_t *bytes, size_t length)
{
    return length > 2 && bytes[0] < 0x10 && openvpn_is_opcode(bytes[2]);
}

// As tls_hello_extent() and tls_hello_of_stream(), of a TCP stream whose front is a packet.
enum tls_extent openvpn_hello_extent(const uint8_t *bytes, size_t length);
bool openvpn_hello_of_stream(const uint8_t *bytes, size_t length, struct tls_hello *out);

// Of a datagram, which is one packet: a hello that takes several is told as far as it goes.
bool openvpn_hello_of_datagram(const uint8_t *bytes, size_t length, struct tls_hello *out);
