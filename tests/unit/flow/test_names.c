#include <stdio.h>

#include "flow/names.h"
#include "packets.h"

static struct dns_message message(uint16_t id, bool response, const char *name)
{
    struct dns_message message = {.id = id, .response = response, .type = 1, .questions = 1};
    message.name.length = (uint8_t)snprintf(message.name.text, sizeof message.name.text, "%s", name);
    return message;
}

// A query from 10.0.0.1 to 10.0.0.2:53, or the answer.
static bool note(struct test_table *test, const struct dns_message *message, int64_t at_ns,
                 struct dns_transaction *out)
{
    struct packet packet =
        message->response ? udp_packet(2, 53, 1, 1000, at_ns) : udp_packet(1, 1000, 2, 53, at_ns);
    struct flow_hit hit = feed(test, &packet).hit;
    return flow_note_dns(&test->table, &hit, &packet, message, out);
}

static struct flow_record end(struct test_table *test)
{
    finish(test, 0);
    struct flow_record record = take(test);
    test_table_done(test);
    return record;
}

Test(dns_names, pairs_answers_with_questions)
{
    struct test_table test;
    test_table_init(&test, test_policy());
    struct dns_transaction out;
    struct dns_message first = message(7, false, "one.example"), second = message(8, false, "two.example");
    cr_expect_not(note(&test, &first, 0, &out));
    cr_expect_not(note(&test, &second, NS_PER_MS, &out));

    struct dns_message answer = message(8, true, "two.example");
    answer.rcode = 3;
    cr_assert(note(&test, &answer, 5 * NS_PER_MS, &out));
    cr_expect_eq(out.latency_ns, 4 * NS_PER_MS);
    cr_expect_eq(out.rcode, 3);
    cr_expect_str_eq(out.name.text, "two.example");
    struct address client = host(1), server = host(2);
    cr_expect_eq(address_compare(&out.client, &client), 0);
    cr_expect_eq(address_compare(&out.server, &server), 0);

    answer = message(7, true, "one.example");
    cr_assert(note(&test, &answer, 9 * NS_PER_MS, &out));
    cr_expect_eq(out.latency_ns, 9 * NS_PER_MS);
    cr_assert(note(&test, &answer, 10 * NS_PER_MS, &out));
    cr_expect_lt(out.latency_ns, 0, "answered already");

    struct flow_record record = end(&test);
    cr_assert_not_null(record.names);
    cr_expect_eq(record.facts.app, FLOW_APP_DNS);
    cr_expect_str_eq(record.names->text[FLOW_TEXT_DNS_QUERY], "two.example", "the last question");
    cr_expect_eq(record.facts.dns_rcode, 0, "the last answer");
    flow_names_free(record.names);
}

Test(dns_names, forgets_the_oldest_question_first)
{
    struct test_table test;
    test_table_init(&test, test_policy());
    struct dns_transaction out;
    for (uint16_t id = 0; id <= DNS_PENDING; id++) {
        struct dns_message question = message(id, false, "x.example");
        note(&test, &question, id * NS_PER_MS, &out);
    }
    for (uint16_t id = 0; id <= DNS_PENDING; id++) {
        struct dns_message answer = message(id, true, "x.example");
        cr_assert(note(&test, &answer, NS_PER_S, &out));
        cr_expect_eq(out.latency_ns, id == 0 ? -1 : NS_PER_S - id * NS_PER_MS, "question %u", id);
    }
    flow_names_free(end(&test).names);
}

Test(dns_names, keep_answers_that_nobody_asked_for)
{
    struct test_table test;
    test_table_init(&test, test_policy());
    struct dns_message announcement = message(0, true, "printer.local");
    for (int i = 0; i < 8; i++) {
        announcement.answer[i].type = i % 2 == 0 ? 16 : 1;
        announcement.answer[i].address = i % 2 == 0 ? (struct address){0} : host((uint8_t)(10 + i));
    }
    announcement.addresses = 8;
    struct dns_transaction out;
    cr_assert(note(&test, &announcement, 0, &out));
    cr_expect_lt(out.latency_ns, 0);
    cr_assert_eq(out.addresses, 4, "those with an address");
    for (unsigned i = 0; i < 4; i++) {
        struct address expected = host((uint8_t)(11 + 2 * i));
        cr_expect_eq(address_compare(&out.answer[i].address, &expected), 0);
    }
    struct flow_record record = end(&test);
    cr_expect_str_eq(record.names->text[FLOW_TEXT_DNS_QUERY], "printer.local");
    flow_names_free(record.names);
}

