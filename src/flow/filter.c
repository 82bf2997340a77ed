// Evaluation: first over the faces of flows, as bits; then over a record.
#include "flow/filter.h"

#include <string.h>

#include "flow/selection.h"

// Bits, one for each place of a column; the last place first.

static uint64_t numbers_in(const struct number_set *set, const uint32_t column[], unsigned count)
{
    enum { FEW = 4 };
    uint64_t bits = 0;
    if (set->count > FEW) {
        for (unsigned i = count; i-- > 0;)
            bits = bits << 1 | number_set_has(set, column[i]);
        return bits;
    }
    for (unsigned range = 0; range < set->count; range++) {
        uint32_t first = set->narrow[range].first, span = set->narrow[range].last - first;
        uint64_t inside = 0;
        for (unsigned i = count; i-- > 0;)
            inside = inside << 1 | (column[i] - first <= span);
        bits |= inside;
    }
    return bits;
}

static uint64_t wide_numbers_in(const struct number_set *set, const wide_number column[], unsigned count)
{
    uint64_t bits = 0;
    for (unsigned i = count; i-- > 0;)
        bits = bits << 1 | number_set_has_wide(set, column[i]);
    return bits;
}

static uint64_t figures_in(const struct filter_range *range, const uint64_t column[], unsigned count)
{
    uint64_t bits = 0;
    for (unsigned i = count; i-- > 0;)
        bits = bits << 1 | (column[i] >= range->min && column[i] <= range->max);
    return bits;
}

static uint64_t durations_in(const struct filter_range *range, const struct flow_faces *faces)
{
    uint64_t bits = 0;
    for (unsigned i = faces->count; i-- > 0;) {
        uint64_t span_ns = flow_span_ns(faces->first_ns[i], faces->last_ns[i]);
        bits = bits << 1 | (span_ns >= range->min && span_ns <= range->max);
    }
    return bits;
}

static uint64_t addresses_in(const struct address_set *set, const struct flow_faces *faces, int side)
{
    return faces->version == 4 ? numbers_in(&set->v4, faces->address.v4[side], faces->count)
                               : wide_numbers_in(&set->v6, faces->address.v6[side], faces->count);
}

static uint64_t ends_in(const struct prepared_end *end, const struct flow_faces *faces, int side)
{
    uint64_t bits = flow_faces_all(faces);
    if (end->asks_ports)
        bits &= faces->ports & numbers_in(&end->ports, faces->port[side], faces->count);
    if (end->asks_networks && bits != 0)
        bits &= addresses_in(&end->networks, faces, side);
    return bits;
}

static uint64_t pairs_in(const struct prepared_filter *filter, const struct flow_faces *faces)
{
    const struct prepared_end *one = &filter->end[FILTER_ONE_END], *other = &filter->end[FILTER_OTHER_END];
    return (ends_in(one, faces, 0) & ends_in(other, faces, 1)) |
           (ends_in(one, faces, 1) & ends_in(other, faces, 0));
}

static uint64_t roles_in(const struct prepared_filter *filter, const struct flow_faces *faces)
{
    const struct prepared_end *client = &filter->end[FILTER_CLIENT], *server = &filter->end[FILTER_SERVER];
    uint64_t from_a = ends_in(client, faces, 0) & ends_in(server, faces, 1) & ~faces->client;
    uint64_t from_b = ends_in(client, faces, 1) & ends_in(server, faces, 0) & faces->client;
    return (from_a | from_b) & faces->roles;
}

static uint64_t fields_in(const struct prepared_filter *filter, enum filter_field field,
                          const uint32_t column[], const struct flow_faces *faces)
{
    return filter->field[field].count == 0 ? UINT64_MAX
                                           : numbers_in(&filter->field[field], column, faces->count);
}

// What faces decide for good, cheap and telling things first.
static uint64_t nodes_in(const struct prepared_filter *filter, const struct flow_faces *faces)
{
    const struct filter_range *figure = filter->figure;
    uint64_t bits = flow_faces_all(faces) & fields_in(filter, FILTER_PROTOCOL, faces->protocol, faces) &
                    fields_in(filter, FILTER_TCP_STATE, faces->tcp_state, faces);
    if (filter->field[FILTER_VLAN].count > 0)
        bits &= faces->tagged & fields_in(filter, FILTER_VLAN, faces->vlan, faces);
    if (filter->asks_figure[FILTER_BYTES])
        bits &= figures_in(&figure[FILTER_BYTES], faces->bytes, faces->count);
    if (filter->pair && bits != 0)
        bits &= pairs_in(filter, faces);
    if (filter->roles && bits != 0)
        bits &= roles_in(filter, faces);
    if (filter->asks_figure[FILTER_DURATION_NS] && bits != 0)
        bits &= durations_in(&figure[FILTER_DURATION_NS], faces);
    return bits;
}

