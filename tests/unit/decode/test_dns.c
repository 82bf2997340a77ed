#include "decode/app/dns.h"

#include <stdlib.h>

#include "wire.h"

// Header: flags, then the four counts; id 0x1234.
#define QUERY(flags, counts) "1234" flags counts
#define ONE_QUESTION         "0001 0000 0000 0000"
#define EXAMPLE_COM          "07 6578616d706c65 03 636f6d 00"
#define QUERY_EXAMPLE        QUERY("0100", ONE_QUESTION) EXAMPLE_COM "0001 0001"
#define ANSWER_EXAMPLE                                                                                       \
    QUERY("8180", "0001 0001 0000 0000") EXAMPLE_COM "0001 0001 c00c 0001 0001 0000003c 0004 5db8d822"

static bool parse(const char *hex, struct dns_message *message)
{
    struct packet bytes = wire_hex(LINK_RAW, hex);
    return dns_parse(bytes.bytes, bytes.captured, true, message);
}

static bool parse_cut(const char *hex, size_t captured, struct dns_message *message)
{
    struct packet bytes = wire_hex(LINK_RAW, hex);
    uint8_t *place = wire_place(captured);
    memcpy(place, bytes.bytes, captured);
    return dns_parse(place, captured, false, message);
}

static struct packet carried(uint8_t protocol, uint16_t source_port, uint16_t target_port, const char *hex)
{
    struct packet packet = wire_hex(LINK_RAW, hex);
    packet.ip_protocol = protocol;
    packet.has_transport = true;
    packet.fragment = FRAGMENT_NONE;
    packet.source_port = source_port;
    packet.target_port = target_port;
    packet.payload_offset = 0;
    packet.payload_captured = packet.payload_length = packet.captured;
    return packet;
}

static bool is_dns(const struct packet *packet, enum decode_reason expected)
{
    struct dns_message message;
    bool found;
    enum decode_reason reason = dns_of_packet(packet, &message, &found);
    cr_expect_str_eq(decode_reason_name(reason), decode_reason_name(expected));
    return found;
}

static struct dns_message of_capture(const char *name, unsigned number)
{
    struct packet packet = wire_decode_capture(name, number);
    struct dns_message message;
    bool found;
    cr_assert_eq(dns_of_packet(&packet, &message, &found), DECODE_OK);
    cr_assert(found);
    return message;
}

Test(dns, reads_a_real_query)
{
    struct dns_message message = of_capture("browsing.pcap", 12);
    cr_expect_eq(message.id, 2103);
    cr_expect_not(message.response);
    cr_expect(message.recursion_desired);
    cr_expect_eq(message.questions, 1);
    cr_expect_str_eq(message.name.text, "accounts.google.com");
    cr_expect_eq(message.name.length, 19);
    cr_expect_eq(message.type, 65);
    cr_expect_eq(message.class, 1);
}

Test(dns, reads_a_real_answer)
{
    struct dns_message message = of_capture("browsing.pcap", 18);
    cr_expect(message.response && message.recursion_available);
    cr_expect_eq(message.rcode, 0);
    cr_expect_str_eq(message.name.text, "accounts.google.com");
    cr_assert_eq(message.addresses, 1);
    cr_expect_eq(message.answer[0].type, 1);
    expect_address(&message.answer[0].address, "142.251.175.84");
}

Test(dns, reads_real_messages_over_tcp)
{
    struct dns_message query = of_capture("dns-tcp.pcap", 4), answer = of_capture("dns-tcp.pcap", 6);
    cr_expect_eq(query.id, 24163);
    cr_expect_str_eq(query.name.text, "google.com");
    cr_expect_eq(answer.id, 24163);
    cr_assert_eq(answer.addresses, 11);
    expect_address(&answer.answer[0].address, "74.125.228.46");
    expect_address(&answer.answer[10].address, "74.125.228.41");
}

