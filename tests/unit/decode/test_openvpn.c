#include "decode/app/openvpn.h"

#include <stdlib.h>

#include "wire.h"

// The hello of "769,47,,,", whose MD5 is its JA3: 50 bytes in two parts.
#define HELLO_FRONT "16 0301 002d 01 000029 0301 000102030405060708090a0b0c0d0e0f101112131415"
#define HELLO_REST  "161718191a1b1c1d1e1f 00 0002 002f 01 00"
#define JA3         "b02be259814e870a469a20ce9b2a7900"

#define CONTROL     "20"
#define ACKNOWLEDGE "28"
#define CLIENT      "507a28a78275788d"
#define SERVER      "9ad747beb24d8a1b"
#define REPLAY      "00000003 50ff20fd" // packet id and time
#define HMAC_20     "000102030405060708090a0b0c0d0e0f10111213"
#define HMAC_16     "000102030405060708090a0b0c0d0e0f"
#define HMAC_64     HMAC_16 HMAC_16 HMAC_16 HMAC_16
#define WHOLE       CONTROL CLIENT "00 00000001" HELLO_FRONT HELLO_REST

struct told {
    bool found;
    struct tls_hello hello;
    char ja3[JA3_TEXT_BYTES];
};

static struct told told_of(uint8_t protocol, const char *hex)
{
    struct told told = {.found = false};
    struct packet packet = wire_hex(LINK_RAW, hex);
    packet.ip_protocol = protocol;
    packet.has_transport = true;
    packet.payload_offset = 0;
    packet.payload_captured = packet.payload_length = packet.captured;
    told.found = tls_hello_of_packet(&packet, &told.hello);
    if (told.found)
        tls_ja3(told.hello.offer, told.ja3);
    return told;
}

static void expect_hello(uint8_t protocol, const char *hex)
{
    struct told told = told_of(protocol, hex);
    cr_assert(told.found, "%s", hex);
    cr_expect(told.hello.complete);
    cr_expect_str_eq(told.ja3, JA3, "%s", hex);
    cr_expect_eq(told.hello.sni_status, SNI_ABSENT);
}

static void expect_none(uint8_t protocol, const char *hex, const char *why)
{
    cr_expect_not(told_of(protocol, hex).found, "%s", why);
}

Test(openvpn, reads_a_hello_in_a_datagram)
{
    expect_hello(IP_PROTOCOL_UDP, WHOLE);
    expect_hello(IP_PROTOCOL_UDP, "25" CLIENT "00 00000001" HELLO_FRONT HELLO_REST); // another key id
    expect_hello(IP_PROTOCOL_UDP,
                 CONTROL CLIENT "02 00000000 00000001" SERVER "00000001" HELLO_FRONT HELLO_REST);
}

Test(openvpn, reads_behind_an_hmac_of_any_digest)
{
    static const char *const hmacs[] = {
        HMAC_16, HMAC_20, HMAC_20 "0011223344556677", HMAC_16 HMAC_16, HMAC_16 HMAC_16 HMAC_16, HMAC_64};
    for (size_t i = 0; i < sizeof hmacs / sizeof hmacs[0]; i++) {
        char hex[512];
        snprintf(hex, sizeof hex, CONTROL CLIENT "%s" REPLAY "00 00000001" HELLO_FRONT HELLO_REST, hmacs[i]);
        expect_hello(IP_PROTOCOL_UDP, hex);
        snprintf(hex, sizeof hex,
                 CONTROL CLIENT "%s" REPLAY "01 00000000" SERVER "00000001" HELLO_FRONT HELLO_REST, hmacs[i]);
        expect_hello(IP_PROTOCOL_UDP, hex);
    }
}

// Over TCP packets stand behind their lengths, several in a segment.
Test(openvpn, reads_a_hello_of_several_packets)
{
    expect_hello(IP_PROTOCOL_TCP, "0040" WHOLE);
    expect_hello(IP_PROTOCOL_TCP, "002f" CONTROL CLIENT "00 00000001" HELLO_FRONT "001f" CONTROL CLIENT
                                  "00 00000002" HELLO_REST);
    expect_hello(IP_PROTOCOL_TCP, "0016" ACKNOWLEDGE CLIENT "01 00000000" SERVER "002f" CONTROL CLIENT
                                  "00 00000001" HELLO_FRONT "0016" ACKNOWLEDGE CLIENT "01 00000001" SERVER
                                  "002b" CONTROL CLIENT "01 00000001" SERVER "00000002" HELLO_REST);
    expect_hello(IP_PROTOCOL_TCP, "002f" CONTROL CLIENT "00 00000001" HELLO_FRONT "002f" CONTROL CLIENT
                                  "00 00000001" HELLO_FRONT "001f" CONTROL CLIENT "00 00000002" HELLO_REST);
    expect_hello(IP_PROTOCOL_TCP, "004b" CONTROL CLIENT HMAC_20 REPLAY "00 00000001" HELLO_FRONT
                                  "003b" CONTROL CLIENT HMAC_20 REPLAY "00 00000002" HELLO_REST);
}

