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

const char *client_from_name(enum client_from from)
{
    static const char *const names[] = {
        [CLIENT_UNKNOWN] = "unknown",           [CLIENT_SYN] = "syn",   [CLIENT_SYN_ACK] = "syn_ack",
        [CLIENT_FIRST_PACKET] = "first_packet", [CLIENT_PORT] = "port",
    };
    return names[from];
}

const char *flow_app_name(enum flow_app app)
{
    static const char *const names[FLOW_APPS] = {
        [FLOW_APP_NONE] = "none", [FLOW_APP_DNS] = "dns", [FLOW_APP_TLS] = "tls"};
    return names[app];
}

const struct flow_names flow_names_none = {
    .sni = "", .alpn = "", .ja3 = "", .ja4 = "", .dns_query = "", .dns_rcode = -1};

static size_t texts_bytes(const struct flow_names *names)
{
    return strlen(names->sni) + strlen(names->alpn) + strlen(names->ja3) + strlen(names->ja4) +
           strlen(names->dns_query) + 5;
}

// The text as it goes to *at, which moves behind it.
static const char *put_text(char **at, const char *end, const char *text)
{
    char *begin = *at;
    size_t length = strnlen(text, (size_t)(end - begin) - 1);
    memcpy(begin, text, length);
    begin[length] = '\0';
    *at = begin + length + (begin + length + 1 < end);
    return begin;
}

static void put_names(const struct flow_names *names, struct flow_names *into, char *texts, size_t bytes)
{
    const char *end = texts + bytes;
    *into = *names;
    into->sni = put_text(&texts, end, names->sni);
    into->alpn = put_text(&texts, end, names->alpn);
    into->ja3 = put_text(&texts, end, names->ja3);
    into->ja4 = put_text(&texts, end, names->ja4);
    into->dns_query = put_text(&texts, end, names->dns_query);
}

struct flow_names *flow_names_copy(const struct flow_names *names)
{
    size_t bytes = texts_bytes(names);
    struct flow_names *copy = malloc(sizeof *copy + bytes);
    if (copy != NULL)
        put_names(names, copy, (char *)(copy + 1), bytes);
    return copy;
}

void flow_names_free(struct flow_names *names)
{
    free(names);
}

size_t flow_names_bytes(const struct flow_names *names)
{
    return sizeof *names + texts_bytes(names);
}

void flow_names_copy_into(const struct flow_names *names, struct flow_names *into,
                          char texts[FLOW_NAMES_TEXT_BYTES])
{
    put_names(names, into, texts, FLOW_NAMES_TEXT_BYTES);
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
