// Of netscope.v1.Report: DNS and TLS.
#include "api/report_message_build.h"
#include "api/timestamp.h"
#include "base/time.h"
#include "decode/app/dns.h"
#include "decode/app/tls.h"
#include "netscope/v1/report.pb-c.h"

static char *rcode_text(struct report_message *message, uint16_t rcode)
{
    char name[12];
    return build_text(&message->build, dns_rcode_name(rcode, name));
}

static char *type_text(struct report_message *message, uint16_t type)
{
    char name[12];
    return build_text(&message->build, dns_type_name(type, name));
}

static void build_codes(struct report_message *message, Netscope__V1__Report__Dns *dns)
{
    const struct report_dns *from = &message->summary->dns;
    dns->n_failures_by_rcode = build_rows(&message->build, &dns->failures_by_rcode, from->rcode_count,
                                          sizeof **dns->failures_by_rcode);
    for (size_t i = 0; i < dns->n_failures_by_rcode; i++) {
        netscope__v1__report__dns_code__init(dns->failures_by_rcode[i]);
        dns->failures_by_rcode[i]->rcode = rcode_text(message, from->rcodes[i].rcode);
        dns->failures_by_rcode[i]->answers = from->rcodes[i].answers;
    }
}

static void build_failed(struct report_message *message, Netscope__V1__Report__Dns *dns)
{
    const struct report_dns *from = &message->summary->dns;
    dns->n_failed_names =
        build_rows(&message->build, &dns->failed_names, from->failed_count, sizeof **dns->failed_names);
    for (size_t i = 0; i < dns->n_failed_names; i++) {
        Netscope__V1__Report__DnsFailure *row = dns->failed_names[i];
        netscope__v1__report__dns_failure__init(row);
        row->name = build_text(&message->build, from->failed[i].name);
        row->type = type_text(message, from->failed[i].type);
        row->rcode = rcode_text(message, from->failed[i].rcode);
        row->answers = from->failed[i].count;
    }
}

static void build_unanswered(struct report_message *message, Netscope__V1__Report__Dns *dns)
{
    const struct report_dns *from = &message->summary->dns;
    dns->n_unanswered_names = build_rows(&message->build, &dns->unanswered_names, from->unanswered_count,
                                         sizeof **dns->unanswered_names);
    for (size_t i = 0; i < dns->n_unanswered_names; i++) {
        Netscope__V1__Report__DnsUnanswered *row = dns->unanswered_names[i];
        netscope__v1__report__dns_unanswered__init(row);
        row->name = build_text(&message->build, from->unanswered_names[i].name);
        row->type = type_text(message, from->unanswered_names[i].type);
        row->server_ip = build_address(&message->build, &from->unanswered_names[i].server);
        row->flows = from->unanswered_names[i].count;
    }
}

struct answer_row {
    Netscope__V1__Report__DnsAnswer row; // first: the message is the row
    Google__Protobuf__Timestamp time;
};

static void build_slowest(struct report_message *message, Netscope__V1__Report__Dns *dns)
{
    const struct report_dns *from = &message->summary->dns;
    dns->n_slowest =
        build_rows(&message->build, &dns->slowest, from->slowest_count, sizeof(struct answer_row));
    for (size_t i = 0; i < dns->n_slowest; i++) {
        const struct report_dns_answer *answer = from->slowest[i];
        Netscope__V1__Report__DnsAnswer *row = dns->slowest[i];
        netscope__v1__report__dns_answer__init(row);
        row->time = &((struct answer_row *)(void *)row)->time;
        timestamp_fill(row->time, answer->time_ns);
        row->latency_ms = time_ms(answer->latency_ns);
        row->client_ip = build_address(&message->build, &answer->client);
        row->server_ip = build_address(&message->build, &answer->server);
        row->name = build_text(&message->build, answer->name);
        row->type = type_text(message, answer->type);
        row->rcode = rcode_text(message, answer->rcode);
    }
}

void build_dns(struct report_message *message)
{
    const struct report_dns *from = &message->summary->dns;
    Netscope__V1__Report__Dns *dns = build_part(&message->build, sizeof *dns);
    if (dns == NULL)
        return;
    netscope__v1__report__dns__init(dns);
    dns->messages = from->messages;
    dns->answers = from->answers;
    dns->failures = from->failures;
    dns->inconclusive = from->inconclusive;
    dns->unanswered = from->unanswered;
    dns->slow = from->slow;
    if (from->timed > 0) {
        SET_KNOWN(dns, DNS__, MEDIAN_MS, median_ms, time_ms(from->median_ns));
        SET_KNOWN(dns, DNS__, P95_MS, p95_ms, time_ms(from->p95_ns));
    }
    build_codes(message, dns);
    build_failed(message, dns);
    build_unanswered(message, dns);
    build_slowest(message, dns);
    message->report->dns = dns;
}

static void build_versions(struct report_message *message, Netscope__V1__Report__Tls *tls)
{
    const struct report_tls *from = &message->summary->tls;
    tls->n_versions =
        build_rows(&message->build, &tls->versions, from->version_count, sizeof **tls->versions);
    for (size_t i = 0; i < tls->n_versions; i++) {
        char name[12];
        netscope__v1__report__tls_version__init(tls->versions[i]);
        tls->versions[i]->version =
            build_text(&message->build, tls_version_name(from->versions[i].version, name));
        tls->versions[i]->flows = from->versions[i].flows;
    }
}

void build_tls(struct report_message *message)
{
    const struct report_tls *from = &message->summary->tls;
    Netscope__V1__Report__Tls *tls = build_part(&message->build, sizeof *tls);
    if (tls == NULL)
        return;
    netscope__v1__report__tls__init(tls);
    tls->hellos = from->hellos;
    tls->flows = from->flows;
    tls->without_sni = from->without_name;
    tls->ech = from->encrypted;
    tls->cut_short = from->cut;
    tls->outdated = from->outdated;
    tls->different_names = from->names;
    build_versions(message, tls);
    tls->n_names = build_rows(&message->build, &tls->names, from->name_count, sizeof **tls->names);
    for (size_t i = 0; i < tls->n_names; i++) {
        netscope__v1__report__tls_name__init(tls->names[i]);
        tls->names[i]->sni = build_text(&message->build, from->name[i].name);
        tls->names[i]->flows = from->name[i].flows;
        tls->names[i]->bytes = from->name[i].bytes;
    }
    message->report->tls = tls;
}
