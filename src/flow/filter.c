// Evaluation: first over the face of a flow, then over its record.
#include "flow/filter.h"

#include <string.h>

#include "flow/selection.h"

static bool addresses_have(const struct address_set *set, const struct flow_face *face, int side)
{
    return number_set_has(face->version == 4 ? &set->v4 : &set->v6, face->address[side]);
}

static bool end_fits(const struct prepared_end *end, const struct flow_face *face, int side)
{
    if (end->asks_ports && !(face->has_ports && number_set_has(&end->ports, face->port[side])))
        return false;
    return !end->asks_networks || addresses_have(&end->networks, face, side);
}

static bool pair_fits(const struct prepared_filter *filter, const struct flow_face *face)
{
    const struct prepared_end *one = &filter->end[FILTER_ONE_END], *other = &filter->end[FILTER_OTHER_END];
    return (end_fits(one, face, 0) && end_fits(other, face, 1)) ||
           (end_fits(one, face, 1) && end_fits(other, face, 0));
}

static bool roles_fit(const struct prepared_filter *filter, const struct flow_face *face)
{
    return face->client >= 0 && end_fits(&filter->end[FILTER_CLIENT], face, face->client) &&
           end_fits(&filter->end[FILTER_SERVER], face, !face->client);
}

static bool field_fits(const struct prepared_filter *filter, enum filter_field field, uint32_t value)
{
    return filter->field[field].count == 0 || number_set_has(&filter->field[field], value);
}

static bool figure_fits(const struct prepared_filter *filter, enum filter_figure figure, uint64_t value)
{
    return value >= filter->figure[figure].min && value <= filter->figure[figure].max;
}

// What the face decides for good, cheap and telling things first.
static bool face_fits(const struct prepared_filter *filter, const struct flow_face *face)
{
    if (!field_fits(filter, FILTER_PROTOCOL, face->protocol) ||
        !field_fits(filter, FILTER_TCP_STATE, face->tcp_state) ||
        !figure_fits(filter, FILTER_BYTES, face->bytes))
        return false;
    if (filter->field[FILTER_VLAN].count > 0 &&
        !(face->has_vlan && field_fits(filter, FILTER_VLAN, face->vlan)))
        return false;
    if ((filter->pair && !pair_fits(filter, face)) || (filter->roles && !roles_fit(filter, face)))
        return false;
    return !filter->asks_figure[FILTER_DURATION_NS] ||
           figure_fits(filter, FILTER_DURATION_NS, flow_span_ns(face->first_ns, face->last_ns));
}

static bool is_named(const struct prepared_filter *filter, const struct flow_face *face)
{
    return addresses_have(&filter->named, face, 0) || addresses_have(&filter->named, face, 1);
}

// Fields of which the face decides some flows; the others are in `flow_extra`.
static enum flow_fit extra_fits(const struct prepared_filter *filter, const struct flow_face *face)
{
    bool fits = field_fits(filter, FILTER_INTERFACE, face->interface) &&
                figure_fits(filter, FILTER_PACKETS, face->packets) &&
                field_fits(filter, FILTER_APP, FLOW_APP_NONE) &&
                (filter->name_count == 0 || is_named(filter, face));
    if (!face->has_extra)
        return fits ? FLOW_FIT_YES : FLOW_FIT_NO;
    bool more = filter->asks_figure[FILTER_PACKETS] || filter->field[FILTER_APP].count > 0; // may lie there
    return fits && !more ? FLOW_FIT_YES : FLOW_FIT_MAYBE;
}

static enum flow_fit tunnel_fits(const struct prepared_filter *filter, const struct flow_face *face)
{
    if (filter->field[FILTER_TUNNEL_KIND].count == 0 && filter->field[FILTER_TUNNEL_ID].count == 0)
        return FLOW_FIT_YES;
    if (face->has_tunnel)
        return FLOW_FIT_MAYBE;
    bool fits =
        filter->field[FILTER_TUNNEL_ID].count == 0 && field_fits(filter, FILTER_TUNNEL_KIND, TUNNEL_NONE);
    return fits ? FLOW_FIT_YES : FLOW_FIT_NO;
}

