// FlowFilter to struct flow_filter: addresses and words become numbers, names are looked up.
#include <assert.h>
#include <google/protobuf/duration.pb-c.h>
#include <stdio.h>
#include <string.h>

#include "api/field_path.h"
#include "api/filter_request.h"
#include "api/visibility.h"
#include "base/time.h"
#include "capture/source.h"
#include "decode/app/tls.h"
#include "decode/packet.h"
#include "flow/filter.h"
#include "net/protocol.h"
#include "netscope/v1/filter.pb-c.h"

typedef Netscope__V1__FlowFilter Filter;

// A filter that is being read, and where in the request it stands.
struct reading {
    struct call *call;
    struct field_path path;
    struct flow_filter *into;
};

#define WRONG(reading, ...) status_violate(&(reading)->call->status, (reading)->path.text, __VA_ARGS__)

static void *part(struct reading *reading, size_t count, size_t bytes)
{
    return build_part(&reading->call->build, count * bytes + 1);
}

static void read_networks(struct reading *reading, char *const *texts, size_t count,
                          struct filter_prefixes *into)
{
    struct prefix *prefixes = part(reading, count, sizeof *prefixes);
    for (size_t i = 0; prefixes != NULL && i < count; i++) {
        size_t before = field_path_enter(&reading->path, "networks", (int)i);
        if (!prefix_parse(texts[i], &prefixes[i]))
            WRONG(reading, "\"%.60s\" is no address or network (\"10.0.0.0/8\", host bits zero)", texts[i]);
        field_path_leave(&reading->path, before);
    }
    *into = (struct filter_prefixes){prefixes, prefixes != NULL ? (unsigned)count : 0};
}

static struct filter_ports read_port_range(struct reading *reading, const Netscope__V1__PortRange *range)
{
    bool has_min = range->min_value_case == NETSCOPE__V1__PORT_RANGE__MIN_VALUE_MIN;
    bool has_max = range->max_value_case == NETSCOPE__V1__PORT_RANGE__MAX_VALUE_MAX;
    uint32_t min = has_min ? range->min : 1, max = has_max ? range->max : UINT16_MAX;
    if (min == 0 || min > UINT16_MAX || max > UINT16_MAX)
        WRONG(reading, "ports are 1 to 65535");
    else if (min > max)
        WRONG(reading, "min, %u, is above max, %u", min, max);
    return (struct filter_ports){(uint16_t)min, (uint16_t)max};
}

static const struct filter_places nowhere;

// Where they lie is looked up later. A caller may name his own only, if he is limited by namespaces; else they count where he
// may know of them (flow_filter.inside).
static void read_namespaces(struct reading *reading, const Netscope__V1__EndpointFilter *from)
{
    const struct limits *limits = reading->call->limits;
    for (size_t i = 0; i < from->n_namespaces; i++) {
        size_t before = field_path_enter(&reading->path, "namespaces", (int)i);
        bool mine = limits == NULL || limits->namespace_count == 0;
        for (unsigned j = 0; !mine && j < limits->namespace_count; j++)
            mine = strcmp(limits->namespaces[j], from->namespaces[i]) == 0;
        if (from->namespaces[i][0] == '\0')
            WRONG(reading, "it is empty: give a namespace of names.file");
        else if (i >= FILTER_VALUES)
            WRONG(reading, "more than %d namespaces are too many", FILTER_VALUES);
        else if (!mine)
            status_deny(&reading->call->status, reading->path.text,
                        "\"%.60s\" is none of the namespaces that you may see", from->namespaces[i]);
        field_path_leave(&reading->path, before);
    }
}

static void read_end(struct reading *reading, const char *name, const Netscope__V1__EndpointFilter *from,
                     struct filter_end *into)
{
    if (from == NULL)
        return;
    size_t outer = field_path_enter(&reading->path, name, FIELD_PATH_WHOLE);
    struct filter_ports *ports = part(reading, from->n_ports, sizeof *ports);
    read_networks(reading, from->networks, from->n_networks, &into->networks);
    for (size_t i = 0; ports != NULL && i < from->n_ports; i++) {
        size_t before = field_path_enter(&reading->path, "ports", (int)i);
        ports[i] = read_port_range(reading, from->ports[i]);
        field_path_leave(&reading->path, before);
    }
    into->ports = ports;
    into->port_count = ports != NULL ? (unsigned)from->n_ports : 0;
    into->places = from->n_namespaces > 0 ? &nowhere : NULL; // for now
    read_namespaces(reading, from);
    if (from->n_networks + from->n_ports + from->n_namespaces == 0)
        WRONG(reading, "it is empty: give networks, ports or namespaces, or leave it out");
    field_path_leave(&reading->path, outer);
}

