#include <assert.h>
#include <string.h>

#include "api/build.h"
#include "base/time.h"
#include "config/value.h"
#include "ctl/filters.h"
#include "ctl/invocation.h"
#include "ctl/options.h"
#include "netscope/v1/filter.pb-c.h"

typedef Netscope__V1__FlowFilter Filter;
typedef Netscope__V1__EndpointFilter End;
typedef Netscope__V1__PortRange Ports;
typedef Netscope__V1__NumberRange Range;
typedef Netscope__V1__DurationRange Spans;

enum { LIST_MOST = INVOCATION_OPTIONS, PORT_MOST = 65535 };

// How a value of an option gets into its member.
enum filter_kind {
    FILTER_NETWORK, // of an EndpointFilter
    FILTER_PORT,    // likewise
    FILTER_TEXT,
    FILTER_NAME,
    FILTER_WORD, // of a closed list
    FILTER_NUMBER,
    FILTER_NUMBER_MIN,
    FILTER_NUMBER_MAX,
    FILTER_SPAN_MIN,
    FILTER_SPAN_MAX,
};

struct member {
    enum filter_kind kind;
    size_t offset, count_offset; // of the member, and of a list's count
};

// clang-format off
static const struct option_row rows[] = {
    {.name = "ip", .argument = "NETWORK", .help = "of either end: an address, or 10.0.0.0/8", .hint = HINT_ADDRESS},
    {.name = "from-ip", .argument = "NETWORK", .help = "of the client", .hint = HINT_ADDRESS},
    {.name = "to-ip", .argument = "NETWORK", .help = "of the server", .hint = HINT_ADDRESS},
    {.name = "port", .argument = "PORT", .help = "of either end: 443, or 8000-8999", .hint = HINT_SERVER_PORT},
    {.name = "from-port", .argument = "PORT", .help = "of the client"},
    {.name = "to-port", .argument = "PORT", .help = "of the server", .hint = HINT_SERVER_PORT},
    {.name = "protocol", .argument = "NAME", .help = "tcp, udp, icmp...", .hint = HINT_PROTOCOL},
    {.name = "name", .argument = "NAME", .help = "of an end, the TLS server or the DNS question; *.a.com: a.com and all below it", .hint = HINT_NAME, .also = "fqdn"},
    {.name = "app", .argument = "NAME", .help = "dns, tls...", .hint = HINT_APP},
    {.name = "interface", .argument = "NAME", .help = "that saw it", .hint = HINT_INTERFACE},
    {.name = "tcp-state", .argument = "STATE", .help = "unknown, syn_sent, syn_ack, established, fin_wait, closed or reset",
     .words = tcp_state_words},
    {.name = "vlan", .argument = "ID", .help = "the outer one", .hint = HINT_VLAN},
    {.name = "tunnel", .argument = "KIND", .help = "ipip, gre, erspan, vxlan, geneve, gtp_u or teredo",
     .words = tunnel_kind_words},
    {.name = "tunnel-id", .argument = "ID", .help = "VNI, key or TEID"},
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
static const struct member members[] = {
    ONE(FILTER_NETWORK, one_end), ONE(FILTER_NETWORK, client), ONE(FILTER_NETWORK, server),
    ONE(FILTER_PORT, one_end), ONE(FILTER_PORT, client), ONE(FILTER_PORT, server),
    LIST(FILTER_TEXT, protocols), LIST(FILTER_NAME, names), LIST(FILTER_TEXT, apps), LIST(FILTER_TEXT, interfaces),
    LIST(FILTER_WORD, tcp_states), LIST(FILTER_NUMBER, vlans), LIST(FILTER_WORD, tunnel_kinds),
    LIST(FILTER_NUMBER, tunnel_ids), LIST(FILTER_TEXT, community_ids), LIST(FILTER_TEXT, ids),
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

struct filling {
    struct build *build;
    struct error *error;
};

// A place more in a list of pointers or numbers, whose room is made with the first; NULL without memory.
static void *next_place(struct filling *filling, void *list, size_t *count, size_t bytes)
{
    void *first;
    memcpy(&first, list, sizeof first);
    if (*count == 0) {
        first = build_part(filling->build, LIST_MOST * bytes);
        memcpy(list, &first, sizeof first);
    }
    return first != NULL ? (char *)first + (*count)++ * bytes : NULL;
}

static void add_text(struct filling *filling, void *list, size_t *count, const char *text)
{
    char **place = next_place(filling, list, count, sizeof *place);
    if (place != NULL)
        *place = build_borrowed(text);
}

static End *end_of(struct filling *filling, Filter *filter, size_t offset)
{
    End **place = (End **)(void *)((char *)filter + offset);
    if (*place == NULL) {
        *place = build_part(filling->build, sizeof **place);
        if (*place != NULL)
            netscope__v1__endpoint_filter__init(*place);
    }
    return *place;
}

// "443", "8000-8999", "8000-", "-1023"
static bool read_ports(const char *text, uint64_t *first, uint64_t *last)
{
    const char *rest = text;
    bool has_first = value_read_digits(text, first, &rest);
    *first = has_first ? *first : 1;
    *last = *rest == '\0' ? *first : PORT_MOST;
    if (*rest == '-' && rest[1] != '\0')
        has_first = value_read_digits(rest + 1, last, &rest) || has_first;
    else if (*rest == '-' && has_first)
        rest++;
    return has_first && *rest == '\0' && *first > 0 && *first <= *last && *last <= PORT_MOST;
}

static bool add_ports(struct filling *filling, End *end, const struct given_option *option)
{
    uint64_t first, last;
    if (!read_ports(option->value, &first, &last))
        return error_set(filling->error, ERROR_INVALID_ARGUMENT,
                         "--%s takes a port or a range such as 8000-8999, not \"%.80s\"", option->row->name,
                         option->value);
    Ports *ports = build_part(filling->build, sizeof *ports);
    Ports **place = next_place(filling, &end->ports, &end->n_ports, sizeof *place);
    if (ports == NULL || place == NULL)
        return true;
    netscope__v1__port_range__init(ports);
    ports->min_value_case = NETSCOPE__V1__PORT_RANGE__MIN_VALUE_MIN;
    ports->min = (uint32_t)first;
    ports->max_value_case = NETSCOPE__V1__PORT_RANGE__MAX_VALUE_MAX;
    ports->max = (uint32_t)last;
    *place = ports;
    return true;
}

static void add_name(struct filling *filling, Filter *filter, const char *text)
{
    Netscope__V1__NameFilter *name = build_part(filling->build, sizeof *name);
    Netscope__V1__NameFilter **place = next_place(filling, &filter->names, &filter->n_names, sizeof *place);
    if (name == NULL || place == NULL)
        return;
    netscope__v1__name_filter__init(name);
    if (strncmp(text, "*.", 2) == 0) {
        name->match_case = NETSCOPE__V1__NAME_FILTER__MATCH_DOMAIN;
        name->domain = build_borrowed(text + 2);
    } else {
        name->match_case = NETSCOPE__V1__NAME_FILTER__MATCH_EXACT;
        name->exact = build_borrowed(text);
    }
    *place = name;
}

static bool refuse(struct filling *filling, const struct given_option *option, const char *example)
{
    return error_set(filling->error, ERROR_INVALID_ARGUMENT, "--%s takes %s, not \"%.80s\"",
                     option->row->name, example, option->value);
}

static bool add_number(struct filling *filling, void *list, size_t *count, const struct given_option *option)
{
    uint64_t number;
    if (!read_number(option->value, &number) || number > UINT32_MAX)
        return refuse(filling, option, "a number");
    uint32_t *place = next_place(filling, list, count, sizeof *place);
    if (place != NULL)
        *place = (uint32_t)number;
    return true;
}

static bool set_bound(struct filling *filling, Range **range, bool is_least,
                      const struct given_option *option)
{
    uint64_t number;
    if (!read_number(option->value, &number))
        return refuse(filling, option, "a number such as 1500, 20k or 1.5M");
    if (*range == NULL) {
        *range = build_part(filling->build, sizeof **range);
        if (*range == NULL)
            return true;
        netscope__v1__number_range__init(*range);
    }
    if (is_least) {
        (*range)->min_value_case = NETSCOPE__V1__NUMBER_RANGE__MIN_VALUE_MIN;
        (*range)->min = number;
    } else {
        (*range)->max_value_case = NETSCOPE__V1__NUMBER_RANGE__MAX_VALUE_MAX;
        (*range)->max = number;
    }
    return true;
}

static bool set_span(struct filling *filling, Spans **spans, bool is_least, const struct given_option *option)
{
    int64_t span_ns;
    if (!read_span(option->value, &span_ns))
        return refuse(filling, option, "a span of time such as 50ms, 90s or 1h30m");
    if (*spans == NULL) {
        *spans = build_part(filling->build, sizeof **spans);
        if (*spans != NULL)
            netscope__v1__duration_range__init(*spans);
    }
    Google__Protobuf__Duration *span = build_part(filling->build, sizeof *span);
    if (*spans == NULL || span == NULL)
        return true;
    google__protobuf__duration__init(span);
    span->seconds = span_ns / NS_PER_S;
    span->nanos = (int32_t)(span_ns % NS_PER_S);
    *(is_least ? &(*spans)->min : &(*spans)->max) = span;
    return true;
}

static bool add_to_end(struct filling *filling, Filter *filter, const struct member *member,
                       const struct given_option *option)
{
    End *end = end_of(filling, filter, member->offset);
    if (end == NULL)
        return true;
    if (member->kind == FILTER_PORT)
        return add_ports(filling, end, option);
    add_text(filling, &end->networks, &end->n_networks, option->value);
    return true;
}

static bool add_option(struct filling *filling, Filter *filter, const struct given_option *option)
{
    const struct member *member = &members[option->row - rows];
    void *place = (char *)filter + member->offset;
    size_t *count = (size_t *)(void *)((char *)filter + member->count_offset);
    switch (member->kind) {
    case FILTER_NETWORK:
    case FILTER_PORT:
        return add_to_end(filling, filter, member, option);
    case FILTER_TEXT:
        add_text(filling, place, count, option->value);
        return true;
    case FILTER_NAME:
        add_name(filling, filter, option->value);
        return true;
    case FILTER_WORD: {
        int *value = next_place(filling, place, count, sizeof *value);
        if (value != NULL)
            *value = word_value(option->row->words, option->value);
        return true;
    }
    case FILTER_NUMBER:
        return add_number(filling, place, count, option);
    case FILTER_NUMBER_MIN:
    case FILTER_NUMBER_MAX:
        return set_bound(filling, place, member->kind == FILTER_NUMBER_MIN, option);
    case FILTER_SPAN_MIN:
    case FILTER_SPAN_MAX:
        return set_span(filling, place, member->kind == FILTER_SPAN_MIN, option);
    }
    return true;
}

static bool is_filter(const struct given_option *option)
{
    return option->row >= rows && option->row < rows + sizeof rows / sizeof rows[0];
}

static Filter *new_filter(struct build *build)
{
    Filter *filter = build_part(build, sizeof *filter);
    if (filter != NULL)
        netscope__v1__flow_filter__init(filter);
    return filter;
}

// The end that has the address need not be the one that has the port.
static Filter *with_ends_apart(struct build *build, const Filter *filter)
{
    Filter *other = new_filter(build);
    End *port = build_part(build, sizeof *port), *network = build_part(build, sizeof *network);
    if (other == NULL || port == NULL || network == NULL)
        return NULL;
    *other = *filter;
    *network = *port = *filter->one_end;
    network->n_ports = 0;
    network->ports = NULL;
    port->n_networks = 0;
    port->networks = NULL;
    other->one_end = network;
    other->other_end = port;
    return other;
}

static bool fill(struct filling *filling, const struct invocation *given, struct flow_filters *into)
{
    for (unsigned i = 0; i < given->option_count; i++) {
        const struct given_option *option = &given->options[i];
        if (!is_filter(option))
            continue;
        if (!option->negated && into->allow_count == 0)
            into->allow[into->allow_count++] = new_filter(filling->build);
        if (option->negated)
            into->deny[into->deny_count++] = new_filter(filling->build);
        Filter *filter = option->negated ? into->deny[into->deny_count - 1] : into->allow[0];
        if (filter != NULL && !add_option(filling, filter, option))
            return false;
    }
    const Filter *allowed = into->allow_count > 0 ? into->allow[0] : NULL;
    if (allowed != NULL && allowed->one_end != NULL && allowed->one_end->n_networks > 0 &&
        allowed->one_end->n_ports > 0)
        into->allow[into->allow_count++] = with_ends_apart(filling->build, allowed);
    return true;
}

bool flow_filters_build(struct build *build, const struct invocation *given, struct flow_filters *into,
                        struct error *error)
{
    struct filling filling = {build, error};
    *into = (struct flow_filters){.allow = build_part(build, 2 * sizeof *into->allow),
                                  .deny = build_part(build, INVOCATION_OPTIONS * sizeof *into->deny)};
    if (into->allow != NULL && into->deny != NULL && !fill(&filling, given, into))
        return false;
    return !build->failed || error_set(error, ERROR_EXHAUSTED, "no memory for the filters");
}
