// What is wrong with a filter, in a sentence that begins with the field.
#include <stdio.h>
#include <string.h>

#include "decode/app/tls.h"
#include "flow/community_id.h"
#include "flow/filter.h"
#include "flow/store.h"

enum { PLACE_BYTES = 64 };

// Where in the filters a check stands: "allow[0].client.", and whom it tells.
struct checking {
    char place[PLACE_BYTES];
    struct error *error;
};

#define WRONG(checking, format, ...)                                                                         \
    error_set((checking)->error, ERROR_INVALID_ARGUMENT, "%s" format, (checking)->place, __VA_ARGS__)

static bool count_fits(const struct checking *checking, const char *field, unsigned count, unsigned most)
{
    return count <= most ||
           WRONG(checking, "%s: %u values are too many: give at most %u", field, count, most);
}

static bool has_host_bits(const struct prefix *prefix, unsigned bits)
{
    for (unsigned bit = prefix->bits; bit < bits; bit++)
        if ((prefix->address.bytes[bit / 8] & 0x80 >> bit % 8) != 0)
            return true;
    return false;
}

static bool check_prefix(const struct checking *checking, const char *field, unsigned i,
                         const struct prefix *prefix)
{
    unsigned bits = prefix->address.version == 4 ? 32 : 128;
    if (prefix->address.version != 4 && prefix->address.version != 6)
        return WRONG(checking, "%s[%u]: no address or prefix is given", field, i);
    if (prefix->bits > bits)
        return WRONG(checking, "%s[%u]: a prefix of IPv%u has at most %u bits, not %u", field, i,
                     prefix->address.version, bits, prefix->bits);
    return !has_host_bits(prefix, bits) ||
           WRONG(checking, "%s[%u]: the address has bits behind the prefix of %u: clear them", field, i,
                 prefix->bits);
}

static bool check_prefixes(const struct checking *checking, const char *field,
                           const struct filter_prefixes *prefixes)
{
    for (unsigned i = 0; i < prefixes->count; i++)
        if (!check_prefix(checking, field, i, &prefixes->items[i]))
            return false;
    return true;
}

static bool check_ports(const struct checking *checking, const struct filter_end *end)
{
    for (unsigned i = 0; i < end->port_count; i++) {
        const struct filter_ports *ports = &end->ports[i];
        if (ports->first == 0)
            return WRONG(checking, "ports[%u]: 0 is no port: give 1 to 65535", i);
        if (ports->first > ports->last)
            return WRONG(checking, "ports[%u]: the first port, %u, is above the last, %u", i, ports->first,
                         ports->last);
    }
    return true;
}

static bool check_places(const struct checking *checking, const struct filter_places *places)
{
    if (places != NULL && places->count > FILTER_NAMED_PREFIXES)
        return WRONG(checking, "namespaces: they stand for %u networks, and %d is the most: name fewer",
                     places->count, FILTER_NAMED_PREFIXES);
    for (unsigned i = 0; places != NULL && i < places->count; i++)
        if (!check_prefix(checking, "namespaces", i, &places->items[i].prefix))
            return false;
    return true;
}

static bool check_end(const struct checking *before, const char *role, const struct filter_end *end)
{
    struct checking checking = {.error = before->error};
    snprintf(checking.place, sizeof checking.place, "%.32s%s.", before->place, role);
    return count_fits(&checking, "networks", end->networks.count, FILTER_VALUES) &&
           count_fits(&checking, "ports", end->port_count, FILTER_VALUES) &&
           check_prefixes(&checking, "networks", &end->networks) && check_ports(&checking, end) &&
           check_places(&checking, end->places);
}

static bool check_ends(const struct checking *checking, const struct flow_filter *filter)
{
    static const char *const names[FILTER_ROLES] = {"one_end", "other_end", "client", "server"};
    for (int role = 0; role < FILTER_ROLES; role++)
        if (!check_end(checking, names[role], &filter->end[role]))
            return false;
    return check_end(checking, "inside", &filter->inside);
}

static bool check_field(const struct checking *checking, const char *field, uint32_t most,
                        const struct filter_numbers *numbers)
{
    if (!count_fits(checking, field, numbers->count, FILTER_VALUES))
        return false;
    for (unsigned i = 0; i < numbers->count; i++)
        if (numbers->items[i] > most)
            return WRONG(checking, "%s[%u]: %u is above the largest value, %u", field, i, numbers->items[i],
                         most);
    return true;
}

static bool check_fields(const struct checking *checking, const struct flow_filter *filter)
{
    static const struct {
        const char *name;
        uint32_t most;
    } fields[FILTER_FIELDS] = {
        [FILTER_PROTOCOL] = {"protocol", UINT8_MAX},
        [FILTER_TCP_STATE] = {"tcp_state", TCP_STATE_RESET},
        [FILTER_VLAN] = {"vlan", 4095},
        [FILTER_INTERFACE] = {"interface", UINT16_MAX},
        [FILTER_TUNNEL_KIND] = {"tunnel_kind", TUNNEL_KINDS - 1},
        [FILTER_TUNNEL_ID] = {"tunnel_id", UINT32_MAX},
        [FILTER_APP] = {"app", FLOW_APPS - 1},
        [FILTER_CONN_STATE] = {"conn_state", CONN_STATES - 1},
        [FILTER_SNI_STATUS] = {"sni_status", SNI_ABSENT},
        [FILTER_TLS_VERSION] = {"tls_version", UINT16_MAX},
    };
    for (int field = 0; field < FILTER_FIELDS; field++)
        if (!check_field(checking, fields[field].name, fields[field].most, &filter->field[field]))
            return false;
    return true;
}

