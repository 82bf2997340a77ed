#include <stdlib.h>

#include "decode/app/tls.h"
#include "flow/ending.h"
#include "flow/names.h"
#include "packets.h"

enum { CLIENT = 1, SERVER = 2, CLIENT_PORT_USED = 40000, HELLO_BYTES = 1900, FIRST_BYTE = 1001 };

struct conversation {
    struct test_table test;
    struct dns_list answers;
    uint16_t server_port;
};

static void begin(struct conversation *talk, uint16_t server_port)
{
    *talk = (struct conversation){.server_port = server_port};
    test_table_init(&talk->test, test_policy());
}

// From the client, unless `back`; counted, and read.
static struct flow *say(struct conversation *talk, bool back, uint8_t flags, uint32_t sequence,
                        const void *bytes, uint32_t length)
{
    struct packet packet = back ? tcp_packet(SERVER, talk->server_port, CLIENT, CLIENT_PORT_USED, flags, 0)
                                : tcp_packet(CLIENT, CLIENT_PORT_USED, SERVER, talk->server_port, flags, 0);
    set_payload(&packet, length);
    packet.bytes = bytes;
    packet.payload_captured = length;
    packet.tcp.sequence = sequence;
    struct fed fed = feed(&talk->test, &packet);
    if (length > 0)
        flow_read_segment(&talk->test.table, &fed.hit, &packet, fed.hash, &talk->answers);
    return fed.flow;
}

static void shake_hands(struct conversation *talk)
{
    say(talk, false, TCP_SYN, FIRST_BYTE - 1, NULL, 0);
    say(talk, true, TCP_SYN | TCP_ACK, FIRST_BYTE - 1, NULL, 0);
    say(talk, false, TCP_ACK, FIRST_BYTE, NULL, 0);
}

static struct flow_record end(struct conversation *talk)
{
    finish(&talk->test, 0);
    struct flow_record record = take(&talk->test);
    for (unsigned p = 0; p < FLOW_PARTITIONS; p++)
        cr_assert_eq(talk->test.table.partition[p]->streams.bytes, 0, "a stream is left");
    test_table_done(&talk->test);
    free(talk->answers.items);
    return record;
}

// A record with a ClientHello whose padding comes before its name.
static void make_hello(uint8_t into[HELLO_BYTES])
{
    static const uint8_t name[] = {0,   0,   0,   16,  0,   14,  0,   0,   11,  'e',
                                   'x', 'a', 'm', 'p', 'l', 'e', '.', 'c', 'o', 'm'};
    enum { HEADERS = 5 + 4, FIXED = 2 + 32 + 1 + 2 + 2 + 2, BLOCK_AT = HEADERS + FIXED };
    unsigned padding = HELLO_BYTES - BLOCK_AT - 2 - 4 - (unsigned)sizeof name;
    memset(into, 0, HELLO_BYTES);
    into[0] = 22;
    into[1] = into[2] = 3;
    into[3] = (HELLO_BYTES - 5) >> 8;
    into[4] = (HELLO_BYTES - 5) & 0xff;
    into[5] = 1;
    into[7] = (HELLO_BYTES - HEADERS) >> 8;
    into[8] = (HELLO_BYTES - HEADERS) & 0xff;
    into[9] = into[10] = 3;
    into[HEADERS + 36] = 2;
    into[HEADERS + 37] = 0x13;
    into[HEADERS + 38] = 1;
    into[HEADERS + 39] = 1;
    uint8_t *block = into + BLOCK_AT;
    block[0] = (uint8_t)((HELLO_BYTES - BLOCK_AT - 2) >> 8);
    block[1] = (HELLO_BYTES - BLOCK_AT - 2) & 0xff;
    block[3] = 21;
    block[4] = (uint8_t)(padding >> 8);
    block[5] = (uint8_t)padding;
    memcpy(into + HELLO_BYTES - sizeof name, name, sizeof name);
}

static void expect_name(struct conversation *talk, const char *sni, enum sni_status status, bool whole)
{
    struct flow_record record = end(talk);
    cr_assert_not_null(record.names);
    cr_expect_str_eq(record.names->text[FLOW_TEXT_SNI], sni);
    cr_expect_str_eq(sni_status_name(record.facts.sni_status), sni_status_name(status));
    cr_expect_eq(record.names->text[FLOW_TEXT_OFFER][0] != '\0', whole);
    cr_expect_eq(record.facts.tls_version != 0, whole);
    flow_names_free(record.names);
}

