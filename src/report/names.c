#include "report/names.h"

#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/time.h"
#include "decode/app/tls.h"

enum { NAMES_MAXIMUM = 16384, VERSIONS_MAXIMUM = 256, TLS_1_2 = 0x0303 };
enum { TYPE_AND_CODE_BYTES = 4, SERVER_AND_TYPE_BYTES = 19 }; // in front of the name in a key
static const int64_t slow_answer_ns = 500 * NS_PER_MS;

static int compare_answers(const void *left, const void *right)
{
    const struct report_dns_answer *a = left, *b = right;
    if (a->latency_ns != b->latency_ns)
        return a->latency_ns > b->latency_ns ? -1 : 1;
    if (a->time_ns != b->time_ns)
        return a->time_ns < b->time_ns ? -1 : 1;
    int order = address_compare(&a->client, &b->client);
    if (order == 0)
        order = address_compare(&a->server, &b->server);
    if (order == 0)
        order = strcmp(a->name, b->name);
    return order != 0 ? order : (int)a->type - (int)b->type;
}

bool report_names_init(struct report_names *names, unsigned top)
{
    names->top = top;
    tally_init(&names->failed, NAMES_MAXIMUM);
    tally_init(&names->unanswered, NAMES_MAXIMUM);
    tally_init(&names->tls_names, NAMES_MAXIMUM);
    tally_init(&names->versions, VERSIONS_MAXIMUM);
    return report_top_init(&names->slowest, top, sizeof(struct report_dns_answer), compare_answers);
}

void report_names_done(struct report_names *names)
{
    tally_done(&names->failed);
    tally_done(&names->unanswered);
    tally_done(&names->tls_names);
    tally_done(&names->versions);
    report_top_done(&names->slowest);
}

// Names compare without case (RFC 4343), so they are kept in lower case. Returns the length of the key, of which a
// terminator is part.
static size_t append_name(uint8_t key[TALLY_KEY_MAXIMUM], size_t length, const char *name)
{
    for (; *name != '\0' && length < TALLY_KEY_MAXIMUM - 1; name++) {
        bool upper = *name >= 'A' && *name <= 'Z';
        key[length++] = (uint8_t)(upper ? *name - 'A' + 'a' : *name);
    }
    key[length++] = '\0';
    return length;
}

static struct tally_row *row_of(struct tally *tally, const uint8_t *key, size_t length)
{
    return tally_at(tally, tally_hash(tally, key, length), key, length);
}

static void count_one(struct tally *tally, const uint8_t *key, size_t length)
{
    struct tally_row *row = row_of(tally, key, length);
    if (row != NULL)
        row->weight++;
}

static void add_failure(struct report_names *names, const struct dns_transaction *transaction)
{
    uint8_t key[TALLY_KEY_MAXIMUM];
    bytes_put_u16(key, (uint16_t)transaction->rcode);
    bytes_put_u16(key + 2, transaction->type);
    names->dns.failures++;
    count_one(&names->failed, key, append_name(key, TYPE_AND_CODE_BYTES, transaction->name.text));
}

static void add_latency(struct report_names *names, const struct dns_transaction *transaction)
{
    report_latency_add(&names->latency, transaction->latency_ns);
    names->dns.slow += transaction->latency_ns > slow_answer_ns;
    struct report_dns_answer answer = {
        .time_ns = transaction->time_ns,
        .latency_ns = transaction->latency_ns,
        .client = transaction->client,
        .server = transaction->server,
        .type = transaction->type,
        .rcode = (uint16_t)transaction->rcode,
    };
    memcpy(answer.name, transaction->name.text, sizeof answer.name);
    struct report_dns_answer *row = report_top_place(&names->slowest, &answer);
    if (row != NULL)
        *row = answer;
}

void report_names_add_dns(struct report_names *names, const struct dns_transaction *transaction)
{
    names->dns.answers++;
    names->answers_by_code[transaction->rcode % DNS_RCODES]++;
    if (transaction->rcode != 0)
        add_failure(names, transaction);
    if (transaction->latency_ns >= 0)
        add_latency(names, transaction);
}

static void add_dns_flow(struct report_names *names, const struct flow_event *event)
{
    const struct flow_record *record = &event->record;
    const char *query = flow_event_text(event, FLOW_TEXT_DNS_QUERY);
    const struct address *server = &record->endpoint[record->client == 1 ? 0 : 1].address;
    bool to_many = address_is_multicast(server) || address_is_broadcast(server);
    if (record->facts.dns_rcode >= 0 || to_many || query[0] == '\0')
        return;
    uint8_t key[TALLY_KEY_MAXIMUM];
    key[0] = server->version;
    memcpy(key + 1, server->bytes, sizeof server->bytes);
    bytes_put_u16(key + 1 + sizeof server->bytes, record->facts.dns_type);
    if (end_is_inconclusive(record->reason, record->first_seen_ns, record->end_ns)) {
        names->dns.inconclusive++;
        return;
    }
    names->dns.unanswered++;
    count_one(&names->unanswered, key, append_name(key, SERVER_AND_TYPE_BYTES, query));
}

static void add_server_name(struct report_names *names, const struct flow_event *event, const char *name)
{
    const struct flow_record *record = &event->record;
    uint8_t key[TALLY_KEY_MAXIMUM];
    struct tally_row *row = row_of(&names->tls_names, key, append_name(key, 0, name));
    if (row == NULL)
        return;
    row->weight++;
    row->counts[0] += record->bytes[0] + record->bytes[1];
}

