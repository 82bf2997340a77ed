#include "hellos.h"

static struct tls_hello of_capture(const char *name, unsigned number)
{
    struct packet packet = wire_decode_capture(name, number);
    struct tls_hello out;
    cr_assert(tls_hello_of_packet(&packet, &out), "%s frame %u", name, number);
    return out;
}

static void expect(const struct tls_hello *hello, const char *sni, enum sni_status status,
                   const char *expected_ja3, const char *expected_ja4)
{
    cr_expect(hello->complete);
    cr_expect_str_eq(hello->sni, sni);
    cr_expect_eq(hello->sni_length, strlen(sni));
    cr_expect_str_eq(sni_status_name(hello->sni_status), sni_status_name(status));
    cr_expect_str_eq(ja3(hello), expected_ja3);
    cr_expect_str_eq(ja4(hello), expected_ja4);
}

// JA3 and SNI as tshark has them.
Test(tls, reads_real_hellos)
{
    struct tls_hello hello = of_capture("pppoe-qinq.pcap", 4);
    expect(&hello, "xp.apple.com", SNI_COMPLETE, "92306a1faec06f00b17da7dd2a607d69",
           "t12d2011h2_2a284e3b0c56_8c799273bd37");
    cr_expect_str_eq(hello.alpn, "h2,h2-16,h2-15,h2-14,spdy/3.1,spdy/3,http/1.1");
    hello = of_capture("sll-starttls.pcap", 8);
    expect(&hello, "", SNI_ABSENT, "c369db2c355ad05c76f5660af3179b01",
           "t12i910500_383454ac02f4_a1e935682795");
    cr_expect_str_empty(hello.alpn);
    cr_expect_eq(hello.version, 0x0303);
}

// The name is the outer one, if there is an inner one: by design nobody can tell.
Test(tls, tells_that_an_encrypted_hello_was_offered)
{
    struct tls_hello hello = of_capture("tls13-ech.pcap", 7);
    expect(&hello, "cloudflare-ech.com", SNI_COMPLETE, "2fcbf8655473005933c5869b2b5d8044",
           "t13d1517h2_8daaf6152771_b1ff8ab2d16f");
    cr_expect(hello.ech_offered);
    cr_expect_eq(hello.legacy_version, 0x0303);
    cr_expect_eq(hello.version, 0x0304);
}

// Frame 716 answers a HelloRetryRequest: its segment begins with a change cipher spec.
Test(tls, reads_the_second_hello_of_a_connection)
{
    struct tls_hello first = of_capture("browsing.pcap", 712), second = of_capture("browsing.pcap", 716);
    expect(&first, "default.exp-tas.com", SNI_COMPLETE, "1a28e69016765d92e3b381168d68922c",
           "t13d5911h1_a33745022dd6_1f22a2ca17c4");
    expect(&second, first.sni, SNI_COMPLETE, ja3(&first), ja4(&first));
}

// The worked example of JA4's public description, with GREASE added in every list.
Test(tls, gives_the_fingerprint_of_the_description)
{
    struct message message =
        hello("0303", "2a2a 1301 1302 1303 c02b c02f c02c c030 cca9 cca8 c013 c014 009c 009d 002f 0035",
              "3a3a 0000 001b 0000" SERVER_NAME "0033 0000" ALPN_H2 "4469 0000 0017 0000 002d 0000" SIGNATURES
              "0005 0000 0023 0000 0012 0000" VERSIONS "ff01 0000 000b 0000 000a 0000 0015 0000 eaea 0000");
    struct tls_hello out = parsed(&message);
    cr_expect_str_eq(ja4(&out), "t13d1516h2_8daaf6152771_e5627efa2ab1");
    cr_expect_str_eq(out.sni, "example.com");
}

// md5 of "769,47-53,0-10-11,23-24,0".
Test(tls, gives_ja3_without_grease)
{
    struct message message = hello("0301", "0a0a 002f 0035 fafa",
                                   "1a1a 0000" SERVER_NAME "000a 0008 0006 0a0a 0017 0018 000b 0002 01 00");
    struct tls_hello out = parsed(&message);
    cr_expect_str_eq(ja3(&out), "4505c7da2406849a847f2066c46b58e5");
}

