#include "flow/record.h"

#include <stdlib.h>
#include <string.h>

const char *tcp_state_name(enum tcp_state state)
{
    static const char *const names[] = {
        [TCP_STATE_NONE] = "none",
        [TCP_STATE_UNKNOWN] = "unknown",
        [TCP_STATE_SYN_SENT] = "syn_sent",
        [TCP_STATE_SYN_ACK] = "syn_ack",
        [TCP_STATE_ESTABLISHED] = "established",
        [TCP_STATE_FIN_WAIT] = "fin_wait",
        [TCP_STATE_CLOSED] = "closed",
        [TCP_STATE_RESET] = "reset",
    };
    return names[state];
}

const char *end_reason_name(enum end_reason reason)
{
    static const char *const names[END_REASONS] = {
        [END_TIMEOUT] = "timeout", [END_ACTIVE] = "active", [END_EVICTION] = "eviction",
        [END_CLOSED] = "closed",   [END_RESET] = "reset",   [END_REUSE] = "reuse",
        [END_RUN] = "end",
    };
    return names[reason];
}

const char *flow_app_name(enum flow_app app)
{
    static const char *const names[FLOW_APPS] = {
        [FLOW_APP_NONE] = "none", [FLOW_APP_DNS] = "dns", [FLOW_APP_TLS] = "tls"};
    return names[app];
}

const struct flow_names flow_names_none = {
    .sni = "", .alpn = "", .ja3 = "", .ja4 = "", .dns_query = "", .dns_rcode = -1};

enum { LONGEST_NAME_TEXT = 255, NAME_TEXTS = 5 };

struct text_sizes {
    size_t sni, alpn, ja3, ja4, dns_query; // with their ends
    size_t all;
};

static size_t text_size(const char *text)
{
    return strnlen(text, LONGEST_NAME_TEXT) + 1;
}

static struct text_sizes measure_texts(const struct flow_names *names)
{
    struct text_sizes sizes = {
        .sni = text_size(names->sni),
        .alpn = text_size(names->alpn),
        .ja3 = text_size(names->ja3),
        .ja4 = text_size(names->ja4),
        .dns_query = text_size(names->dns_query),
    };
    sizes.all = sizes.sni + sizes.alpn + sizes.ja3 + sizes.ja4 + sizes.dns_query;
    return sizes;
}

static const char *put_text(char **at, const char *text, size_t size)
{
    char *begin = *at;
    memcpy(begin, text, size - 1);
    begin[size - 1] = '\0';
    *at = begin + size;
    return begin;
}

static void put_names(const struct flow_names *names, const struct text_sizes *sizes, struct flow_names *into,
                      char *texts)
{
    *into = *names;
    into->text_bytes = (uint16_t)sizes->all;
    into->sni = put_text(&texts, names->sni, sizes->sni);
    into->alpn = put_text(&texts, names->alpn, sizes->alpn);
    into->ja3 = put_text(&texts, names->ja3, sizes->ja3);
    into->ja4 = put_text(&texts, names->ja4, sizes->ja4);
    into->dns_query = put_text(&texts, names->dns_query, sizes->dns_query);
}

struct flow_names *flow_names_copy(const struct flow_names *names)
{
    struct text_sizes sizes = measure_texts(names);
    struct flow_names *copy = malloc(sizeof *copy + sizes.all);
    if (copy != NULL)
        put_names(names, &sizes, copy, (char *)(copy + 1));
    return copy;
}

void flow_names_free(struct flow_names *names)
{
    free(names);
}

void flow_names_copy_into(const struct flow_names *names, struct flow_names *into,
                          char texts[FLOW_NAMES_TEXT_BYTES])
{
    _Static_assert(NAME_TEXTS * (LONGEST_NAME_TEXT + 1) <= FLOW_NAMES_TEXT_BYTES, "all texts fit");
    struct text_sizes sizes = measure_texts(names);
    put_names(names, &sizes, into, texts);
}

static int compare_i64(int64_t left, int64_t right)
{
    return (left > right) - (left < right);
}

static int compare_endpoints(const struct endpoint *left, const struct endpoint *right)
{
    int order = address_compare(&left->address, &right->address);
    return order != 0 ? order : compare_i64(left->port, right->port);
}

int flow_record_compare_keys(const struct flow_record *left, const struct flow_record *right)
{
    int order = compare_i64(left->protocol, right->protocol);
    for (int side = 0; side < 2 && order == 0; side++)
        order = compare_endpoints(&left->endpoint[side], &right->endpoint[side]);
    if (order == 0)
        order = compare_i64(left->tunnel.kind, right->tunnel.kind);
    if (order == 0)
        order = compare_i64(left->tunnel.id, right->tunnel.id);
    if (order == 0)
        order = compare_i64(left->first_seen_ns, right->first_seen_ns);
    return order != 0 ? order : compare_i64(left->record_seq, right->record_seq);
}

int flow_record_compare(const struct flow_record *left, const struct flow_record *right)
{
    int order = compare_i64(left->end_ns, right->end_ns);
    return order != 0 ? order : flow_record_compare_keys(left, right);
}