static uint64_t named_in(const struct prepared_filter *filter, const struct flow_faces *faces)
{
    return addresses_in(&filter->named, faces, 0) | addresses_in(&filter->named, faces, 1);
}

static void require(struct flow_fit *fit, uint64_t may, uint64_t does)
{
    fit->may &= may | does;
    fit->does &= does;
}

static bool field_fits(const struct prepared_filter *filter, enum filter_field field, uint32_t value)
{
    return filter->field[field].count == 0 || number_set_has(&filter->field[field], value);
}

static bool figure_fits(const struct prepared_filter *filter, enum filter_figure figure, uint64_t value)
{
    return value >= filter->figure[figure].min && value <= filter->figure[figure].max;
}

// Fields that lie in `flow_extra`, of flows that have one.
static void require_extra(const struct prepared_filter *filter, const struct flow_faces *faces,
                          struct flow_fit *fit)
{
    uint64_t extra = faces->extra;
    if (filter->field[FILTER_INTERFACE].count > 0)
        require(fit, extra, fields_in(filter, FILTER_INTERFACE, faces->interface, faces));
    if (filter->asks_figure[FILTER_PACKETS])
        require(fit, extra,
                ~extra & figures_in(&filter->figure[FILTER_PACKETS], faces->packets, faces->count));
    if (filter->field[FILTER_APP].count > 0)
        require(fit, extra, field_fits(filter, FILTER_APP, FLOW_APP_NONE) ? ~extra : 0);
    if (filter->name_count > 0)
        require(fit, extra, named_in(filter, faces));
    if (filter->field[FILTER_TUNNEL_ID].count > 0)
        require(fit, faces->tunnel, 0);
    if (filter->field[FILTER_TUNNEL_KIND].count > 0)
        require(fit, faces->tunnel, field_fits(filter, FILTER_TUNNEL_KIND, TUNNEL_NONE) ? ~faces->tunnel : 0);
}

// Whether quality is measured at all is not in a face: that there were no retransmissions the record says.
static void require_quality(const struct prepared_filter *filter, const struct flow_faces *faces,
                            struct flow_fit *fit)
{
    const struct filter_range *figure = filter->figure;
    uint64_t measured = faces->measured;
    if (filter->asks_figure[FILTER_RTT_NS])
        require(fit, ~measured,
                measured & faces->rtt & figures_in(&figure[FILTER_RTT_NS], faces->rtt_ns, faces->count));
    if (!filter->asks_figure[FILTER_RETRANSMISSIONS])
        return;
    uint64_t may =
        figures_in(&figure[FILTER_RETRANSMISSIONS], faces->retransmissions, faces->count) | ~measured;
    may &= faces->tcp;
    require(fit, may, figure[FILTER_RETRANSMISSIONS].min > 0 ? may & measured : 0);
}

static struct flow_fit filter_fits_faces(const struct prepared_filter *filter, const struct flow_faces *faces)
{
    uint64_t bits = nodes_in(filter, faces);
    struct flow_fit fit = {bits, bits};
    if (!filter->asks_parts || bits == 0)
        return fit;
    require_extra(filter, faces, &fit);
    require_quality(filter, faces, &fit);
    if (filter->community_count > 0)
        fit.does = 0;
    return fit;
}

struct flow_fit flow_selection_fits_faces(const struct flow_selection *selection,
                                          const struct flow_faces *faces)
{
    const struct prepared_filter *filter = selection->filter, *denied = filter + selection->allow_count;
    uint64_t all = selection->allow_count == 0 ? flow_faces_all(faces) : 0;
    struct flow_fit fit = {all, all};
    for (; filter < denied; filter++) {
        struct flow_fit other = filter_fits_faces(filter, faces);
        fit.may |= other.may;
        fit.does |= other.does;
    }
    for (unsigned i = 0; i < selection->deny_count && fit.may != 0; i++) {
        struct flow_fit other = filter_fits_faces(&denied[i], faces);
        fit.may &= ~other.does;
        fit.does &= ~other.may;
    }
    return fit;
}

// A record.

static bool interface_fits(const struct prepared_filter *filter, const struct flow_record *record)
{
    if (field_fits(filter, FILTER_INTERFACE, record->interface))
        return true;
    for (unsigned i = 0; i < record->observed; i++)
        if (field_fits(filter, FILTER_INTERFACE, record->observed_at[i]))
            return true;
    return false;
}