// A word as a number; false with a violation at the path.
typedef bool read_word(struct reading *reading, const char *word, uint32_t *number);

static bool read_protocol(struct reading *reading, const char *word, uint32_t *number)
{
    char text[16];
    for (*number = 0; *number <= UINT8_MAX; ++*number)
        if (strcmp(ip_protocol_text((uint8_t)*number, text), word) == 0)
            return true;
    return WRONG(reading, "\"%.40s\" is no protocol: tcp, udp, icmp, icmpv6, sctp..., or ip-proto-253", word);
}

static bool read_app(struct reading *reading, const char *word, uint32_t *number)
{
    for (*number = FLOW_APP_NONE + 1; *number < FLOW_APPS; ++*number)
        if (strcmp(flow_app_name((enum flow_app) * number), word) == 0)
            return true;
    return WRONG(reading, "\"%.40s\" is no app that is recognised: dns, tls", word);
}

static bool read_conn_state(struct reading *reading, const char *word, uint32_t *number)
{
    for (*number = CONN_STATE_UNKNOWN + 1; *number < CONN_STATES; ++*number)
        if (strcmp(conn_state_name((enum conn_state) * number), word) == 0)
            return true;
    return WRONG(reading, "\"%.40s\" is no conn_state: S0, S1, SF, REJ, S2, S3, RSTO, RSTR..., OTH", word);
}

static bool read_tls_version(struct reading *reading, const char *word, uint32_t *number)
{
    return tls_version_parse(word, number) ||
           WRONG(reading, "\"%.40s\" is no version of TLS: \"TLS 1.3\", \"SSL 3.0\", \"DTLS 1.2\"...", word);
}

// One that was never seen has a number that none has: it fits no flow, and may come yet.
static bool read_interface(struct reading *reading, const char *word, uint32_t *number)
{
    const struct source *source = control_source(reading->call->api->control);
    for (*number = 0; *number < source_interfaces(source); ++*number)
        if (strcmp(source_interface(source, *number)->name, word) == 0)
            return true;
    _Static_assert((int)SOURCE_INTERFACES_MAX < UINT16_MAX, "a number that no interface has");
    *number = UINT16_MAX;
    return true;
}

static void read_words(struct reading *reading, const char *name, char *const *words, size_t count,
                       read_word *read, struct filter_numbers *into)
{
    uint32_t *numbers = part(reading, count, sizeof *numbers);
    for (size_t i = 0; numbers != NULL && i < count; i++) {
        size_t before = field_path_enter(&reading->path, name, (int)i);
        read(reading, words[i], &numbers[i]);
        field_path_leave(&reading->path, before);
    }
    *into = (struct filter_numbers){numbers, numbers != NULL ? (unsigned)count : 0};
}

// Numbers as they are, in [least, most].
static void read_numbers(struct reading *reading, const char *name, const uint32_t *from, size_t count,
                         uint32_t least, uint32_t most, struct filter_numbers *into)
{
    for (size_t i = 0; i < count; i++) {
        size_t before = field_path_enter(&reading->path, name, (int)i);
        if (from[i] < least || from[i] > most)
            WRONG(reading, "%u is none: give %u to %u", from[i], least, most);
        field_path_leave(&reading->path, before);
    }
    *into = (struct filter_numbers){from, (unsigned)count};
}

static void read_fields(struct reading *reading, const Filter *from)
{
    struct filter_numbers *field = reading->into->field;
    static_assert(sizeof(Netscope__V1__TcpState) == sizeof(uint32_t),
                  "enums are numbers whose 0 says nothing");
    read_words(reading, "protocols", from->protocols, from->n_protocols, read_protocol,
               &field[FILTER_PROTOCOL]);
    read_numbers(reading, "tcp_states", (const uint32_t *)from->tcp_states, from->n_tcp_states, 1,
                 TCP_STATE_RESET, &field[FILTER_TCP_STATE]);
    read_words(reading, "interfaces", from->interfaces, from->n_interfaces, read_interface,
               &field[FILTER_INTERFACE]);
    read_numbers(reading, "vlans", from->vlans, from->n_vlans, 0, 4095, &field[FILTER_VLAN]);
    read_numbers(reading, "tunnel_kinds", (const uint32_t *)from->tunnel_kinds, from->n_tunnel_kinds, 1,
                 TUNNEL_KINDS - 1, &field[FILTER_TUNNEL_KIND]);
    read_numbers(reading, "tunnel_ids", from->tunnel_ids, from->n_tunnel_ids, 0, UINT32_MAX,
                 &field[FILTER_TUNNEL_ID]);
    read_words(reading, "apps", from->apps, from->n_apps, read_app, &field[FILTER_APP]);
    read_words(reading, "conn_states", from->conn_states, from->n_conn_states, read_conn_state,
               &field[FILTER_CONN_STATE]);
    read_numbers(reading, "sni_statuses", (const uint32_t *)from->sni_statuses, from->n_sni_statuses, 1,
                 SNI_ABSENT, &field[FILTER_SNI_STATUS]);
    read_words(reading, "tls_versions", from->tls_versions, from->n_tls_versions, read_tls_version,
               &field[FILTER_TLS_VERSION]);
}