Test(dns, reads_answers_of_any_type)
{
    struct dns_message message;
    cr_assert(parse(QUERY("8580", "0001 0002 0000 0000") EXAMPLE_COM
                    "001c 0001"
                    "c00c 0005 0001 0000000a 0002 c00c"
                    "c00c 001c 0001 00000014 0010 20010db8000000000000000000000001",
                    &message));
    cr_expect(message.authoritative);
    cr_assert_eq(message.addresses, 2);
    cr_expect_eq(message.answer[0].type, 5);
    cr_expect_eq(message.answer[0].ttl_seconds, 10);
    cr_expect_eq(message.answer[0].address.version, 0);
    cr_expect_eq(message.answer[1].ttl_seconds, 20);
    expect_address(&message.answer[1].address, "2001:db8::1");
}

// An address record of another class or length has no address.
Test(dns, takes_addresses_of_the_internet_class_only)
{
    struct dns_message message;
    cr_assert(parse(QUERY("8180", "0001 0003 0000 0000") EXAMPLE_COM "0001 0001"
                                                                     "c00c 0001 0003 00000000 0004 0a000001"
                                                                     "c00c 0001 0001 00000000 0003 0a0000"
                                                                     "c00c 0001 8001 00000000 0004 0a000002",
                    &message));
    cr_expect_eq(message.answer[0].address.version, 0);
    cr_expect_eq(message.answer[1].address.version, 0);
    expect_address(&message.answer[2].address, "10.0.0.2"); // the top bit is mDNS's cache flush
}

Test(dns, names_an_mdns_answer_after_its_first_record)
{
    struct dns_message message;
    cr_assert(
        parse("0000 8400 0000 0001 0000 0000 05 7072696e74 05 6c6f63616c 00 0001 8001 00000078 0004 0a000009",
              &message));
    cr_expect_str_eq(message.name.text, "print.local");
    cr_expect_eq(message.type, 1);
    cr_expect_eq(message.class, 0x8001);
}

Test(dns, extends_the_rcode_with_edns)
{
    struct dns_message message;
    cr_assert(parse(QUERY("8180", "0001 0000 0000 0001") EXAMPLE_COM "0001 0001 00 0029 1000 01 00 0000 0000",
                    &message));
    cr_expect(message.edns);
    cr_expect_eq(message.rcode, 16);
    cr_assert(parse(QUERY_EXAMPLE, &message));
    cr_expect_not(message.edns);
}

Test(dns, keeps_sixteen_answers)
{
    char hex[2048] = QUERY("8180", "0001 0014 0000 0000") EXAMPLE_COM "0001 0001";
    for (unsigned i = 0; i < 20; i++)
        strcat(hex, "c00c 0001 0001 00000000 0004 0a000001");
    struct dns_message message;
    cr_assert(parse(hex, &message));
    cr_expect_eq(message.answers, 20);
    cr_expect_eq(message.addresses, DNS_ANSWERS);
}

Test(dns, refuses_pointers_that_do_not_go_back)
{
    struct dns_message message;
    cr_expect_not(parse(QUERY("0100", ONE_QUESTION) "c00c 0001 0001", &message), "to itself");
    cr_expect_not(parse(QUERY("0100", ONE_QUESTION) "01 61 c00c 0001 0001", &message), "to its own start");
    cr_expect_not(parse(QUERY("0100", ONE_QUESTION) "c012 0001 0001 01 61 00", &message), "forward");
    cr_expect_not(parse(QUERY("0100", ONE_QUESTION) "c004 0001 0001", &message), "into the header");
    cr_expect_not(parse(QUERY("8180", "0001 0001 0000 0000") EXAMPLE_COM
                        "0001 0001 c01d 0001 0001 00000000 0000",
                        &message),
                  "in a name that is only skipped");
}

Test(dns, refuses_counts_that_the_bytes_do_not_hold)
{
    struct dns_message message;
    cr_expect_not(parse(QUERY("0100", "0002 0000 0000 0000") EXAMPLE_COM "0001 0001", &message));
    cr_expect_not(parse(QUERY("8180", "0001 ffff 0000 0000") EXAMPLE_COM "0001 0001", &message));
    cr_expect(parse(QUERY("8380", "0001 ffff 0000 0000") EXAMPLE_COM "0001 0001", &message), "TC excuses it");
    cr_expect_not(parse("1234 0100 0001 0000 0000", &message), "half a header");
}