// In pieces of every size, forwards and backwards, with all of them sent twice.
Test(payload, puts_a_hello_together)
{
    uint8_t hello[HELLO_BYTES];
    make_hello(hello);
    for (uint32_t piece = 300; piece <= HELLO_BYTES; piece += 400)
        for (int order = 0; order < 2; order++) {
            struct conversation talk;
            begin(&talk, 443);
            shake_hands(&talk);
            uint32_t pieces = (HELLO_BYTES + piece - 1) / piece;
            for (uint32_t i = 0; i < 2 * pieces; i++) {
                uint32_t at = (order == 0 ? i / 2 : pieces - 1 - i / 2) * piece;
                uint32_t length = HELLO_BYTES - at < piece ? HELLO_BYTES - at : piece;
                say(&talk, false, TCP_ACK, FIRST_BYTE + at, hello + at, length);
            }
            cr_expect_eq(talk.test.table.payload.tls_hellos, 1, "pieces of %u", piece);
            expect_name(&talk, "example.com", pieces > 1 ? SNI_REASSEMBLED : SNI_COMPLETE, true);
        }
}

// One record is no segment of its own: bytes one by one.
Test(payload, puts_single_bytes_together)
{
    uint8_t hello[HELLO_BYTES];
    struct conversation talk;
    make_hello(hello);
    begin(&talk, 8443);
    shake_hands(&talk);
    for (uint32_t i = 0; i < HELLO_BYTES; i++)
        say(&talk, false, TCP_ACK, FIRST_BYTE + i, hello + i, 1);
    expect_name(&talk, "example.com", SNI_REASSEMBLED, true);
}

Test(payload, tells_a_hello_that_was_cut_from_one_with_a_gap)
{
    uint8_t hello[HELLO_BYTES];
    struct conversation talk;
    make_hello(hello);
    begin(&talk, 443);
    shake_hands(&talk);
    say(&talk, false, TCP_ACK, FIRST_BYTE, hello, 1000);
    expect_name(&talk, "", SNI_TRUNCATED, false);
    begin(&talk, 443);
    shake_hands(&talk);
    say(&talk, false, TCP_ACK, FIRST_BYTE, hello, 1000);
    say(&talk, false, TCP_ACK, FIRST_BYTE + 1500, hello + 1500, HELLO_BYTES - 1500);
    expect_name(&talk, "", SNI_GAP, false);
}

// Who never sends the rest makes room for others, and is told as far as it came.
Test(payload, bounds_half_finished_hellos)
{
    enum { FLOWS = 20000 };
    uint8_t hello[HELLO_BYTES];
    struct test_table test;
    struct dns_list answers = {0};
    make_hello(hello);
    test_table_init(&test, test_policy());
    for (unsigned i = 0; i < FLOWS; i++) {
        struct packet packet = tcp_packet(CLIENT, (uint16_t)(1024 + i), SERVER, 443, TCP_ACK, 0);
        set_payload(&packet, 1400);
        packet.bytes = hello;
        packet.payload_captured = 1400;
        struct fed fed = feed(&test, &packet);
        flow_read_segment(&test.table, &fed.hit, &packet, fed.hash, &answers);
    }
    unsigned waiting = 0;
    for (unsigned p = 0; p < FLOW_PARTITIONS; p++) {
        const struct assembly_pool *pool = &test.table.partition[p]->streams;
        cr_assert_leq(pool->bytes, ASSEMBLY_POOL_BYTES);
        for (const struct assembly *stream = pool->oldest; stream != NULL; stream = stream->newer)
            waiting++;
    }
    cr_expect_gt(waiting, FLOW_PARTITIONS * 8);
    cr_expect_eq(test.table.payload.streams_given_up + waiting, FLOWS);
    finish(&test, 0);
    cr_expect_eq(test.table.payload.tls_hellos, FLOWS);
    for (unsigned i = 0; i < FLOWS; i++) {
        struct flow_record record = take(&test);
        cr_assert_eq(record.facts.sni_status, SNI_TRUNCATED);
        flow_names_free(record.names);
    }
    test_table_done(&test);
}

