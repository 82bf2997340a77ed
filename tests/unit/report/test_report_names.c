#include "decode/app/tls.h"
#include "made_report.h"

TestSuite(report_names, .init = start, .fini = stop);

Test(report_names, dns_failures_are_counted_by_code_and_name)
{
    give_answer("good.example", 0, 10 * NS_PER_MS);
    give_answer("bad.example", 3, 20 * NS_PER_MS);
    give_answer("BAD.example", 3, 30 * NS_PER_MS);
    give_answer("broken.example", 2, 900 * NS_PER_MS);
    totals.dns_messages = 8;
    const struct report_dns *dns = &finish()->dns;
    cr_expect_eq(dns->answers, 4);
    cr_expect_eq(dns->failures, 3);
    cr_assert_eq(dns->rcode_count, 2);
    cr_expect_eq(dns->rcodes[0].rcode, 3);
    cr_expect_eq(dns->rcodes[0].answers, 2);
    cr_assert_eq(dns->failed_count, 2);
    cr_expect_str_eq(dns->failed[0].name, "bad.example");
    cr_expect_eq(dns->failed[0].count, 2);
    cr_assert_eq(dns->slowest_count, 4);
    cr_expect_str_eq(dns->slowest[0]->name, "broken.example");
    cr_expect_eq(dns->slow, 1);
    cr_expect_eq(dns->median_ns, 25 * NS_PER_MS);
}

static struct flow_record dns_flow(int16_t rcode, uint8_t last_byte_of_server)
{
    struct flow_record record = tcp_flow(1, 200);
    record.protocol = IP_PROTOCOL_UDP;
    record.tcp_state = TCP_STATE_NONE;
    record.endpoint[1] = (struct endpoint){address_v4((const uint8_t[]){last_byte_of_server, 0, 0, 251}), 53};
    record.facts = (struct flow_facts){.app = FLOW_APP_DNS, .dns_type = 28, .dns_rcode = rcode};
    return record;
}

Test(report_names, a_query_evicted_before_an_answer_could_come_is_not_unanswered)
{
    struct flow_record query = dns_flow(-1, 9);
    query.reason = END_EVICTION;
    query.end_ns = query.first_seen_ns + NS_PER_S;
    give_texts(&query, NULL, FLOW_TEXT_DNS_QUERY, "lost.example");
    const struct report_dns *dns = &finish()->dns;
    cr_expect_eq(dns->unanswered, 0);
    cr_expect_eq(dns->unanswered_count, 0);
    cr_expect_eq(dns->inconclusive, 1);
}

Test(report_names, a_dns_flow_without_answer_is_unanswered_unless_it_asked_everybody)
{
    struct flow_record asked = dns_flow(-1, 9), multicast = dns_flow(-1, 224), answered = dns_flow(0, 9);
    give_texts(&asked, NULL, FLOW_TEXT_DNS_QUERY, "lost.example");
    give_texts(&multicast, NULL, FLOW_TEXT_DNS_QUERY, "lost.example");
    give_texts(&answered, NULL, FLOW_TEXT_DNS_QUERY, "lost.example");
    const struct report_dns *dns = &finish()->dns;
    cr_expect_eq(dns->unanswered, 1);
    cr_assert_eq(dns->unanswered_count, 1);
    cr_expect_str_eq(dns->unanswered_names[0].name, "lost.example");
    cr_expect_eq(dns->unanswered_names[0].type, 28);
    cr_expect_eq(dns->unanswered_names[0].server.bytes[0], 9);
}

Test(report_names, tls_names_and_versions)
{
    struct flow_record record = tcp_flow(1, 1000);
    record.facts =
        (struct flow_facts){.app = FLOW_APP_TLS, .tls_version = 0x0304, .sni_status = SNI_COMPLETE};
    give_texts(&record, NULL, FLOW_TEXT_SNI, "www.example.com");
    give_texts(&record, NULL, FLOW_TEXT_SNI, "WWW.Example.com");
    record.facts.tls_version = 0x0301;
    record.facts.sni_status = SNI_ABSENT;
    give(&record);
    const struct report_summary *summary = finish();
    cr_expect_eq(summary->tls.flows, 3);
    cr_expect_eq(summary->tls.without_name, 1);
    cr_expect_eq(summary->tls.outdated, 1);
    cr_assert_eq(summary->tls.name_count, 1);
    cr_expect_str_eq(summary->tls.name[0].name, "www.example.com");
    cr_expect_eq(summary->tls.name[0].flows, 2);
    cr_expect_eq(summary->tls.versions[0].version, 0x0304);
    cr_expect_eq(summary->application_count, 1);
    cr_expect_str_eq(summary->applications[0].name, "tls");
}

Test(report_names, more_names_than_it_keeps_are_said_to_be_missing_and_heavy_ones_stay)
{
    for (unsigned i = 0; i < 40000; i++) {
        char name[32];
        snprintf(name, sizeof name, "n%05u.example", i);
        give_answer(name, 3, -1);
        give_answer("heavy.example", 3, -1);
    }
    const struct report_summary *summary = finish();
    cr_expect_eq(summary->dns.failures, 80000);
    cr_expect_str_eq(summary->dns.failed[0].name, "heavy.example");
    cr_expect_eq(summary->dns.failed[0].count, 40000);
    cr_expect_gt(summary->overflow.dns_names, 20000);
    cr_expect(says(&summary->warnings, "given up"));
}