// What is not at hand, out of order or another session's ends it: no fingerprint of half a hello.
Test(openvpn, tells_a_hello_as_far_as_it_goes)
{
    static const char *const halves[] = {
        "002f" CONTROL CLIENT "00 00000001" HELLO_FRONT,
        "002f" CONTROL CLIENT "00 00000001" HELLO_FRONT "001f" CONTROL CLIENT "00 00000003" HELLO_REST,
        "002f" CONTROL CLIENT "00 00000001" HELLO_FRONT "001f" CONTROL SERVER "00 00000002" HELLO_REST,
        "002f" CONTROL CLIENT "00 00000001" HELLO_FRONT "001f 48" CLIENT "00 00000002" HELLO_REST,
    };
    static const enum tls_extent extents[] = {TLS_EXTENT_PART, TLS_EXTENT_WHOLE, TLS_EXTENT_WHOLE,
                                              TLS_EXTENT_WHOLE};
    for (size_t i = 0; i < sizeof halves / sizeof halves[0]; i++) {
        struct told told = told_of(IP_PROTOCOL_TCP, halves[i]);
        cr_assert(told.found, "%zu", i);
        cr_expect_not(told.hello.complete);
        cr_expect_eq(told.hello.sni_status, SNI_TRUNCATED);
        cr_expect_str_empty(told.ja3);
        struct packet bytes = wire_hex(LINK_RAW, halves[i]);
        cr_expect_eq(tls_hello_extent(bytes.bytes, bytes.captured), extents[i], "%zu", i);
    }
    struct told told = told_of(IP_PROTOCOL_UDP, CONTROL CLIENT "00 00000001" HELLO_FRONT);
    cr_assert(told.found);
    cr_expect_eq(told.hello.sni_status, SNI_TRUNCATED);
}

Test(openvpn, is_none_of_anything_else)
{
    expect_none(IP_PROTOCOL_UDP, "38" CLIENT "00 00000001" HELLO_FRONT HELLO_REST, "a reset");
    expect_none(IP_PROTOCOL_UDP, CONTROL CLIENT "00 00000002" HELLO_FRONT HELLO_REST,
                "not the first message");
    expect_none(IP_PROTOCOL_UDP, CONTROL CLIENT "09 00000001" HELLO_FRONT HELLO_REST,
                "too many acknowledged");
    expect_none(IP_PROTOCOL_UDP, CONTROL CLIENT "00 00000001 16 0301 003a 02 000036 0303",
                "a server's hello");
    expect_none(IP_PROTOCOL_UDP, CONTROL CLIENT "00 00000001 14 0301 0001 01 16", "a change of ciphers");
    expect_none(IP_PROTOCOL_UDP, CONTROL HMAC_64 HMAC_64, "encrypted");
    expect_none(IP_PROTOCOL_UDP, CONTROL, "nothing else");
    expect_none(IP_PROTOCOL_TCP, WHOLE, "without its length");
    expect_none(IP_PROTOCOL_TCP, "1040" WHOLE, "longer than packets are");
    expect_none(IP_PROTOCOL_TCP, "0016" ACKNOWLEDGE CLIENT "01 00000000" SERVER, "no data");
    expect_none(IP_PROTOCOL_SCTP, WHOLE, "another transport");
}

// Longer than a hello is read, and never more than so many packets.
Test(openvpn, bounds_what_it_reads)
{
    enum { PACKETS = 80, TLS = 100, PACKET = 2 + 14 + TLS };
    static uint8_t stream[PACKETS * PACKET];
    for (unsigned i = 0; i < PACKETS; i++) {
        uint8_t *at = stream + (size_t)i * PACKET;
        at[1] = PACKET - 2;
        at[2] = 0x20;
        at[15] = (uint8_t)(i + 1);
        memset(at + 16, 0, TLS);
    }
    struct packet front = wire_hex(LINK_RAW, "16 0301 3ffc 01 003ff8 0303");
    memcpy(stream + 16, front.bytes, front.captured);
    cr_expect_eq(tls_hello_extent(stream, 40 * PACKET), TLS_EXTENT_PART);
    cr_expect_eq(tls_hello_extent(stream, 41 * PACKET), TLS_EXTENT_WHOLE, "4096 bytes are at hand");
    struct tls_hello hello;
    cr_assert(tls_hello_of_stream(stream, sizeof stream, &hello));
    cr_expect_not(hello.complete);
    for (unsigned i = 1; i < PACKETS; i++)
        stream[(size_t)i * PACKET + 15] = 1; // sent again and again
    cr_expect_eq(tls_hello_extent(stream, 64 * PACKET), TLS_EXTENT_PART);
    cr_expect_eq(tls_hello_extent(stream, 67 * PACKET), TLS_EXTENT_WHOLE);
}

// Cut anywhere, it never reads past the end: the address sanitizer watches.
Test(openvpn, survives_every_cut)
{
    struct packet whole = wire_hex(LINK_RAW, "002f" CONTROL CLIENT "00 00000001" HELLO_FRONT
                                             "001f" CONTROL CLIENT "00 00000002" HELLO_REST);
    enum { HEADERS = 2 + 14 };
    for (size_t length = 1; length <= whole.captured; length++) {
        struct tls_hello hello;
        uint8_t *bytes = malloc(length);
        cr_assert_not_null(bytes);
        memcpy(bytes, whole.bytes, length);
        bool found = tls_hello_of_stream(bytes, length, &hello);
        cr_expect_eq(found, length >= HEADERS + 5 + 6, "%zu", length);
        cr_expect(!found || hello.complete == (length == whole.captured), "%zu", length);
        cr_expect_eq(tls_hello_extent(bytes, length),
                     length == whole.captured ? TLS_EXTENT_WHOLE
                     : length >= HEADERS + 6  ? TLS_EXTENT_PART
                                              : TLS_EXTENT_NONE,
                     "%zu", length);
        free(bytes);
    }
}
