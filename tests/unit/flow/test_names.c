#include <stdio.h>

#include "packets.h"

static struct dns_message message(uint16_t id, bool response, const char *name)
{
    struct dns_message message = {.id = id, .response = response, .type = 1};
    message.name.length = (uint8_t)snprintf(message.name.text, sizeof message.name.text, "%s", name);
    return message;
}

// A query from 10.0.0.1 to 10.0.0.2:53, or the answer.
static bool note(struct test_table *test, const struct dns_message *message, int64_t at_ns,
                 struct dns_transaction *out)
{
    struct packet packet =
        message->response ? udp_packet(2, 53, 1, 1000, at_ns) : udp_packet(1, 1000, 2, 53, at_ns);
    return flow_note_dns(&test->table, feed(test, &packet).flow, &packet, message, out);
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

Test(tls_names, are_those_of_the_last_hello)
{
    struct test_table test;
    test_table_init(&test, test_policy());
    struct packet packet = tcp_packet(1, 40000, 2, 443, TCP_ACK, 0);
    struct flow *flow = feed(&test, &packet).flow;
    struct tls_hello hello = {
        .version = 0x0303, .sni_status = SNI_COMPLETE, .sni = "outer.example", .alpn = "http/1.1"};
    flow_note_tls(&test.table, flow, &hello);
    hello = (struct tls_hello){
        .version = 0x0304, .sni_status = SNI_ECH_OUTER, .sni = "inner.example", .alpn = "h2"};
    snprintf(hello.ja3, sizeof hello.ja3, "0123456789abcdef0123456789abcdef");
    snprintf(hello.ja4, sizeof hello.ja4, "t13d1516h2_8daaf6152771_b186095e22b6");
    flow_note_tls(&test.table, flow, &hello);
    struct flow_record record = end(&test);
    cr_assert_not_null(record.names);
    cr_expect_eq(record.facts.app, FLOW_APP_TLS);
    cr_expect_eq(record.facts.tls_version, 0x0304);
    cr_expect_eq(record.facts.sni_status, SNI_ECH_OUTER);
    cr_expect_str_eq(record.names->text[FLOW_TEXT_SNI], "inner.example");
    cr_expect_str_eq(record.names->text[FLOW_TEXT_ALPN], "h2");
    cr_expect_str_eq(record.names->text[FLOW_TEXT_JA3], hello.ja3);
    cr_expect_str_eq(record.names->text[FLOW_TEXT_JA4], hello.ja4);
    flow_names_free(record.names);
}
