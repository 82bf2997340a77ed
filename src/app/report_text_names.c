#include <string.h>

#include "app/report_text_parts.h"
#include "base/text_table.h"
#include "base/time.h"
#include "base/units.h"
#include "decode/app/dns.h"
#include "decode/app/tls.h"

enum { LIST_INDENT = 14, LIST_LINES = 2, SLOWEST_SHOWN = 3, MEDIAN_LEAST = 3, QUANTILE_LEAST = 20 };

static void add_name(struct strbuf *into, const char *name)
{
    strbuf_add_wire(into, name, strlen(name));
}

static void add_times(struct strbuf *into, uint64_t count)
{
    if (count > 1) {
        strbuf_add(into, " x");
        units_add_count(into, count);
    }
}

static double seconds(int64_t span_ns)
{
    return (double)span_ns / (double)NS_PER_S;
}

static void add_counted(struct text_list *list, uint64_t count, const char *what)
{
    if (count == 0)
        return;
    struct strbuf *item = list_item(list);
    units_add_count(item, count);
    strbuf_addf(item, " %s", what);
}

static void add_quantile(struct text_list *list, const char *what, int64_t latency_ns)
{
    struct strbuf *item = list_item(list);
    strbuf_add(item, what);
    units_add_span(item, seconds(latency_ns));
}

static void add_dns_counts(struct strbuf *into, const struct report_dns *dns)
{
    struct text_list list;
    strbuf_add_char(into, '\n');
    list_begin(&list, into, "DNS", LIST_INDENT, LIST_LINES);
    add_counted(&list, dns->messages, dns->messages == 1 ? "message" : "messages");
    add_counted(&list, dns->answers, dns->answers == 1 ? "answer" : "answers");
    add_counted(&list, dns->failures, "failed");
    add_counted(&list, dns->unanswered, "unanswered");
    add_counted(&list, dns->inconclusive, "evicted too soon to tell");
    if (dns->timed >= MEDIAN_LEAST)
        add_quantile(&list, "median ", dns->median_ns);
    if (dns->timed >= QUANTILE_LEAST)
        add_quantile(&list, "95 % within ", dns->p95_ns);
    list_end(&list);
}

static void add_failed(struct strbuf *into, const struct report_dns *dns)
{
    if (dns->failed_count == 0)
        return;
    struct text_list list;
    list_begin(&list, into, "  failed", LIST_INDENT, LIST_LINES);
    for (unsigned i = 0; i < dns->failed_count; i++) {
        const struct report_dns_name *row = &dns->failed[i];
        char code[12], type[12];
        struct strbuf *item = list_item(&list);
        strbuf_addf(item, "%s %s ", dns_rcode_name(row->rcode, code), dns_type_name(row->type, type));
        add_name(item, row->name);
        add_times(item, row->count);
    }
    list_end(&list);
}

static void add_unanswered(struct strbuf *into, const struct report_dns *dns)
{
    if (dns->unanswered_count == 0)
        return;
    struct text_list list;
    list_begin(&list, into, "  unanswered", LIST_INDENT, LIST_LINES);
    for (unsigned i = 0; i < dns->unanswered_count; i++) {
        const struct report_dns_name *row = &dns->unanswered_names[i];
        char type[12];
        struct strbuf *item = list_item(&list);
        strbuf_addf(item, "%s ", dns_type_name(row->type, type));
        add_name(item, row->name);
        strbuf_add(item, " by ");
        address_add(item, &row->server);
        add_times(item, row->count);
    }
    list_end(&list);
}

static void add_slowest(struct strbuf *into, const struct report_dns *dns)
{
    if (dns->slowest_count == 0)
        return;
    struct text_list list;
    list_begin(&list, into, "  slowest", LIST_INDENT, LIST_LINES);
    for (unsigned i = 0; i < dns->slowest_count && i < SLOWEST_SHOWN; i++) {
        const struct report_dns_answer *row = dns->slowest[i];
        char type[12];
        struct strbuf *item = list_item(&list);
        units_add_span(item, seconds(row->latency_ns));
        strbuf_addf(item, " %s ", dns_type_name(row->type, type));
        add_name(item, row->name);
    }
    list_end(&list);
}

static void add_versions(struct text_list *list, const struct report_tls *tls)
{
    for (unsigned i = 0; i < tls->version_count; i++) {
        char name[12];
        struct strbuf *item = list_item(list);
        units_add_count(item, tls->versions[i].flows);
        strbuf_addf(item, " up to %s", tls_version_name(tls->versions[i].version, name));
    }
}

static void add_tls(struct strbuf *into, const struct report_tls *tls)
{
    struct text_list list;
    if (tls->flows == 0)
        return;
    strbuf_add_char(into, '\n');
    list_begin(&list, into, "TLS", LIST_INDENT, LIST_LINES);
    add_counted(&list, tls->flows, tls->flows == 1 ? "flow" : "flows");
    add_versions(&list, tls);
    add_counted(&list, tls->without_name, "without a name");
    add_counted(&list, tls->encrypted, "offering ECH (their names may be outer ones)");
    add_counted(&list, tls->cut, "cut short");
    list_end(&list);
    if (tls->name_count == 0)
        return;
    list_begin(&list, into, "  names", LIST_INDENT, LIST_LINES);
    for (unsigned i = 0; i < tls->name_count; i++) {
        struct strbuf *item = list_item(&list);
        add_name(item, tls->name[i].name);
        add_times(item, tls->name[i].flows);
    }
    list.hidden += (unsigned)(tls->names - tls->name_count);
    list_end(&list);
}

void report_add_names(struct strbuf *into, const struct report_summary *summary)
{
    if (summary->dns.messages > 0) {
        add_dns_counts(into, &summary->dns);
        add_failed(into, &summary->dns);
        add_unanswered(into, &summary->dns);
        add_slowest(into, &summary->dns);
    }
    add_tls(into, &summary->tls);
}