Test(dns, keeps_what_a_cut_message_holds)
{
    struct dns_message message;
    cr_assert(parse_cut(ANSWER_EXAMPLE, 35, &message));
    cr_expect_str_eq(message.name.text, "example.com");
    cr_expect_eq(message.addresses, 0);
    cr_assert(parse_cut(ANSWER_EXAMPLE, 20, &message));
    cr_expect_str_empty(message.name.text);
    cr_expect_not(parse_cut(ANSWER_EXAMPLE, 11, &message));
}

// Cut anywhere, it never reads past the end: the address sanitizer watches.
Test(dns, survives_every_cut)
{
    struct dns_message message;
    struct packet whole = wire_hex(LINK_RAW, ANSWER_EXAMPLE);
    for (size_t length = 0; length < whole.captured; length++) {
        uint8_t *bytes = malloc(length > 0 ? length : 1);
        cr_assert_not_null(bytes);
        memcpy(bytes, whole.bytes, length);
        cr_expect_not(dns_parse(bytes, length, true, &message), "%zu", length);
        cr_expect_eq(dns_parse(bytes, length, false, &message), length >= 12, "%zu", length);
        free(bytes);
    }
}

Test(dns, counts_what_is_not_dns_on_its_ports)
{
    struct packet junk = carried(IP_PROTOCOL_UDP, 4000, 53, "ffffffffffffffffffffffffffff");
    cr_expect_not(is_dns(&junk, DECODE_BAD_MESSAGE));
    junk = carried(IP_PROTOCOL_UDP, 5353, 4000, "00");
    cr_expect_not(is_dns(&junk, DECODE_BAD_MESSAGE));
    junk = carried(IP_PROTOCOL_UDP, 4000, 53, "");
    cr_expect_not(is_dns(&junk, DECODE_OK));
    junk = carried(IP_PROTOCOL_UDP, 4000, 53, QUERY_EXAMPLE);
    junk.payload_captured = 8;
    cr_expect_not(is_dns(&junk, DECODE_TRUNCATED));
}

static struct dns_message damaged(const struct packet *packet)
{
    struct dns_message message;
    bool found;
    cr_expect_str_eq(decode_reason_name(dns_of_packet(packet, &message, &found)), "bad_message");
    cr_assert(found);
    cr_expect(message.damaged);
    cr_expect_eq(message.id, 0x1234);
    cr_expect_eq(message.addresses, 0);
    return message;
}

// Counts that the bytes do not hold, as random damage makes them: the question stands, the rest is left out.
Test(dns, keeps_the_question_of_a_damaged_message)
{
    static const char *const counts[] = {"0081 0000 0000 0000", "0001 8000 0052 0000", "0001 0000 0000 00cf"};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        char hex[128];
        snprintf(hex, sizeof hex, "1234 0100 %s" EXAMPLE_COM "0001 0001", counts[i]);
        struct packet packet = carried(IP_PROTOCOL_UDP, 40000, 53, hex);
        struct dns_message message = damaged(&packet);
        cr_expect_not(message.response);
        cr_expect_str_eq(message.name.text, "example.com");
        cr_expect_eq(message.type, 1);
        cr_expect_eq(message.class, 1);
    }
    struct packet packet = carried(IP_PROTOCOL_TCP, 40000, 53,
                                   "001d" QUERY("0100", "0001 0000 0000 00cf") EXAMPLE_COM "0001 0001");
    struct dns_message message = damaged(&packet);
    cr_expect_str_eq(message.name.text, "example.com");
    packet =
        carried(IP_PROTOCOL_UDP, 40000, 443, QUERY("0100", "0001 0000 0000 00cf") EXAMPLE_COM "0001 0001");
    cr_expect_not(is_dns(&packet, DECODE_OK), "on another port");
}

// What stands before the damage may be damaged as well: neither addresses nor EDNS's bits of the code are told.
Test(dns, leaves_out_the_answers_of_a_damaged_message)
{
    struct packet packet =
        carried(IP_PROTOCOL_UDP, 53, 40000,
                QUERY("8183", "0001 0002 0000 0000") EXAMPLE_COM
                "0001 0001 c00c 0001 0001 0000003c 0004 5db8d822 c00c 0001 0001 0000003c 7300 5db8d822");
    struct dns_message message = damaged(&packet);
    cr_expect(message.response);
    cr_expect_eq(message.rcode, 3);
    cr_expect_eq(message.answers, 2, "as the header claims");
    packet =
        carried(IP_PROTOCOL_UDP, 53, 40000,
                QUERY("8180", "0001 0000 0000 0002") EXAMPLE_COM "0001 0001 00 0029 1000 01 00 0000 0000 4d");
    message = damaged(&packet);
    cr_expect_eq(message.rcode, 0);
    cr_expect_not(message.edns);
}