static void read_range(struct reading *reading, const char *name, const Netscope__V1__NumberRange *from,
                       struct filter_range *into)
{
    if (from == NULL)
        return;
    size_t before = field_path_enter(&reading->path, name, FIELD_PATH_WHOLE);
    into->has_min = from->min_value_case == NETSCOPE__V1__NUMBER_RANGE__MIN_VALUE_MIN;
    into->has_max = from->max_value_case == NETSCOPE__V1__NUMBER_RANGE__MAX_VALUE_MAX;
    into->min = into->has_min ? from->min : 0;
    into->max = into->has_max ? from->max : 0;
    if (!into->has_min && !into->has_max)
        WRONG(reading, "it is empty: give min or max, or leave it out");
    field_path_leave(&reading->path, before);
}

bool duration_take(struct status *status, const char *field, const Google__Protobuf__Duration *duration,
                   int64_t least_ns, int64_t most_ns, int64_t absent_ns, int64_t *out_ns)
{
    *out_ns = absent_ns;
    if (duration == NULL)
        return true;
    bool fits = duration->nanos > -NS_PER_S && duration->nanos < NS_PER_S &&
                (duration->seconds == 0 || duration->nanos == 0 ||
                 (duration->seconds < 0) == (duration->nanos < 0)) &&
                !__builtin_mul_overflow(duration->seconds, NS_PER_S, out_ns) &&
                !__builtin_add_overflow(*out_ns, (int64_t)duration->nanos, out_ns);
    return (fits && *out_ns >= least_ns && *out_ns <= most_ns) ||
           status_violate(status, field, "it is a span of %g to %g s", (double)least_ns / (double)NS_PER_S,
                          (double)most_ns / (double)NS_PER_S);
}

static uint64_t read_bound(struct reading *reading, const char *name, const Google__Protobuf__Duration *from)
{
    int64_t bound_ns;
    size_t before = field_path_enter(&reading->path, name, FIELD_PATH_WHOLE);
    bool good = duration_take(&reading->call->status, reading->path.text, from, 0, INT64_MAX, 0, &bound_ns);
    field_path_leave(&reading->path, before);
    return good ? (uint64_t)bound_ns : 0;
}

static void read_spans(struct reading *reading, const char *name, const Netscope__V1__DurationRange *from,
                       struct filter_range *into)
{
    if (from == NULL)
        return;
    size_t before = field_path_enter(&reading->path, name, FIELD_PATH_WHOLE);
    into->has_min = from->min != NULL;
    into->has_max = from->max != NULL;
    into->min = read_bound(reading, "min", from->min);
    into->max = read_bound(reading, "max", from->max);
    if (!into->has_min && !into->has_max)
        WRONG(reading, "it is empty: give min or max, or leave it out");
    field_path_leave(&reading->path, before);
}

static void read_names(struct reading *reading, const Filter *from)
{
    struct filter_name *names = part(reading, from->n_names, sizeof *names);
    for (size_t i = 0; names != NULL && i < from->n_names; i++) {
        const Netscope__V1__NameFilter *name = from->names[i];
        size_t before = field_path_enter(&reading->path, "names", (int)i);
        names[i].suffix = name->match_case == NETSCOPE__V1__NAME_FILTER__MATCH_DOMAIN;
        names[i].text = names[i].suffix ? name->domain : name->exact;
        if (name->match_case == NETSCOPE__V1__NAME_FILTER__MATCH__NOT_SET) {
            WRONG(reading, "it is empty: give exact or domain");
            names[i].text = "";
        }
        field_path_leave(&reading->path, before);
    }
    reading->into->names = names;
    reading->into->name_count = names != NULL ? (unsigned)from->n_names : 0;
}