// It has but its id, which is enough within a flow, and it takes no name from the flow.
Test(dns_names, of_a_damaged_answer_are_those_of_its_question)
{
    struct test_table test;
    test_table_init(&test, test_policy());
    struct dns_transaction out;
    struct dns_message question = message(9, false, "one.example"), answer = message(9, true, "");
    cr_expect_not(note(&test, &question, 0, &out));
    answer.damaged = true;
    answer.type = 0;
    answer.rcode = 2;
    cr_assert(note(&test, &answer, 3 * NS_PER_MS, &out));
    cr_expect_eq(out.latency_ns, 3 * NS_PER_MS);
    cr_expect_eq(out.rcode, 2);
    question = message(10, false, "");
    question.damaged = true;
    question.type = 0;
    cr_expect_not(note(&test, &question, 4 * NS_PER_MS, &out));
    struct flow_record record = end(&test);
    cr_expect_str_eq(record.names->text[FLOW_TEXT_DNS_QUERY], "one.example");
    cr_expect_eq(record.facts.dns_type, 1);
    cr_expect_eq(record.facts.dns_rcode, 2);
    flow_names_free(record.names);
}

Test(dns_names, of_an_unanswered_question_have_no_rcode)
{
    struct test_table test;
    test_table_init(&test, test_policy());
    struct dns_transaction out;
    struct dns_message question = message(1, false, "gone.example");
    note(&test, &question, 0, &out);
    struct flow_record record = end(&test);
    cr_expect_eq(record.facts.dns_rcode, -1);
    cr_expect_eq(record.facts.dns_type, 1);
    flow_names_free(record.names);
}

// An answer belongs to the question whose name and type it repeats, and to the latest of equal ones.
Test(dns_names, pair_by_name_and_type_and_the_latest)
{
    struct test_table test;
    test_table_init(&test, test_policy());
    struct dns_transaction out;
    struct dns_message lost = message(1, false, "lost.example"), found = message(1, false, "found.example");
    note(&test, &lost, 0, &out);
    note(&test, &found, NS_PER_S, &out);
    note(&test, &found, 2 * NS_PER_S, &out);
    struct dns_message answer = message(1, true, "FOUND.example");
    answer.type = 28;
    cr_assert(note(&test, &answer, 3 * NS_PER_S, &out));
    cr_expect_lt(out.latency_ns, 0, "another type");
    answer.type = 1;
    cr_assert(note(&test, &answer, 3 * NS_PER_S, &out));
    cr_expect_eq(out.latency_ns, NS_PER_S);
    cr_assert(note(&test, &answer, 3 * NS_PER_S + 2 * NS_PER_MS, &out));
    cr_expect_lt(out.latency_ns, 0, "the one before it is over too");
    flow_names_free(end(&test).names);
}

static bool note_with_id(struct test_table *test, const struct dns_message *message, uint16_t ip_id,
                         int64_t at_ns)
{
    struct packet packet =
        message->response ? udp_packet(2, 53, 1, 40000, at_ns) : udp_packet(1, 40000, 2, 53, at_ns);
    packet.tcp.ip_id = ip_id;
    struct flow_hit hit = feed(test, &packet).hit;
    struct dns_transaction out;
    return flow_note_dns(&test->table, &hit, &packet, message, &out);
}

