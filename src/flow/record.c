#include "flow/record.h"

#include <stdlib.h>

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

void flow_names_free(struct flow_names *names)
{
    free(names);
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