// md5 of "769,47,,,"; JA4 says zeros where there is nothing to hash.
Test(tls, reads_a_hello_without_extensions)
{
    struct message message = hello("0301", "002f", NULL);
    struct tls_hello out = parsed(&message);
    cr_expect_str_eq(ja3(&out), "b02be259814e870a469a20ce9b2a7900");
    cr_expect_str_eq(ja4(&out), "t10i010000_ba72b8082249_000000000000");
    message = hello("0301", "1a1a", "");
    out = parsed(&message);
    cr_expect_str_eq(ja4(&out), "t10i000000_000000000000_000000000000");
}

static void expect_ja4_protocol(const char *alpn, const char *expected)
{
    char extensions[64];
    snprintf(extensions, sizeof extensions, "0010%s", alpn);
    struct message message = hello("0303", "002f", extensions);
    struct tls_hello out = parsed(&message);
    char protocol[3] = {ja4(&out)[8], ja4(&out)[9], '\0'};
    cr_expect_str_eq(protocol, expected, "%s gives %s, not %s", alpn, protocol, expected);
}

// The description's cases.
Test(tls, shortens_the_first_protocol)
{
    expect_ja4_protocol("000b 0009 08 687474702f312e31", "h1");
    expect_ja4_protocol("0004 0002 01 68", "hh");
    expect_ja4_protocol("0004 0002 01 ab", "ab");
    expect_ja4_protocol("0005 0003 02 abcd", "ad");
    expect_ja4_protocol("0005 0003 02 30ab", "3b");
    expect_ja4_protocol("0007 0005 04 3031abcd", "3d");
    expect_ja4_protocol("0007 0005 04 30abcd31", "01");
    expect_ja4_protocol("0002 0000", "00");
    expect_ja4_protocol("0003 0001 00", "00");
    expect_ja4_protocol("0008 0006 02 3a3a 02 6832", "h2"); // GREASE first
}

Test(tls, shows_at_most_99)
{
    char ciphers[1024] = "";
    for (unsigned i = 0; i < 150; i++)
        snprintf(ciphers + strlen(ciphers), 5, "%04x", 0xc000 + i);
    struct message message = hello("0303", ciphers, "");
    struct tls_hello out = parsed(&message);
    cr_expect_eq(strncmp(ja4(&out), "t12i990000_", 11), 0, "%s", ja4(&out));
}

// The order of ciphers and extensions matters to JA3 only.
Test(tls, sorts_for_ja4)
{
    struct message one = hello("0303", "0035 002f c02b", SERVER_NAME "0017 0000 ff01 0000 0005 0000");
    struct message other = hello("0303", "c02b 0035 002f", "ff01 0000 0005 0000" SERVER_NAME "0017 0000");
    struct tls_hello first = parsed(&one), second = parsed(&other);
    cr_expect_str_eq(ja4(&first), ja4(&second));
    cr_expect_str_neq(ja3(&first), ja3(&second));
}

Test(tls, reads_dtls_and_quic_hellos)
{
    struct message message = {.length = 0};
    struct tls_hello out;
    add(&message,
        "01 000037 0000 000000 000037 fefd" RANDOM "00 04 01020304 0002 c02b 01 00 0005 002b 0001 00");
    set_length(&message, 1, 3, message.length - 12);
    cr_assert(tls_hello_parse(message.bytes, message.length, 'd', &out));
    cr_expect_eq(strncmp(ja4(&out), "dd2i010100_", 11), 0, "%s", ja4(&out));
    cr_expect_not(tls_hello_parse(message.bytes, message.length, 't', &out));
    message = hello("0303", "1301", VERSIONS);
    cr_assert(tls_hello_parse(message.bytes, message.length, 'q', &out));
    cr_expect_eq(strncmp(ja4(&out), "q13i010100_", 11), 0, "%s", ja4(&out));
}

// A prefix of a hello is a hello without fingerprints; its name is known once it has come whole.
Test(tls, survives_every_cut)
{
    struct message message = hello("0303", "1301 1302", "0017 0000" SERVER_NAME ALPN_H2 VERSIONS);
    size_t name_end = 4 + 2 + 32 + 1 + 2 + 4 + 2 + 2 + 4 + 20;
    for (size_t length = 0; length < message.length; length++) {
        uint8_t *bytes = malloc(length > 0 ? length : 1);
        struct tls_hello out;
        cr_assert_not_null(bytes);
        memcpy(bytes, message.bytes, length);
        cr_expect_eq(tls_hello_parse(bytes, length, 't', &out), length >= 6, "%zu", length);
        if (length >= 6) {
            cr_expect(!out.complete && ja3(&out)[0] == '\0' && ja4(&out)[0] == '\0', "%zu", length);
            cr_expect_eq(out.sni_status, length < name_end ? SNI_TRUNCATED : SNI_COMPLETE, "%zu", length);
        }
        free(bytes);
    }
}