static void add_tls_flow(struct report_names *names, const struct flow_event *event)
{
    const struct flow_facts *tls = &event->record.facts;
    const char *name = flow_event_text(event, FLOW_TEXT_SNI);
    uint8_t version[2];
    bytes_put_u16(version, tls->tls_version);
    names->tls.flows++;
    names->tls.without_name += tls->sni_status == SNI_ABSENT;
    names->tls.cut += tls->sni_status == SNI_TRUNCATED || tls->sni_status == SNI_GAP;
    names->tls.encrypted += tls->ech_offered;
    names->tls.outdated += tls->tls_version != 0 && tls->tls_version < TLS_1_2;
    if (tls->tls_version != 0)
        count_one(&names->versions, version, sizeof version);
    if (name[0] != '\0')
        add_server_name(names, event, name);
}

void report_names_add_flow(struct report_names *names, const struct flow_event *event)
{
    if (event->record.facts.app == FLOW_APP_DNS)
        add_dns_flow(names, event);
    else if (event->record.facts.app == FLOW_APP_TLS)
        add_tls_flow(names, event);
}

static const uint8_t *key_of(const struct tally_row *row)
{
    size_t length;
    return tally_key(row, &length);
}

static void fill_failed(const struct tally *tally, const struct tally_row *row, void *into)
{
    const uint8_t *key = key_of(row);
    (void)tally;
    *(struct report_dns_name *)into = (struct report_dns_name){
        .name = (const char *)key + TYPE_AND_CODE_BYTES,
        .type = bytes_u16(key + 2),
        .rcode = bytes_u16(key),
        .count = row->weight,
    };
}

static void fill_unanswered(const struct tally *tally, const struct tally_row *row, void *into)
{
    struct report_dns_name *name = into;
    const uint8_t *key = key_of(row);
    (void)tally;
    name->name = (const char *)key + SERVER_AND_TYPE_BYTES;
    name->type = bytes_u16(key + SERVER_AND_TYPE_BYTES - 2);
    name->server.version = key[0];
    memcpy(name->server.bytes, key + 1, sizeof name->server.bytes);
    name->count = row->weight;
}

static void fill_version(const struct tally *tally, const struct tally_row *row, void *into)
{
    (void)tally;
    *(struct report_tls_version *)into =
        (struct report_tls_version){.version = bytes_u16(key_of(row)), .flows = row->weight};
}

static void fill_tls_name(const struct tally *tally, const struct tally_row *row, void *into)
{
    (void)tally;
    *(struct report_tls_name *)into = (struct report_tls_name){
        .name = (const char *)key_of(row), .flows = row->weight, .bytes = row->counts[0]};
}

static void insert_code(struct report_dns *dns, struct report_dns_code code)
{
    unsigned at = dns->rcode_count;
    while (at > 0 && dns->rcodes[at - 1].answers < code.answers)
        at--;
    if (at == REPORT_RCODES)
        return;
    if (dns->rcode_count < REPORT_RCODES)
        dns->rcode_count++;
    memmove(&dns->rcodes[at + 1], &dns->rcodes[at], (dns->rcode_count - at - 1) * sizeof dns->rcodes[0]);
    dns->rcodes[at] = code;
}

static int64_t at_most(int64_t value, int64_t limit)
{
    return value < limit ? value : limit;
}

static bool finish_dns(struct report_names *names, struct report_dns *dns)
{
    *dns = names->dns;
    for (unsigned code = 1; code < DNS_RCODES; code++)
        if (names->answers_by_code[code] > 0)
            insert_code(dns, (struct report_dns_code){(uint16_t)code, names->answers_by_code[code]});
    dns->timed = names->latency.count;
    dns->slowest_count = names->slowest.count;
    dns->slowest = (const struct report_dns_answer *const *)(const void *)names->slowest.rows;
    dns->slowest_ns = dns->slowest_count > 0 ? dns->slowest[0]->latency_ns : -1;
    dns->median_ns = at_most(report_latency_quantile(&names->latency, 0.5), dns->slowest_ns);
    dns->p95_ns = at_most(report_latency_quantile(&names->latency, 0.95), dns->slowest_ns);
    dns->failed =
        tally_list(&names->failed, names->top, sizeof *dns->failed, fill_failed, &dns->failed_count);
    dns->unanswered_names = tally_list(&names->unanswered, names->top, sizeof *dns->unanswered_names,
                                       fill_unanswered, &dns->unanswered_count);
    return dns->failed != NULL && dns->unanswered_names != NULL;
}

static bool finish_tls(struct report_names *names, struct report_tls *tls)
{
    *tls = names->tls;
    tls->names = names->tls_names.count;
    tls->versions = tally_list(&names->versions, REPORT_TLS_VERSIONS, sizeof *tls->versions, fill_version,
                               &tls->version_count);
    tls->name = tally_list(&names->tls_names, names->top, sizeof *tls->name, fill_tls_name, &tls->name_count);
    return tls->versions != NULL && tls->name != NULL;
}

bool report_names_finish(struct report_names *names, const struct totals *totals,
                         struct report_summary *summary)
{
    bool finished = finish_dns(names, &summary->dns) && finish_tls(names, &summary->tls);
    summary->dns.messages = totals->dns_messages;
    summary->tls.hellos = totals->tls_hellos;
    summary->overflow.dns_names = names->failed.given_up + names->unanswered.given_up;
    summary->overflow.answers = totals->answers_given_up;
    summary->overflow.streams = totals->streams_given_up;
    summary->overflow.tls_names = names->tls_names.given_up;
    return finished;
}

void report_names_free(struct report_summary *summary)
{
    free(summary->dns.failed);
    free(summary->dns.unanswered_names);
    free(summary->tls.versions);
    free(summary->tls.name);
}