// A label that cannot be: direction and code, but no name, of which some bytes look like one.
Test(dns, keeps_the_header_of_a_message_without_a_name)
{
    struct packet packet = carried(IP_PROTOCOL_UDP, 53, 40000,
                                   QUERY("8182", ONE_QUESTION) "07 6578616d706c65 4d 636f6d 00 0001 0001");
    struct dns_message message = damaged(&packet);
    cr_expect(message.response);
    cr_expect_eq(message.rcode, 2);
    cr_expect_str_empty(message.name.text);
    cr_expect_eq(message.name.length, 0);
    cr_expect_eq(message.type, 0);
    packet = carried(IP_PROTOCOL_UDP, 40000, 53, QUERY("0100", ONE_QUESTION) EXAMPLE_COM "00");
    message = damaged(&packet);
    cr_expect_str_empty(message.name.text, "its type is not all there");
}

// What is no DNS must not become a name because of its port.
Test(dns, takes_no_name_from_other_bytes)
{
    static const char *const others[] = {
        QUERY("0100", "0081 0000 0000 0000") EXAMPLE_COM "0001 0777",     // no such class
        QUERY("0100", "0081 0000 0000 0000") EXAMPLE_COM "0000 0001",     // no such type
        QUERY("0140", "0081 0000 0000 0000") EXAMPLE_COM "0001 0001",     // the reserved bit
        QUERY("7900", "0081 0000 0000 0000") EXAMPLE_COM "0001 0001",     // no such operation
        QUERY("010c", "0081 0000 0000 0000") EXAMPLE_COM "0001 0001",     // no such code
        QUERY("0100", "0000 0000 0000 0001") EXAMPLE_COM "0001 0001",     // no question
        QUERY("0100", "0002 0000 0000 0000") "07 6578616d706c65 4d 0001", // no name, two questions
        QUERY("ff00", "0001 0009 0000 0000") EXAMPLE_COM
        "0001 0001", // cut short, it says, and no such operation
        QUERY("8380", "0001 0009 0000 0000") EXAMPLE_COM "0001 0777", // or no such class
        QUERY("8180",
              "0001 0000 0000 0003") "07 6578616d706c65 4d 636f6d 00",        // no name, and too many records
        "474554202f20485454502f312e310d0a486f73743a20612e62636465660d0a0d0a", // HTTP
    };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        struct packet packet = carried(IP_PROTOCOL_UDP, 40000, 53, others[i]);
        cr_expect_not(is_dns(&packet, DECODE_BAD_MESSAGE), "%zu", i);
    }
}

// Of a million datagrams of noise on the port of DNS hardly one is taken for a message, and none for one with a name.
Test(dns, takes_no_name_from_noise)
{
    enum { DATAGRAMS = 1000000, BYTES = 64 };
    uint64_t state = 88172645463325252u;
    unsigned messages = 0, names = 0;
    uint64_t words[BYTES / 8];
    struct packet packet = carried(IP_PROTOCOL_UDP, 40000, 53, "00");
    packet.bytes = (const uint8_t *)words;
    packet.payload_captured = packet.payload_length = packet.captured = BYTES;
    for (unsigned i = 0; i < DATAGRAMS; i++) {
        for (size_t w = 0; w < BYTES / 8; w++) {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            words[w] = state;
        }
        struct dns_message message;
        bool found;
        dns_of_packet(&packet, &message, &found);
        messages += found;
        names += found && message.name.length > 0;
    }
    cr_expect_leq(messages, 2);
    cr_expect_leq(names, 1);
}

Test(dns, is_found_by_content_on_other_ports)
{
    struct packet packet = carried(IP_PROTOCOL_UDP, 40000, 443, QUERY_EXAMPLE);
    cr_expect(is_dns(&packet, DECODE_OK));
    packet = carried(IP_PROTOCOL_UDP, 443, 40000, ANSWER_EXAMPLE);
    cr_expect(is_dns(&packet, DECODE_OK));
}

