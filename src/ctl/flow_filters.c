#include <assert.h>
#include <protobuf-c/protobuf-c.h>

#include "api/build.h"
#include "ctl/filter_rows.h"
#include "ctl/filters.h"
#include "ctl/options.h"
#include "netscope/v1/filter.pb-c.h"

typedef Netscope__V1__FlowFilter Filter;
typedef Netscope__V1__EndpointFilter End;

// clang-format off
static const struct option_row rows[] = {
    {.name = "ip", .argument = "NETWORK", .help = "of either end: an address, or 10.0.0.0/8", .hint = HINT_ADDRESS},
    {.name = "from-ip", .argument = "NETWORK", .help = "of the client", .hint = HINT_ADDRESS},
    {.name = "to-ip", .argument = "NETWORK", .help = "of the server", .hint = HINT_ADDRESS},
    {.name = "port", .argument = "PORT", .help = "of either end: 443, or 8000-8999", .hint = HINT_SERVER_PORT},
    {.name = "from-port", .argument = "PORT", .help = "of the client"},
    {.name = "to-port", .argument = "PORT", .help = "of the server", .hint = HINT_SERVER_PORT},
    {.name = "namespace", .argument = "NAME", .help = "of either end", .hint = HINT_NAMESPACE},
    {.name = "from-namespace", .argument = "NAME", .help = "of the client", .hint = HINT_NAMESPACE},
    {.name = "to-namespace", .argument = "NAME", .help = "of the server", .hint = HINT_NAMESPACE},
    {.name = "protocol", .argument = "NAME", .help = "tcp, udp, icmp...", .hint = HINT_PROTOCOL},
    {.name = "name", .argument = "NAME", .help = "of an end, the TLS server or the DNS question; *.a.com: a.com and all below it", .hint = HINT_NAME, .also = "fqdn"},
    {.name = "app", .argument = "NAME", .help = "dns, tls...", .hint = HINT_APP},
    {.name = "interface", .argument = "NAME", .help = "that saw it", .hint = HINT_INTERFACE},
    {.name = "tcp-state", .argument = "STATE", .help = "unknown, syn_sent, syn_ack, established, fin_wait, closed or reset",
     .words = tcp_state_words},
    {.name = "conn-state", .argument = "STATE", .help = "as Zeek says it: S0, S1, SF, REJ, S2, S3, RSTO, RSTR, RSTOS0, RSTRH, SH, SHR or OTH",
     .words = conn_state_words},
    {.name = "vlan", .argument = "ID", .help = "the outer one", .hint = HINT_VLAN},
    {.name = "tunnel", .argument = "KIND", .help = "ipip, gre, erspan, vxlan, geneve, gtp_u or teredo",
     .words = tunnel_kind_words},
    {.name = "tunnel-id", .argument = "ID", .help = "VNI, key or TEID"},
    {.name = "tls-version", .argument = "VERSION", .help = "the highest offered: \"TLS 1.3\""},
    {.name = "sni-status", .argument = "STATUS", .help = "of the TLS server's name: complete, reassembled, truncated, gap or absent",
     .words = sni_status_words},
    {.name = "community-id", .argument = "ID", .help = "1:LQU9qZlK+B5F3KDmev6m5PMibrg="},
    {.name = "id", .argument = "ID", .help = "of the flow, as -o wide and exports tell it"},
    {.name = "min-bytes", .argument = "N", .help = "in both directions together: 1500, 20k, 1.5M"},
    {.name = "max-bytes", .argument = "N", .help = "likewise"},
    {.name = "min-packets", .argument = "N", .help = "likewise"},
    {.name = "max-packets", .argument = "N", .help = "likewise"},
    {.name = "min-retransmissions", .argument = "N", .help = "of TCP"},
    {.name = "min-duration", .argument = "SPAN", .help = "90s, 5m, 1h30m"},
    {.name = "max-duration", .argument = "SPAN", .help = "likewise"},
    {.name = "min-rtt", .argument = "SPAN", .help = "the moving average: 50ms"},
    {.name = "max-rtt", .argument = "SPAN", .help = "likewise"},
    {.name = NULL},
};