static uint32_t add_question(uint8_t *into, uint8_t id, char letter, bool answer)
{
    const uint8_t message[] = {0,
                               27,
                               0,
                               id,
                               answer ? 0x81 : 1,
                               0,
                               0,
                               1,
                               0,
                               0,
                               0,
                               0,
                               0,
                               0,
                               1,
                               (uint8_t)letter,
                               7,
                               'e',
                               'x',
                               'a',
                               'm',
                               'p',
                               'l',
                               'e',
                               0,
                               0,
                               1,
                               0,
                               1};
    memcpy(into, message, sizeof message);
    return sizeof message;
}

// Three questions and then their answers, in pieces of every size: length and message apart, several in a segment.
Test(payload, reads_dns_as_a_stream)
{
    uint8_t questions[128], answers[128];
    uint32_t length = 0;
    for (uint8_t i = 0; i < 3; i++) {
        add_question(answers + length, i, (char)('a' + i), true);
        length += add_question(questions + length, i, (char)('a' + i), false);
    }
    for (uint32_t piece = 1; piece <= length; piece++) {
        struct conversation talk;
        begin(&talk, 53);
        shake_hands(&talk);
        for (int back = 0; back < 2; back++)
            for (uint32_t at = 0; at < length; at += piece)
                say(&talk, back, TCP_ACK, FIRST_BYTE + at, (back != 0 ? answers : questions) + at,
                    length - at < piece ? length - at : piece);
        cr_expect_eq(talk.test.table.payload.dns_messages, 6, "pieces of %u", piece);
        cr_assert_eq(talk.answers.count, 3);
        for (unsigned i = 0; i < 3; i++) {
            cr_expect_eq(talk.answers.items[i].name.text[0], "abc"[i]);
            cr_expect_eq(talk.answers.items[i].latency_ns, 0);
        }
        struct flow_record record = end(&talk);
        cr_expect_str_eq(record.names->text[FLOW_TEXT_DNS_QUERY], "c.example");
        cr_expect_eq(record.facts.dns_rcode, 0);
        flow_names_free(record.names);
    }
}

// Its question is told, and it is counted as bad; the messages behind it are read.
Test(payload, goes_on_behind_a_damaged_message)
{
    uint8_t questions[64];
    struct conversation talk;
    uint32_t length = add_question(questions, 1, 'a', false);
    questions[2 + 10] = 0xcf; // additional records that are not there
    length += add_question(questions + length, 2, 'b', false);
    begin(&talk, 53);
    shake_hands(&talk);
    say(&talk, false, TCP_ACK, FIRST_BYTE, questions, length);
    cr_expect_eq(talk.test.table.payload.dns_messages, 2);
    cr_expect_eq(talk.test.table.payload.bad_messages, 1);
    struct flow_record record = end(&talk);
    cr_expect_str_eq(record.names->text[FLOW_TEXT_DNS_QUERY], "b.example");
    flow_names_free(record.names);
}

// Inside OpenVPN's control channel, whose packets are in several segments.
Test(payload, puts_a_hello_inside_openvpn_together)
{
    enum { TLS = 100, HEADERS = 2 + 14, PACKETS = HELLO_BYTES / TLS, STREAM = PACKETS * (HEADERS + TLS) };
    uint8_t hello[HELLO_BYTES], stream[STREAM] = {0};
    make_hello(hello);
    for (unsigned i = 0; i < PACKETS; i++) {
        uint8_t *at = stream + (size_t)i * (HEADERS + TLS);
        at[1] = HEADERS - 2 + TLS;
        at[2] = 0x20;
        at[15] = (uint8_t)(i + 1);
        memcpy(at + HEADERS, hello + (size_t)i * TLS, TLS);
    }
    struct conversation talk;
    begin(&talk, 1194);
    shake_hands(&talk);
    for (uint32_t at = 0; at < STREAM; at += 500)
        say(&talk, false, TCP_ACK, FIRST_BYTE + at, stream + at, STREAM - at < 500 ? STREAM - at : 500);
    cr_expect_eq(talk.test.table.payload.tls_hellos, 1);
    expect_name(&talk, "example.com", SNI_REASSEMBLED, true);
}