static bool lies_inside(const struct limits *limits, const struct filter_prefixes *networks)
{
    for (unsigned i = 0; i < networks->count; i++)
        if (!limits_hold_network(limits, &networks->items[i]))
            return false;
    return networks->count > 0;
}

static void deny_networks(struct reading *reading, const char *name, const struct filter_prefixes *networks)
{
    size_t outer = field_path_enter(&reading->path, name, FIELD_PATH_WHOLE);
    for (unsigned i = 0; i < networks->count; i++) {
        char address[ADDRESS_TEXT_BYTES];
        size_t before = field_path_enter(&reading->path, "networks", (int)i);
        if (!limits_hold_network(reading->call->limits, &networks->items[i]))
            status_deny(&reading->call->status, reading->path.text,
                        "%s/%u is not within the networks that you may see: name one that is, for an end",
                        address_format(&networks->items[i].address, address), networks->items[i].bits);
        field_path_leave(&reading->path, before);
    }
    field_path_leave(&reading->path, outer);
}

// Flows of somebody else were asked for, unless one of the ends lies inside: then the other one may be whoever he talks to.
static void check_networks(struct reading *reading)
{
    static const char *const names[FILTER_ROLES] = {"one_end", "other_end", "client", "server"};
    const struct filter_end *ends = reading->into->end;
    for (int role = 0; role < FILTER_ROLES; role++)
        if (lies_inside(reading->call->limits, &ends[role].networks))
            return;
    for (int role = 0; role < FILTER_ROLES; role++)
        deny_networks(reading, names[role], &ends[role].networks);
}

static void read_filter(struct reading *reading, const Filter *from)
{
    struct flow_filter *into = reading->into;
    read_end(reading, "client", from->client, &into->end[FILTER_CLIENT]);
    read_end(reading, "server", from->server, &into->end[FILTER_SERVER]);
    read_end(reading, "one_end", from->one_end, &into->end[FILTER_ONE_END]);
    read_end(reading, "other_end", from->other_end, &into->end[FILTER_OTHER_END]);
    read_fields(reading, from);
    read_names(reading, from);
    into->community_ids = (const char *const *)from->community_ids;
    into->community_id_count = (unsigned)from->n_community_ids;
    into->ids = (const char *const *)from->ids;
    into->id_count = (unsigned)from->n_ids;
    read_range(reading, "bytes", from->bytes, &into->figure[FILTER_BYTES]);
    read_range(reading, "packets", from->packets, &into->figure[FILTER_PACKETS]);
    read_range(reading, "retransmissions", from->retransmissions, &into->figure[FILTER_RETRANSMISSIONS]);
    read_spans(reading, "duration", from->duration, &into->figure[FILTER_DURATION_NS]);
    read_spans(reading, "rtt", from->rtt, &into->figure[FILTER_RTT_NS]);
}

static struct flow_filter *read_list(struct call *call, const char *name, Filter *const *from, size_t count)
{
    struct flow_filter *filters = build_part(&call->build, count * sizeof *filters + 1);
    for (size_t i = 0; filters != NULL && i < count; i++) {
        struct reading reading = {.call = call, .into = &filters[i]};
        field_path_enter(&reading.path, name, (int)i);
        read_filter(&reading, from[i]);
        if (call->limits != NULL && call->status.code == STATUS_OK && strcmp(name, "allow") == 0)
            check_networks(&reading);
    }
    return filters;
}

bool flow_filters_take(struct call *call, Filter *const *allow, size_t allow_count, Filter *const *deny,
                       size_t deny_count, struct flow_selection **out)
{
    struct error error;
    struct filter_end inside;
    struct flow_filter *filters[2] = {read_list(call, "allow", allow, allow_count),
                                      read_list(call, "deny", deny, deny_count)};
    struct flow_filters all = {.allow = filters[0],
                               .deny = filters[1],
                               .allow_count = (unsigned)allow_count,
                               .deny_count = (unsigned)deny_count};
    *out = NULL;
    if (call->build.failed)
        return status_set(&call->status, STATUS_RESOURCE_EXHAUSTED, "EXHAUSTED", "no memory for the filters");
    if (call->status.code != STATUS_OK)
        return false;
    if (!flow_filter_check(&all, &error))
        return filters_refuse(call, &error);
    return visibility_take_inside(call, &inside) &&
           filters_look_up(call, &inside, allow, allow_count, filters[0]) &&
           filters_look_up(call, &inside, deny, deny_count, filters[1]) &&
           filters_prepare(call, &inside, &all, out);
}