Test(dns, on_other_ports_must_fit_exactly)
{
    struct packet packet = carried(IP_PROTOCOL_UDP, 40000, 443, QUERY_EXAMPLE "00");
    cr_expect_not(is_dns(&packet, DECODE_OK), "a byte behind it");
    packet = carried(IP_PROTOCOL_UDP, 40000, 443, QUERY_EXAMPLE);
    packet.payload_length++;
    cr_expect_not(is_dns(&packet, DECODE_OK), "cut by the snaplen");
    packet = carried(IP_PROTOCOL_UDP, 40000, 443, "1234 0000 0000 0000 0000 0000");
    cr_expect_not(is_dns(&packet, DECODE_OK), "nothing but a header");
    packet = carried(IP_PROTOCOL_UDP, 40000, 443, QUERY("0100", ONE_QUESTION) EXAMPLE_COM "0001 0777");
    cr_expect_not(is_dns(&packet, DECODE_OK), "no such class");
    packet = carried(IP_PROTOCOL_UDP, 137, 137, QUERY("0110", ONE_QUESTION) EXAMPLE_COM "0020 0001");
    cr_expect_not(is_dns(&packet, DECODE_OK), "NetBIOS has the same format");
}

Test(dns, is_none_without_a_transport_header)
{
    struct packet packet = carried(IP_PROTOCOL_UDP, 40000, 53, QUERY_EXAMPLE);
    packet.has_transport = false;
    cr_expect_not(is_dns(&packet, DECODE_OK));
    packet = carried(IP_PROTOCOL_SCTP, 40000, 53, QUERY_EXAMPLE);
    cr_expect_not(is_dns(&packet, DECODE_OK));
}

Test(dns, over_tcp_begins_with_its_length)
{
    struct packet packet = carried(IP_PROTOCOL_TCP, 40000, 53, "001d" QUERY_EXAMPLE);
    cr_expect(is_dns(&packet, DECODE_OK));
    packet = carried(IP_PROTOCOL_TCP, 40000, 53, "001d" QUERY_EXAMPLE "001d" QUERY_EXAMPLE);
    cr_expect(is_dns(&packet, DECODE_OK), "two of them");
    packet = carried(IP_PROTOCOL_TCP, 40000, 53, QUERY_EXAMPLE);
    cr_expect(is_dns(&packet, DECODE_OK), "the length came in a segment of its own");
    packet = carried(IP_PROTOCOL_TCP, 53, 40000, "0400" ANSWER_EXAMPLE);
    cr_expect(is_dns(&packet, DECODE_OK), "the message goes on in the next segment");
    packet = carried(IP_PROTOCOL_TCP, 40000, 8053, "001d" QUERY_EXAMPLE);
    cr_expect(is_dns(&packet, DECODE_OK), "on another port");
}

Test(dns, over_tcp_ignores_the_middle_of_a_message)
{
    struct packet packet =
        carried(IP_PROTOCOL_TCP, 53, 40000, "c00c 0001 0001 0000003c 0004 0a000001 c00c 0001");
    cr_expect_not(is_dns(&packet, DECODE_OK));
    packet = carried(IP_PROTOCOL_TCP, 53, 40000, "001d");
    cr_expect_not(is_dns(&packet, DECODE_OK));
    packet = carried(IP_PROTOCOL_TCP, 40000, 8053, "001e" QUERY_EXAMPLE);
    cr_expect_not(is_dns(&packet, DECODE_OK));
}

Test(dns, names_types_and_rcodes)
{
    char text[12];
    cr_expect_str_eq(dns_type_name(1, text), "A");
    cr_expect_str_eq(dns_type_name(65, text), "HTTPS");
    cr_expect_str_eq(dns_type_name(65280, text), "TYPE65280");
    cr_expect_str_eq(dns_rcode_name(3, text), "NXDOMAIN");
    cr_expect_str_eq(dns_rcode_name(23, text), "BADCOOKIE");
    cr_expect_str_eq(dns_rcode_name(12, text), "RCODE12");
    cr_expect_str_eq(dns_rcode_name(4095, text), "RCODE4095");
}