// An answer takes few bytes of a segment and many of memory: of a tick's, one a segment is listed and some more.
Test(payload, lists_a_bounded_number_of_answers)
{
    enum { ANSWERS = 100, SEGMENTS = 40 };
    static uint8_t bytes[ANSWERS * 32];
    uint32_t length = 0, sequence = FIRST_BYTE;
    struct conversation talk;
    for (uint8_t i = 0; i < ANSWERS; i++)
        length += add_question(bytes + length, i, 'a', true);
    begin(&talk, 53);
    shake_hands(&talk);
    for (unsigned tick_number = 1; tick_number <= 2; tick_number++) {
        for (unsigned i = 0; i < SEGMENTS; i++, sequence += length)
            say(&talk, true, TCP_ACK, sequence, bytes, length);
        cr_expect_eq(talk.answers.count, MORE_ANSWERS + SEGMENTS);
        cr_expect_eq(talk.test.table.payload.dns_messages, tick_number * SEGMENTS * ANSWERS);
        cr_expect_eq(talk.test.table.payload.answers_given_up,
                     tick_number * (SEGMENTS * ANSWERS - talk.answers.count));
        talk.answers.count = 0;
        tick(&talk.test, 0);
    }
    flow_names_free(end(&talk).names);
}

// Of a message longer than is held the front is read, and the next one is found behind it.
Test(payload, passes_a_long_message_by)
{
    enum { LONG = 40000, SEGMENT = 1400 };
    static uint8_t bytes[2 + LONG + 64];
    struct conversation talk;
    add_question(bytes, 1, 'l', false);
    bytes[0] = LONG >> 8;
    bytes[1] = LONG & 0xff;
    bytes[4] = 0x81;
    bytes[9] = 1; // an answer that never ends: cut where the front ends
    bytes[2 + 27] = 1;
    bytes[2 + 28] = 'l';
    bytes[2 + 29] = 0;
    bytes[2 + 38] = 0xff;
    bytes[2 + 39] = 0xff;
    uint32_t length = 2 + LONG + add_question(bytes + 2 + LONG, 2, 'n', true);
    begin(&talk, 53);
    shake_hands(&talk);
    for (uint32_t at = 0; at < length; at += SEGMENT)
        say(&talk, true, TCP_ACK, FIRST_BYTE + at, bytes + at, length - at < SEGMENT ? length - at : SEGMENT);
    cr_expect_eq(talk.test.table.payload.dns_messages, 2);
    cr_assert_eq(talk.answers.count, 2);
    cr_expect_str_eq(talk.answers.items[0].name.text, "l.example");
    cr_expect_str_eq(talk.answers.items[1].name.text, "n.example");
    flow_names_free(end(&talk).names);
}

// What was sent before, or is a keep-alive's one byte, is no new message.
Test(payload, reads_nothing_twice)
{
    uint8_t question[64];
    uint32_t length = add_question(question, 1, 'a', false);
    struct conversation talk;
    begin(&talk, 53);
    shake_hands(&talk);
    for (int i = 0; i < 2; i++)
        say(&talk, false, TCP_ACK, FIRST_BYTE, question, length);
    say(&talk, false, TCP_ACK, FIRST_BYTE + length - 1, question, 1);
    cr_expect_eq(talk.test.table.payload.dns_messages, 1);
    add_question(question, 2, 'b', false);
    say(&talk, false, TCP_ACK, FIRST_BYTE + length, question, length);
    cr_expect_eq(talk.test.table.payload.dns_messages, 2);
    flow_names_free(end(&talk).names);
}

// Other protocols leave no stream behind.
Test(payload, keeps_nothing_of_others)
{
    static const char request[] = "GET / HTTP/1.1\r\n";
    struct conversation talk;
    begin(&talk, 80);
    shake_hands(&talk);
    struct flow *flow = say(&talk, false, TCP_ACK, FIRST_BYTE + 8, request + 8, 8);
    cr_expect((flow->extra & FLOW_EXTRA_STREAM) != 0, "its beginning may come");
    say(&talk, false, TCP_ACK, FIRST_BYTE, request, 8);
    cr_expect((flow->extra & FLOW_EXTRA_STREAM) == 0);
    cr_expect_null(end(&talk).names);
}
