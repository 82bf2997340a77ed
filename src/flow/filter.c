// Evaluation: first over the faces of flows, as bits; then over a record.
#include "flow/filter.h"

#include <string.h>

#include "flow/selection.h"

// Faces. What is asked of a column is asked of those flows that are bits of `among`, and is answered with some of them, so
// that nothing is asked any more once none is left.

static uint64_t numbers_in(const struct number_set *set, const uint32_t column[], uint64_t among)
{
    enum { FEW = 4 };
    uint64_t bits = 0;
    if (set->count == 0)
        return 0;
    if (set->count <= FEW) {
        for (unsigned i = 0; i < set->count; i++)
            bits |= column_within_32(column, set->narrow[i].first, set->narrow[i].last);
        return bits & among;
    }
    among &= column_within_32(column, set->narrow[0].first, set->narrow[set->count - 1].last);
    while (among != 0) {
        unsigned i = column_take_place(&among);
        bits |= (uint64_t)number_set_has(set, column[i]) << i;
    }
    return bits;
}

static uint64_t wide_numbers_in(const struct number_set *set, const wide_number column[], uint64_t among)
{
    uint64_t bits = 0;
    while (among != 0) {
        unsigned i = column_take_place(&among);
        bits |= (uint64_t)number_set_has_wide(set, column[i]) << i;
    }
    return bits;
}

static uint64_t figures_in(const struct filter_range *range, const uint64_t column[], uint64_t among)
{
    return among != 0 ? among & column_within(column, range->min, range->max) : 0;
}

static uint64_t durations_in(const struct filter_range *range, const struct flow_faces *faces, uint64_t among)
{
    uint64_t bits = 0;
    while (among != 0) {
        unsigned i = column_take_place(&among);
        uint64_t span_ns = flow_span_ns(faces->first_ns[i], faces->last_ns[i]);
        bits |= (uint64_t)(span_ns >= range->min && span_ns <= range->max) << i;
    }
    return bits;
}

static uint64_t addresses_in(const struct address_set *set, const struct flow_faces *faces, int side,
                             uint64_t among)
{
    return faces->version == 4 ? numbers_in(&set->v4, faces->address.v4[side], among)
                               : wide_numbers_in(&set->v6, faces->address.v6[side], among);
}

// Of networks and places.
static uint64_t located_in(const struct prepared_end *end, const struct flow_faces *faces, int side,
                           uint64_t among)
{
    if (end->asks_networks && among != 0)
        among = addresses_in(&end->networks, faces, side, among);
    if (end->asks_places && among != 0)
        among = addresses_in(&end->places, faces, side, among);
    return among;
}

static uint64_t ends_in(const struct prepared_filter *filter, enum filter_role role,
                        const struct flow_faces *faces, int side, uint64_t among)
{
    const struct prepared_end *end = &filter->end[role];
    if (end->asks_ports && among != 0)
        among = numbers_in(&end->ports, faces->port[side], among & faces->ports);
    among = located_in(end, faces, side, among);
    return end->asks_places ? located_in(&filter->inside, faces, side, among) : among;
}

// `one` at A and `other` at B.
static uint64_t both_ends_in(const struct prepared_filter *filter, enum filter_role one,
                             enum filter_role other, const struct flow_faces *faces, uint64_t among)
{
    return ends_in(filter, other, faces, 1, ends_in(filter, one, faces, 0, among));
}

static uint64_t pairs_in(const struct prepared_filter *filter, const struct flow_faces *faces, uint64_t among)
{
    uint64_t found = both_ends_in(filter, FILTER_ONE_END, FILTER_OTHER_END, faces, among);
    return found | both_ends_in(filter, FILTER_OTHER_END, FILTER_ONE_END, faces, among & ~found);
}

static uint64_t roles_in(const struct prepared_filter *filter, const struct flow_faces *faces, uint64_t among)
{
    among &= faces->roles;
    return both_ends_in(filter, FILTER_CLIENT, FILTER_SERVER, faces, among & ~faces->client) |
           both_ends_in(filter, FILTER_SERVER, FILTER_CLIENT, faces, among & faces->client);
}