// A frame that was captured twice is one answer.
Test(dns_names, of_a_frame_captured_twice_are_one_answer)
{
    struct test_table test;
    test_table_init(&test, test_policy());
    struct dns_message question = message(1, false, "found.example");
    struct dns_message answer = message(1, true, "found.example");
    cr_expect(note_with_id(&test, &answer, 7, 0), "nobody asked");
    cr_expect_not(note_with_id(&test, &answer, 7, 0));
    cr_expect(note_with_id(&test, &answer, 8, 0), "sent again");
    cr_expect(note_with_id(&test, &answer, 8, NS_PER_S));
    cr_expect(note_with_id(&test, &answer, 0, NS_PER_S));
    cr_expect(note_with_id(&test, &answer, 0, NS_PER_S), "a flood of equal answers");
    for (int i = 0; i < 3; i++)
        note_with_id(&test, &question, 0, 2 * NS_PER_S);
    cr_expect(note_with_id(&test, &answer, 0, 2 * NS_PER_S));
    cr_expect_not(note_with_id(&test, &answer, 0, 2 * NS_PER_S), "servers answer a question once");
    cr_expect(note_with_id(&test, &answer, 0, 2 * NS_PER_S + NS_PER_MS));
    flow_names_free(end(&test).names);
}

// What goes to many is paired with nothing, and nobody answers himself.
Test(dns_names, are_not_paired_across_multicast)
{
    struct test_table test;
    test_table_init(&test, test_policy());
    struct dns_transaction out;
    for (int to_many = 0; to_many < 2; to_many++) {
        struct dns_message question = message(0, false, "printer.local"),
                           answer = message(0, true, "printer.local");
        struct packet packet = udp_packet(1, 5353, 2, 5353, 0);
        if (to_many != 0)
            packet.target = address_v4((const uint8_t[]){224, 0, 0, 251});
        struct flow_hit hit = feed(&test, &packet).hit;
        cr_expect_not(flow_note_dns(&test.table, &hit, &packet, &question, &out));
        hit = feed(&test, &packet).hit;
        cr_assert(flow_note_dns(&test.table, &hit, &packet, &answer, &out));
        cr_expect_lt(out.latency_ns, 0);
    }
    finish(&test, 0);
    for (int i = 0; i < 2; i++)
        flow_names_free(take(&test).names);
    test_table_done(&test);
}

static struct tls_hello made_hello(const char *sni, bool complete, const char *offer)
{
    struct tls_hello hello = {.version = complete ? 0x0304 : 0, .complete = complete};
    hello.sni_status = sni[0] != '\0' ? SNI_COMPLETE : SNI_TRUNCATED;
    hello.sni_length = (uint8_t)snprintf(hello.sni, sizeof hello.sni, "%s", sni);
    snprintf(hello.alpn, sizeof hello.alpn, "h2");
    snprintf(hello.offer, sizeof hello.offer, "%s", offer);
    return hello;
}

// The name of the last whole hello, the offer of the first; what is cut erases nothing.
Test(tls_names, are_those_of_the_last_whole_hello)
{
    struct test_table test;
    test_table_init(&test, test_policy());
    struct packet packet = tcp_packet(1, 40000, 2, 443, TCP_ACK, 0);
    struct flow *flow = feed(&test, &packet).flow;
    cr_expect_not(flow_has_hello(&test.table, flow));
    struct tls_hello cut = made_hello("", false, ""), first = made_hello("first.example", true, "one"),
                     second = made_hello("second.example", true, "two");
    second.ech_offered = true;
    struct tls_hello hellos[] = {cut, first, second, cut};
    for (unsigned i = 0; i < sizeof hellos / sizeof hellos[0]; i++)
        flow_note_tls(&test.table, flow, &hellos[i]);
    cr_expect(flow_has_hello(&test.table, flow));
    struct flow_record record = end(&test);
    cr_assert_not_null(record.names);
    cr_expect_eq(record.facts.app, FLOW_APP_TLS);
    cr_expect_eq(record.facts.tls_version, 0x0304);
    cr_expect_eq(record.facts.sni_status, SNI_COMPLETE);
    cr_expect(record.facts.ech_offered);
    cr_expect_str_eq(record.names->text[FLOW_TEXT_SNI], "second.example");
    cr_expect_str_eq(record.names->text[FLOW_TEXT_ALPN], "h2");
    cr_expect_str_eq(record.names->text[FLOW_TEXT_OFFER], "one");
    flow_names_free(record.names);
}