static char lower(char letter)
{
    return letter >= 'A' && letter <= 'Z' ? (char)(letter + ('a' - 'A')) : letter;
}

static bool ends_with(const char *text, size_t length, const struct prepared_name *name)
{
    const char *tail = text + length - name->length;
    for (size_t i = name->length; i > 0; i--) // from the end: names differ at their beginning, but for a few
        if (lower(tail[i - 1]) != name->text[i - 1])
            return false;
    return true;
}

static bool name_fits(const struct prepared_name *name, const char *text, size_t length)
{
    if (length == name->length)
        return ends_with(text, length, name);
    return name->suffix && length > name->length && text[length - name->length - 1] == '.' &&
           ends_with(text, length, name);
}

// Without the dot of the root.
static size_t name_length(const char *text)
{
    size_t length = strlen(text);
    return length > 0 && text[length - 1] == '.' ? length - 1 : length;
}

static bool is_one_of(const struct prepared_name *names, unsigned count, const char *text)
{
    size_t length = name_length(text);
    for (unsigned i = 0; length > 0 && i < count; i++)
        if (name_fits(&names[i], text, length))
            return true;
    return false;
}

bool filter_names_fit(const struct filter_names *names, const char *text)
{
    return is_one_of(names->name, names->count, text);
}

static bool text_fits(const struct prepared_filter *filter, const char *text)
{
    return is_one_of(filter->names, filter->name_count, text);
}

static bool names_fit(const struct prepared_filter *filter, const struct flow_faces *face,
                      const struct flow_record *record)
{
    if (filter->name_count == 0 || named_in(filter, face) != 0)
        return true;
    const struct flow_names *names = record->names;
    return names != NULL && (text_fits(filter, names->text[FLOW_TEXT_SNI]) ||
                             text_fits(filter, names->text[FLOW_TEXT_DNS_QUERY]));
}

static bool quality_fits(const struct prepared_filter *filter, const struct flow_record *record)
{
    if (filter->asks_figure[FILTER_RTT_NS] &&
        (record->rtt_samples == 0 || !figure_fits(filter, FILTER_RTT_NS, (uint64_t)record->rtt_ewma_ns)))
        return false;
    if (!filter->asks_figure[FILTER_RETRANSMISSIONS])
        return true;
    return record->has_quality && !record->no_retransmissions && record->protocol == IP_PROTOCOL_TCP &&
           figure_fits(filter, FILTER_RETRANSMISSIONS,
                       record->retransmissions[0] + record->retransmissions[1]);
}

static bool community_fits(const struct prepared_filter *filter, const struct flow_record *record)
{
    uint8_t digest[COMMUNITY_ID_DIGEST_BYTES];
    if (filter->community_count == 0)
        return true;
    if (!flow_community_digest(record, digest))
        return false;
    for (unsigned i = 0; i < filter->community_count; i++)
        if (memcmp(filter->community[i], digest, sizeof digest) == 0)
            return true;
    return false;
}

static bool tunnel_fits(const struct prepared_filter *filter, const struct flow_record *record)
{
    if (!field_fits(filter, FILTER_TUNNEL_KIND, record->tunnel.kind))
        return false;
    return filter->field[FILTER_TUNNEL_ID].count == 0 ||
           (record->tunnel.kind != TUNNEL_NONE && field_fits(filter, FILTER_TUNNEL_ID, record->tunnel.id));
}

// `face` is that of the record, and the only one.
static bool filter_fits(const struct prepared_filter *filter, const struct flow_faces *face,
                        const struct flow_record *record)
{
    return nodes_in(filter, face) != 0 && interface_fits(filter, record) &&
           figure_fits(filter, FILTER_PACKETS, record->packets[0] + record->packets[1]) &&
           field_fits(filter, FILTER_APP, record->facts.app) && tunnel_fits(filter, record) &&
           quality_fits(filter, record) && names_fit(filter, face, record) && community_fits(filter, record);
}

bool flow_selection_fits(const struct flow_selection *selection, const struct flow_record *record)
{
    if (selection == NULL)
        return true;
    struct flow_faces face;
    flow_faces_clear(&face, record->endpoint[0].address.version);
    flow_faces_add_record(&face, record);
    const struct prepared_filter *denied = selection->filter + selection->allow_count;
    bool fits = selection->allow_count == 0;
    for (unsigned i = 0; i < selection->allow_count && !fits; i++)
        fits = filter_fits(&selection->filter[i], &face, record);
    for (unsigned i = 0; i < selection->deny_count && fits; i++)
        fits = !filter_fits(&denied[i], &face, record);
    return fits;
}