#define ONE(kind, member)  {kind, offsetof(Filter, member), 0}
#define LIST(kind, member) {kind, offsetof(Filter, member), offsetof(Filter, n_##member)}
// In the order of the rows.
static const struct filter_member members[] = {
    ONE(FILTER_NETWORK, one_end), ONE(FILTER_NETWORK, client), ONE(FILTER_NETWORK, server),
    ONE(FILTER_PORT, one_end), ONE(FILTER_PORT, client), ONE(FILTER_PORT, server),
    ONE(FILTER_NAMESPACE, one_end), ONE(FILTER_NAMESPACE, client), ONE(FILTER_NAMESPACE, server),
    LIST(FILTER_TEXT, protocols), LIST(FILTER_NAME, names), LIST(FILTER_TEXT, apps), LIST(FILTER_TEXT, interfaces),
    LIST(FILTER_WORD, tcp_states), LIST(FILTER_TEXT, conn_states), LIST(FILTER_NUMBER, vlans),
    LIST(FILTER_WORD, tunnel_kinds), LIST(FILTER_NUMBER, tunnel_ids), LIST(FILTER_TEXT, tls_versions),
    LIST(FILTER_WORD, sni_statuses), LIST(FILTER_TEXT, community_ids), LIST(FILTER_TEXT, ids),
    ONE(FILTER_NUMBER_MIN, bytes), ONE(FILTER_NUMBER_MAX, bytes),
    ONE(FILTER_NUMBER_MIN, packets), ONE(FILTER_NUMBER_MAX, packets), ONE(FILTER_NUMBER_MIN, retransmissions),
    ONE(FILTER_SPAN_MIN, duration), ONE(FILTER_SPAN_MAX, duration),
    ONE(FILTER_SPAN_MIN, rtt), ONE(FILTER_SPAN_MAX, rtt),
};
// clang-format on
_Static_assert(sizeof members / sizeof members[0] + 1 == sizeof rows / sizeof rows[0],
               "a member for each row");

const struct option_group flow_filter_options = {"Filters (--not before one: leave out what it fits)", rows,
                                                 true};

static const struct filter_kinds kinds = {&netscope__v1__flow_filter__descriptor, rows, members};

// What is asked of either end: addresses, ports, namespaces.
enum { ASKS_NETWORKS = 1, ASKS_PORTS = 2, ASKS_NAMESPACES = 4, ASKS_ALL = 7 };

static unsigned asks_of(const End *end)
{
    return (end->n_networks > 0 ? ASKS_NETWORKS : 0U) | (end->n_ports > 0 ? ASKS_PORTS : 0U) |
           (end->n_namespaces > 0 ? ASKS_NAMESPACES : 0U);
}

// What `asks` names of an end.
static End *part_of_end(struct build *build, const End *end, unsigned asks)
{
    End *part = build_part(build, sizeof *part);
    if (part == NULL)
        return NULL;
    *part = *end;
    part->n_networks = asks & ASKS_NETWORKS ? end->n_networks : 0;
    part->n_ports = asks & ASKS_PORTS ? end->n_ports : 0;
    part->n_namespaces = asks & ASKS_NAMESPACES ? end->n_namespaces : 0;
    return part;
}

// A copy in which the other end has to meet what `asks` names.
static Filter *with_ends_apart(struct build *build, const Filter *filter, unsigned asks)
{
    Filter *other = (Filter *)filter_copy(&kinds, build, &filter->base);
    if (other == NULL)
        return NULL;
    other->one_end = part_of_end(build, filter->one_end, ~asks & ASKS_ALL);
    other->other_end = part_of_end(build, filter->one_end, asks);
    return other;
}

// The end that has the address need not be the one that has the port: a filter for each way to share out what is asked.
static void add_ways(struct build *build, struct flow_filters *into)
{
    const Filter *filter = into->allow[0];
    unsigned asked = filter->one_end != NULL ? asks_of(filter->one_end) : 0;
    unsigned first = asked & -asked; // which stays: ways that only swap the ends are one
    for (unsigned asks = 1; asks <= ASKS_ALL; asks++)
        if ((asks & ~asked) == 0 && (asks & first) == 0) {
            assert(into->allow_count < FILTER_ALLOW_ROOM);
            into->allow[into->allow_count++] = with_ends_apart(build, filter, asks);
        }
}

bool flow_filters_build(struct build *build, const struct invocation *given, struct flow_filters *into,
                        struct error *error)
{
    struct filter_lists lists;
    if (!filter_lists_build(&kinds, build, given, &lists, error))
        return false;
    *into = (struct flow_filters){(Filter **)(void *)lists.allow, (Filter **)(void *)lists.deny,
                                  lists.allow_count, lists.deny_count};
    if (into->allow_count > 0 && into->allow[0] != NULL)
        add_ways(build, into);
    return !build->failed || error_set(error, ERROR_EXHAUSTED, "no memory for the filters");
}