static bool check_figures(const struct checking *checking, const struct flow_filter *filter)
{
    static const char *const names[FILTER_FIGURES] = {"bytes", "packets", "duration", "retransmissions",
                                                      "rtt"};
    for (int i = 0; i < FILTER_FIGURES; i++) {
        const struct filter_range *range = &filter->figure[i];
        if (range->has_min && range->has_max && range->min > range->max)
            return WRONG(checking, "%s: the least value, %llu, is above the largest, %llu", names[i],
                         (unsigned long long)range->min, (unsigned long long)range->max);
    }
    return true;
}

// Labels of printable ASCII between single dots; one dot may stand behind the last.
static bool check_name(const struct checking *checking, unsigned i, const char *name)
{
    size_t length = strlen(name);
    if (length == 0 || length > FILTER_NAME_BYTES)
        return WRONG(checking, "names[%u]: a name has 1 to %d characters, not %zu", i, FILTER_NAME_BYTES,
                     length);
    for (size_t at = 0; at < length; at++) {
        if (name[at] <= ' ' || name[at] > '~')
            return WRONG(checking, "names[%u]: a name is of printable ASCII: give others as \"xn--...\"", i);
        if (name[at] == '*')
            return WRONG(checking, "names[%u]: \"*\" stands for nothing: give the domain alone, as a suffix",
                         i);
        if (name[at] == '.' && (at == 0 || name[at - 1] == '.'))
            return WRONG(checking, "names[%u]: a part of the name is empty: give \"example.com\"", i);
    }
    return true;
}

static bool check_names(const struct checking *checking, const struct flow_filter *filter)
{
    if (!count_fits(checking, "names", filter->name_count, FILTER_VALUES))
        return false;
    for (unsigned i = 0; i < filter->name_count; i++)
        if (!check_name(checking, i, filter->names[i].text))
            return false;
    if (filter->named.count > 0 && filter->name_count == 0)
        return WRONG(checking, "%s: addresses of names are given, but no name", "names");
    if (filter->named.count > FILTER_NAMED_PREFIXES)
        return WRONG(checking, "names: they stand for %u addresses, and %d is the most: narrow them",
                     filter->named.count, FILTER_NAMED_PREFIXES);
    return check_prefixes(checking, "names", &filter->named);
}

static bool check_community_ids(const struct checking *checking, const struct flow_filter *filter)
{
    uint8_t digest[COMMUNITY_ID_DIGEST_BYTES];
    if (!count_fits(checking, "community_id", filter->community_id_count, FILTER_VALUES))
        return false;
    for (unsigned i = 0; i < filter->community_id_count; i++)
        if (!community_id_decode(filter->community_ids[i], digest))
            return WRONG(
                checking,
                "community_id[%u]: it is no Community ID of version 1, as \"1:LQU9qZlK+B5F3KDmev6m5PMibrg=\"",
                i);
    return true;
}

static bool check_ids(const struct checking *checking, const struct flow_filter *filter)
{
    uint8_t id[FLOW_ID_BYTES];
    if (!count_fits(checking, "ids", filter->id_count, FILTER_VALUES))
        return false;
    for (unsigned i = 0; i < filter->id_count; i++)
        if (!flow_id_decode(filter->ids[i], id))
            return WRONG(checking, "ids[%u]: the id of a flow is 32 digits of 0 to 9 and a to f", i);
    return true;
}

static bool check_filter(const struct checking *checking, const struct flow_filter *filter)
{
    return check_ends(checking, filter) && check_fields(checking, filter) &&
           check_figures(checking, filter) && check_names(checking, filter) &&
           check_community_ids(checking, filter) && check_ids(checking, filter);
}

static bool asks_nothing(const struct flow_filter *filter)
{
    unsigned asked = filter->name_count + filter->community_id_count + filter->id_count;
    for (int role = 0; role < FILTER_ROLES; role++)
        asked += filter->end[role].networks.count + filter->end[role].port_count +
                 (filter->end[role].places != NULL);
    for (int field = 0; field < FILTER_FIELDS; field++)
        asked += filter->field[field].count;
    for (int i = 0; i < FILTER_FIGURES; i++)
        asked += (unsigned)filter->figure[i].has_min + filter->figure[i].has_max;
    return asked == 0;
}

static bool check_list(const char *name, const struct flow_filter *filters, unsigned count,
                       struct error *error)
{
    struct checking checking = {.error = error};
    if (!count_fits(&checking, name, count, FILTER_ALTERNATIVES))
        return false;
    for (unsigned i = 0; i < count; i++) {
        snprintf(checking.place, sizeof checking.place, "%s[%u].", name, i);
        if (!check_filter(&checking, &filters[i]))
            return false;
    }
    return true;
}

bool flow_filter_check(const struct flow_filters *filters, struct error *error)
{
    if (!check_list("allow", filters->allow, filters->allow_count, error) ||
        !check_list("deny", filters->deny, filters->deny_count, error))
        return false;
    for (unsigned i = 0; i < filters->deny_count; i++)
        if (asks_nothing(&filters->deny[i]))
            return error_set(
                error, ERROR_INVALID_ARGUMENT,
                "deny[%u]: a filter without a field denies every flow: give it one, or leave it out", i);
    return true;
}