Test(tls, has_no_fingerprint_of_a_contradiction)
{
    struct message message = hello("0303", "1301", "0017 0040 00");
    struct tls_hello out = parsed(&message);
    cr_expect(!out.complete && ja3(&out)[0] == '\0');
    message = hello("0303", "1301", "");
    message.bytes[4 + 2 + 32] = 0xff; // a session id longer than the message
    cr_expect_not(tls_hello_parse(message.bytes, message.length, 't', &out));
}

Test(tls, is_none_of_other_messages)
{
    struct tls_hello out;
    struct message message = hello("0303", "1301", "");
    message.bytes[0] = 2;
    cr_expect_not(tls_hello_parse(message.bytes, message.length, 't', &out), "a ServerHello");
    message = hello("0203", "1301", "");
    cr_expect_not(tls_hello_parse(message.bytes, message.length, 't', &out), "no such version");
}

Test(tls, keeps_255_bytes_of_a_name)
{
    char extensions[1024] = "0000 0131 012f 00 012c";
    for (unsigned i = 0; i < 300; i++)
        strcat(extensions, "61");
    struct message message = hello("0303", "1301", extensions);
    struct tls_hello out = parsed(&message);
    cr_expect_eq(out.sni_length, 255);
    cr_expect_eq(strlen(out.sni), 255);
}

Test(tls, keeps_the_first_name)
{
    static const char *const repeated[] = {
        "0000 0000",                 // nothing in it
        "0000 0005 0003 01 0000",    // another kind of name
        "0000 0005 0003 00 0000",    // an empty one
        "0000 0006 0004 00 0001 62", // another one
        "0000 0006 0004 00 00ff 62", // longer than its list
    };
    for (unsigned i = 0; i < sizeof repeated / sizeof repeated[0]; i++) {
        char extensions[128];
        snprintf(extensions, sizeof extensions, "0000 0006 0004 00 0001 61 %s", repeated[i]);
        struct message message = hello("0303", "1301", extensions);
        struct tls_hello out = parsed(&message);
        cr_expect_str_eq(out.sni, "a", "%s", repeated[i]);
        cr_expect_eq(out.sni_status, SNI_COMPLETE);
    }
}

Test(tls, joins_as_many_protocols_as_fit)
{
    char extensions[1024] = "0010 008a 0088";
    for (unsigned i = 0; i < 8; i++)
        strcat(extensions, "10 61616161616161616161616161616161");
    struct message message = hello("0303", "1301", extensions);
    struct tls_hello out = parsed(&message);
    cr_expect_eq(strlen(out.alpn), 3 * 16 + 2);
}

Test(tls, hides_nothing_behind_a_nul)
{
    struct message message = hello("0303", "1301", "0000 0011 000f 00 000c 6578616d706c65002e636f6d");
    struct tls_hello out = parsed(&message);
    cr_expect_str_eq(out.sni, "example\\000.com");
}

// Drafts and private numbers are offered beside what there is.
Test(tls, tells_the_highest_version_that_there_is)
{
    struct message message = hello("0303", "1301", "002b 0009 08 7a7a fb1a 7f1c 0303");
    struct tls_hello out = parsed(&message);
    cr_expect_eq(out.version, 0x0303);
    message.length--;
    set_length(&message, 1, 3, message.length - 4);
    out = parsed(&message);
    cr_expect_eq(out.version, 0, "a hello that was cut tells none");
}

// Past its bounds a hello is read as far as they go, at once.
Test(tls, bounds_its_lists)
{
    static char ciphers[4 * 700 + 1], extensions[8 * 300 + 1];
    for (unsigned i = 0; i < 700; i++)
        snprintf(ciphers + 4 * i, 5, "%04x", 0xc000 + i);
    struct message message = hello("0303", ciphers, SERVER_NAME);
    struct tls_hello out = parsed(&message);
    cr_expect(out.complete && out.offer[0] == '\0');
    cr_expect_str_eq(out.sni, "example.com");
    for (unsigned i = 0; i < 300; i++)
        snprintf(extensions + 8 * i, 9, "%04x0000", 0x4000 + i);
    message = hello("0303", "1301", extensions);
    out = parsed(&message);
    cr_expect(!out.complete && out.version == 0);
}