static uint64_t fields_in(const struct prepared_filter *filter, enum filter_field field,
                          const uint32_t column[], uint64_t among)
{
    const struct number_set *set = &filter->field[field];
    return set->count == 0 || among == 0 ? among : numbers_in(set, column, among);
}

static uint64_t quality_in(const struct prepared_filter *filter, const struct flow_faces *faces,
                           uint64_t among)
{
    const struct filter_range *figure = filter->figure;
    if (filter->asks_figure[FILTER_RTT_NS])
        among = figures_in(&figure[FILTER_RTT_NS], faces->rtt_ns, among & faces->rtt);
    if (filter->asks_figure[FILTER_RETRANSMISSIONS])
        among = figures_in(&figure[FILTER_RETRANSMISSIONS], faces->retransmissions, among & faces->counted);
    return among;
}

// What faces decide for good, cheap and telling things first.
static uint64_t nodes_in(const struct prepared_filter *filter, const struct flow_faces *faces)
{
    const struct filter_range *figure = filter->figure;
    uint64_t bits = fields_in(filter, FILTER_PROTOCOL, faces->protocol, flow_faces_all(faces));
    bits = fields_in(filter, FILTER_TCP_STATE, faces->tcp_state, bits);
    if (filter->field[FILTER_VLAN].count > 0)
        bits = fields_in(filter, FILTER_VLAN, faces->vlan, bits & faces->tagged);
    bits = quality_in(filter, faces, bits);
    if (filter->asks_figure[FILTER_BYTES])
        bits = figures_in(&figure[FILTER_BYTES], faces->bytes, bits);
    if (filter->pair)
        bits = pairs_in(filter, faces, bits);
    if (filter->roles)
        bits = roles_in(filter, faces, bits);
    if (filter->asks_figure[FILTER_DURATION_NS])
        bits = durations_in(&figure[FILTER_DURATION_NS], faces, bits);
    return bits;
}