static enum flow_fit quality_fits(const struct prepared_filter *filter, const struct flow_face *face)
{
    bool rtt = filter->asks_figure[FILTER_RTT_NS], again = filter->asks_figure[FILTER_RETRANSMISSIONS];
    if (!rtt && !again)
        return FLOW_FIT_YES;
    if (face->protocol != IP_PROTOCOL_TCP)
        return FLOW_FIT_NO;
    bool some = rtt || filter->figure[FILTER_RETRANSMISSIONS].min > 0; // and not none
    return face->has_quality || !some ? FLOW_FIT_MAYBE : FLOW_FIT_NO;
}

static enum flow_fit least(enum flow_fit one, enum flow_fit other)
{
    return one < other ? one : other;
}

static enum flow_fit filter_fits_face(const struct prepared_filter *filter, const struct flow_face *face)
{
    if (!face_fits(filter, face))
        return FLOW_FIT_NO;
    if (!filter->asks_parts)
        return FLOW_FIT_YES;
    enum flow_fit fit = filter->community_count > 0 ? FLOW_FIT_MAYBE : FLOW_FIT_YES;
    fit = least(fit, quality_fits(filter, face));
    return least(fit, least(tunnel_fits(filter, face), extra_fits(filter, face)));
}

enum flow_fit flow_selection_fits_face(const struct flow_selection *selection, const struct flow_face *face)
{
    enum flow_fit fit = selection->allow_count == 0 ? FLOW_FIT_YES : FLOW_FIT_NO;
    const struct prepared_filter *filter = selection->filter, *denied = filter + selection->allow_count;
    for (; filter < denied && fit != FLOW_FIT_YES; filter++) {
        enum flow_fit other = filter_fits_face(filter, face);
        fit = other > fit ? other : fit;
    }
    for (unsigned i = 0; i < selection->deny_count && fit != FLOW_FIT_NO; i++)
        fit = least(fit, (enum flow_fit)(FLOW_FIT_YES - filter_fits_face(&denied[i], face)));
    return fit;
}

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

static bool text_fits(const struct prepared_filter *filter, const char *text)
{
    size_t length = strlen(text);
    if (length > 0 && text[length - 1] == '.')
        length--;
    for (unsigned i = 0; length > 0 && i < filter->name_count; i++)
        if (name_fits(&filter->names[i], text, length))
            return true;
    return false;
}

static bool names_fit(const struct prepared_filter *filter, const struct flow_face *face,
                      const struct flow_record *record)
{
    if (filter->name_count == 0 || is_named(filter, face))
        return true;
    const struct flow_names *names = record->names;
    return names != NULL && (text_fits(filter, names->text[FLOW_TEXT_SNI]) ||
                             text_fits(filter, names->text[FLOW_TEXT_DNS_QUERY]));
}

static bool record_quality_fits(const struct prepared_filter *filter, const struct flow_record *record)
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

static bool tunnel_of_record_fits(const struct prepared_filter *filter, const struct flow_record *record)
{
    if (!field_fits(filter, FILTER_TUNNEL_KIND, record->tunnel.kind))
        return false;
    return filter->field[FILTER_TUNNEL_ID].count == 0 ||
           (record->tunnel.kind != TUNNEL_NONE && field_fits(filter, FILTER_TUNNEL_ID, record->tunnel.id));
}

static bool filter_fits_both(const struct prepared_filter *filter, const struct flow_face *face,
                             const struct flow_record *record)
{
    return face_fits(filter, face) && interface_fits(filter, record) &&
           figure_fits(filter, FILTER_PACKETS, record->packets[0] + record->packets[1]) &&
           field_fits(filter, FILTER_APP, record->facts.app) && tunnel_of_record_fits(filter, record) &&
           record_quality_fits(filter, record) && names_fit(filter, face, record) &&
           community_fits(filter, record);
}

bool flow_selection_fits_both(const struct flow_selection *selection, const struct flow_face *face,
                              const struct flow_record *record)
{
    const struct prepared_filter *denied = selection->filter + selection->allow_count;
    bool fits = selection->allow_count == 0;
    for (unsigned i = 0; i < selection->allow_count && !fits; i++)
        fits = filter_fits_both(&selection->filter[i], face, record);
    for (unsigned i = 0; i < selection->deny_count && fits; i++)
        fits = !filter_fits_both(&denied[i], face, record);
    return fits;
}

bool flow_selection_fits(const struct flow_selection *selection, const struct flow_record *record)
{
    if (selection == NULL)
        return true;
    struct flow_face face;
    flow_face_of_record(record, &face);
    return flow_selection_fits_both(selection, &face, record);
}