static uint64_t named_in(const struct prepared_filter *filter, const struct flow_faces *faces, uint64_t among)
{
    const struct prepared_end *inside = &filter->inside;
    uint64_t found = located_in(inside, faces, 0, addresses_in(&filter->named, faces, 0, among));
    return found | located_in(inside, faces, 1, addresses_in(&filter->named, faces, 1, among & ~found));
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

// A field whose 0 says "none": only the records of `told` have another value.
static void require_told(const struct prepared_filter *filter, enum filter_field field, uint64_t told,
                         struct flow_fit *fit)
{
    if (filter->field[field].count > 0)
        require(fit, told, field_fits(filter, field, 0) ? ~told : 0);
}

// Fields that lie in the parts of flows, of those that have the part.
static void require_extra(const struct prepared_filter *filter, const struct flow_faces *faces,
                          struct flow_fit *fit)
{
    uint64_t extra = faces->extra, among = fit->may;
    if (filter->field[FILTER_INTERFACE].count > 0)
        require(fit, extra, fields_in(filter, FILTER_INTERFACE, faces->interface, among));
    if (filter->asks_figure[FILTER_PACKETS])
        require(fit, extra, figures_in(&filter->figure[FILTER_PACKETS], faces->packets, among & ~extra));
    if (filter->name_count > 0)
        require(fit, extra, named_in(filter, faces, among));
    if (filter->field[FILTER_TUNNEL_ID].count > 0)
        require(fit, faces->tunnel, 0);
    require_told(filter, FILTER_TUNNEL_KIND, faces->tunnel, fit);
    require_told(filter, FILTER_CONN_STATE, faces->ports, fit);
    require_told(filter, FILTER_APP, extra, fit);
    require_told(filter, FILTER_SNI_STATUS, extra, fit);
    require_told(filter, FILTER_TLS_VERSION, extra, fit);
}

static struct flow_fit filter_fits_faces(const struct prepared_filter *filter, const struct flow_faces *faces)
{
    uint64_t bits = nodes_in(filter, faces);
    struct flow_fit fit = {bits, bits};
    if (!filter->asks_parts || bits == 0)
        return fit;
    require_extra(filter, faces, &fit);
    if (filter->community_count > 0 || filter->id_count > 0)
        fit.does = 0;
    return fit;
}

static struct flow_fit list_fits_faces(const struct flow_selection *selection, const struct flow_faces *faces)
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

struct flow_fit flow_selection_fits_faces(const struct flow_selection *selection,
                                          const struct flow_faces *faces)
{
    struct flow_fit fit = list_fits_faces(selection, faces);
    if (selection->within == NULL || fit.may == 0)
        return fit;
    struct flow_fit within = list_fits_faces(selection->within, faces);
    return (struct flow_fit){fit.may & within.may, fit.does & within.does};
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
    if (filter->name_count == 0 || named_in(filter, face, 1) != 0)
        return true;
    const struct flow_names *names = record->names;
    return names != NULL && (text_fits(filter, names->text[FLOW_TEXT_SNI]) ||
                             text_fits(filter, names->text[FLOW_TEXT_DNS_QUERY]));
}

static bool facts_fit(const struct prepared_filter *filter, const struct flow_facts *facts)
{
    return field_fits(filter, FILTER_APP, facts->app) &&
           field_fits(filter, FILTER_SNI_STATUS, facts->sni_status) &&
           field_fits(filter, FILTER_TLS_VERSION, facts->tls_version);
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

static bool id_fits(const struct prepared_filter *filter, const struct flow_record *record)
{
    uint8_t id[FLOW_ID_BYTES];
    if (filter->id_count == 0)
        return true;
    flow_record_id_bytes(record, id);
    for (unsigned i = 0; i < filter->id_count; i++)
        if (memcmp(filter->id[i], id, sizeof id) == 0)
            return true;
    return false;
}

static bool tunnel_fits(const struct prepared_filter *filter, const struct flow_record *record)
{
    if (!field_fits(filter, FILTER_TUNNEL_KIND, record->tunnel.kind))
        return false;
    const struct flow_tunnel *tunnel = &record->tunnel;
    return filter->field[FILTER_TUNNEL_ID].count == 0 ||
           (tunnel->kind != TUNNEL_NONE &&
            (field_fits(filter, FILTER_TUNNEL_ID, tunnel->id) ||
             (tunnel->two_ids && field_fits(filter, FILTER_TUNNEL_ID, tunnel->peer_id))));
}

// `face` is that of the record, and the only one.
static bool filter_fits(const struct prepared_filter *filter, const struct flow_faces *face,
                        const struct flow_record *record)
{
    return nodes_in(filter, face) != 0 && interface_fits(filter, record) &&
           figure_fits(filter, FILTER_PACKETS, record->packets[0] + record->packets[1]) &&
           field_fits(filter, FILTER_CONN_STATE, record->conn_state) && facts_fit(filter, &record->facts) &&
           tunnel_fits(filter, record) && names_fit(filter, face, record) && id_fits(filter, record) &&
           community_fits(filter, record);
}

static bool list_fits(const struct flow_selection *selection, const struct flow_faces *face,
                      const struct flow_record *record)
{
    const struct prepared_filter *denied = selection->filter + selection->allow_count;
    bool fits = selection->allow_count == 0;
    for (unsigned i = 0; i < selection->allow_count && !fits; i++)
        fits = filter_fits(&selection->filter[i], face, record);
    for (unsigned i = 0; i < selection->deny_count && fits; i++)
        fits = !filter_fits(&denied[i], face, record);
    return fits;
}

bool flow_selection_fits(const struct flow_selection *selection, const struct flow_record *record)
{
    if (selection == NULL)
        return true;
    struct flow_faces face;
    flow_faces_clear(&face, record->endpoint[0].address.version);
    flow_faces_add_record(&face, record);
    return list_fits(selection, &face, record) &&
           (selection->within == NULL || list_fits(selection->within, &face, record));
}
