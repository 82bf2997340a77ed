// From filters to a selection: lists sorted, names in lower case, Community IDs decoded.
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "flow/selection.h"

static wide_number host_bits(const struct prefix *prefix)
{
    unsigned bits = prefix->address.version == 4 ? 32 : 128, left = bits - prefix->bits;
    return left == 128 ? ~(wide_number)0 : ((wide_number)1 << left) - 1;
}

// The prefixes of an IP version as a set; false without memory.
static bool prepare_version(const struct filter_prefixes *prefixes, uint8_t version, struct number_set *out)
{
    unsigned count = 0;
    for (unsigned i = 0; i < prefixes->count; i++)
        count += prefixes->items[i].address.version == version;
    if (count == 0)
        return true;
    struct number_range *ranges = calloc(count, sizeof *ranges);
    if (ranges == NULL)
        return false;
    count = 0;
    for (unsigned i = 0; i < prefixes->count; i++) {
        const struct prefix *prefix = &prefixes->items[i];
        if (prefix->address.version != version)
            continue;
        wide_number first = flow_address_number(prefix->address.bytes, version);
        ranges[count++] = (struct number_range){first, first | host_bits(prefix)};
    }
    if (version == 4)
        return number_set_narrow(ranges, count, out);
    *out = number_set_of(ranges, count);
    return true;
}

static bool prepare_prefixes(const struct filter_prefixes *prefixes, struct address_set *out)
{
    return prepare_version(prefixes, 4, &out->v4) && prepare_version(prefixes, 6, &out->v6);
}

// A place that is open while the numbers are walked over upwards.
struct open_place {
    wide_number first, last;
    bool hole;
};

static int compare_places(const void *left, const void *right)
{
    const struct open_place *one = left, *other = right;
    if (one->first != other->first)
        return one->first < other->first ? -1 : 1;
    return one->last > other->last ? -1 : one->last < other->last; // what holds the other comes first
}

// Walks over places that are sorted: a place is held by the one before that is still open, or lies behind it. Writes at
// most two ranges a place.
static unsigned places_to_ranges(const struct open_place *places, unsigned count, struct open_place *open,
                                 struct number_range *ranges)
{
    unsigned depth = 0, made = 0;
    wide_number at = 0;
    for (unsigned i = 0; i <= count; i++) {
        bool end = i == count;
        for (; depth > 0 && (end || open[depth - 1].last < places[i].first); depth--) {
            const struct open_place *top = &open[depth - 1];
            if (!top->hole && at <= top->last)
                ranges[made++] = (struct number_range){at, top->last};
            if (top->last + 1 == 0) // nothing is behind it
                return made;
            at = top->last + 1;
        }
        if (end)
            break;
        if (depth > 0 && !open[depth - 1].hole && at < places[i].first)
            ranges[made++] = (struct number_range){at, places[i].first - 1};
        at = places[i].first;
        open[depth++] = places[i];
    }
    return made;
}

// The places of an IP version as a set; false without memory.
static bool prepare_places_of(const struct filter_places *places, uint8_t version, struct number_set *out)
{
    unsigned count = 0;
    struct open_place *sorted = calloc(2 * (size_t)places->count + 1, sizeof *sorted);
    struct number_range *ranges = calloc(2 * (size_t)places->count + 1, sizeof *ranges);
    for (unsigned i = 0; sorted != NULL && i < places->count; i++) {
        const struct prefix *prefix = &places->items[i].prefix;
        if (prefix->address.version != version)
            continue;
        wide_number first = flow_address_number(prefix->address.bytes, version);
        sorted[count++] = (struct open_place){first, first | host_bits(prefix), places->items[i].hole};
    }
    if (sorted == NULL || ranges == NULL || count == 0) {
        bool good = sorted != NULL && ranges != NULL;
        free(sorted);
        free(ranges);
        return good;
    }
    qsort(sorted, count, sizeof *sorted, compare_places);
    unsigned made = places_to_ranges(sorted, count, sorted + count, ranges);
    assert(made <= 2 * count);
    free(sorted);
    if (version == 4)
        return number_set_narrow(ranges, made, out);
    *out = number_set_of(ranges, made);
    return true;
}

static bool prepare_end(const struct filter_end *end, struct prepared_end *out)
{
    out->asks_networks = end->networks.count > 0;
    out->asks_ports = end->port_count > 0;
    out->asks_places = end->places != NULL;
    if (!prepare_prefixes(&end->networks, &out->networks))
        return false;
    if (end->places != NULL && !(prepare_places_of(end->places, 4, &out->places.v4) &&
                                 prepare_places_of(end->places, 6, &out->places.v6)))
        return false;
    struct number_range *ranges = calloc(end->port_count + 1, sizeof *ranges);
    if (ranges == NULL)
        return false;
    for (unsigned i = 0; i < end->port_count; i++)
        ranges[i] = (struct number_range){end->ports[i].first, end->ports[i].last};
    return number_set_narrow(ranges, end->port_count, &out->ports);
}

static bool prepare_ends(const struct flow_filter *filter, struct prepared_filter *out)
{
    for (int role = 0; role < FILTER_ROLES; role++) {
        if (!prepare_end(&filter->end[role], &out->end[role]))
            return false;
        if (out->end[role].asks_networks || out->end[role].asks_ports || out->end[role].asks_places)
            *(role == FILTER_CLIENT || role == FILTER_SERVER ? &out->roles : &out->pair) = true;
    }
    return prepare_end(&filter->inside, &out->inside);
}

static bool prepare_fields(const struct flow_filter *filter, struct prepared_filter *out)
{
    for (int field = 0; field < FILTER_FIELDS; field++) {
        const struct filter_numbers *numbers = &filter->field[field];
        struct number_range *ranges = calloc(numbers->count + 1, sizeof *ranges);
        if (ranges == NULL)
            return false;
        for (unsigned i = 0; i < numbers->count; i++)
            ranges[i] = (struct number_range){numbers->items[i], numbers->items[i]};
        if (!number_set_narrow(ranges, numbers->count, &out->field[field]))
            return false;
    }
    return true;
}

static void prepare_figures(const struct flow_filter *filter, struct prepared_filter *out)
{
    for (int i = 0; i < FILTER_FIGURES; i++) {
        const struct filter_range *range = &filter->figure[i];
        out->asks_figure[i] = range->has_min || range->has_max;
        out->figure[i].min = range->has_min ? range->min : 0;
        out->figure[i].max = range->has_max ? range->max : UINT64_MAX;
    }
}

static void prepare_name(const struct filter_name *name, struct prepared_name *out)
{
    size_t length = strlen(name->text);
    if (name->text[length - 1] == '.')
        length--;
    for (size_t i = 0; i < length; i++) {
        char letter = name->text[i];
        out->text[i] = letter >= 'A' && letter <= 'Z' ? (char)(letter + ('a' - 'A')) : letter;
    }
    out->length = (uint8_t)length;
    out->suffix = name->suffix;
}

struct filter_names *filter_names_prepare(const struct filter_name *names, unsigned count)
{
    struct filter_names *prepared = calloc(1, sizeof *prepared + count * sizeof prepared->name[0]);
    for (; prepared != NULL && prepared->count < count; prepared->count++)
        prepare_name(&names[prepared->count], &prepared->name[prepared->count]);
    return prepared;
}

unsigned filter_names_count(const struct filter_names *names)
{
    return names->count;
}

void filter_names_destroy(struct filter_names *names)
{
    free(names);
}

static bool prepare_names(const struct flow_filter *filter, struct prepared_filter *out)
{
    out->names = calloc(filter->name_count + 1, sizeof *out->names);
    if (out->names == NULL || !prepare_prefixes(&filter->named, &out->named))
        return false;
    for (; out->name_count < filter->name_count; out->name_count++)
        prepare_name(&filter->names[out->name_count], &out->names[out->name_count]);
    return true;
}

static bool prepare_community_ids(const struct flow_filter *filter, struct prepared_filter *out)
{
    out->community = calloc(filter->community_id_count + 1, sizeof *out->community);
    if (out->community == NULL)
        return false;
    for (; out->community_count < filter->community_id_count; out->community_count++)
        community_id_decode(filter->community_ids[out->community_count],
                            out->community[out->community_count]);
    return true;
}

static bool prepare_ids(const struct flow_filter *filter, struct prepared_filter *out)
{
    out->id = calloc(filter->id_count + 1, sizeof *out->id);
    if (out->id == NULL)
        return false;
    for (; out->id_count < filter->id_count; out->id_count++)
        flow_id_decode(filter->ids[out->id_count], out->id[out->id_count]);
    return true;
}

static bool asks_parts(const struct prepared_filter *filter)
{
    bool asks = false;
    for (int field = FILTER_INTERFACE; field < FILTER_FIELDS; field++)
        asks = asks || filter->field[field].count > 0;
    return asks || filter->asks_figure[FILTER_PACKETS] || filter->name_count > 0 ||
           filter->community_count > 0 || filter->id_count > 0;
}

static bool prepare(const struct flow_filter *filter, struct flow_selection *selection,
                    struct prepared_filter *out)
{
    prepare_figures(filter, out);
    if (!prepare_ends(filter, out) || !prepare_fields(filter, out) || !prepare_names(filter, out) ||
        !prepare_community_ids(filter, out) || !prepare_ids(filter, out))
        return false;
    out->asks_parts = asks_parts(out);
    if (out->asks_figure[FILTER_DURATION_NS])
        selection->parts |= FLOW_FACE_ENDS;
    if (out->asks_figure[FILTER_RTT_NS] || out->asks_figure[FILTER_RETRANSMISSIONS])
        selection->parts |= FLOW_FACE_QUALITY;
    selection->needs_parts |= out->asks_parts;
    selection->needs_digest |= out->community_count > 0 || out->id_count > 0;
    return true;
}

static size_t ranges_of_end(const struct filter_end *end)
{
    return end->networks.count + end->port_count + (end->places != NULL ? 2 * (size_t)end->places->count : 0);
}

static size_t bytes_of_list(const struct flow_filter *filters, unsigned count)
{
    size_t bytes = 0, ranges = 0;
    for (unsigned i = 0; i < count; i++) {
        const struct flow_filter *filter = &filters[i];
        bytes += sizeof(struct prepared_filter) + filter->name_count * sizeof(struct prepared_name) +
                 filter->community_id_count * (size_t)COMMUNITY_ID_DIGEST_BYTES +
                 filter->id_count * (size_t)FLOW_ID_BYTES;
        ranges += filter->named.count;
        for (int role = 0; role < FILTER_ROLES; role++)
            ranges += ranges_of_end(&filter->end[role]);
        ranges += ranges_of_end(&filter->inside);
        for (int field = 0; field < FILTER_FIELDS; field++)
            ranges += filter->field[field].count;
    }
    return bytes + ranges * sizeof(struct number_range);
}

static bool prepare_all(const struct flow_filters *filters, struct flow_selection *selection)
{
    for (unsigned i = 0; i < filters->allow_count; i++)
        if (!prepare(&filters->allow[i], selection, &selection->filter[i]))
            return false;
    for (unsigned i = 0; i < filters->deny_count; i++)
        if (!prepare(&filters->deny[i], selection, &selection->filter[filters->allow_count + i]))
            return false;
    return true;
}

static void take_within(struct flow_selection *selection, struct flow_selection *within)
{
    if (within == NULL)
        return;
    assert(within->within == NULL);
    selection->within = flow_selection_hold(within);
    selection->parts |= within->parts;
    selection->needs_parts |= within->needs_parts;
    selection->needs_digest |= within->needs_digest;
}

struct flow_selection *flow_filter_prepare(const struct flow_filters *filters, struct error *error)
{
    if (!flow_filter_check(filters, error))
        return NULL;
    size_t bytes = bytes_of_list(filters->allow, filters->allow_count) +
                   bytes_of_list(filters->deny, filters->deny_count);
    if (bytes > FILTER_SELECTION_BYTES) {
        error_set(error, ERROR_INVALID_ARGUMENT,
                  "the filters need %zu bytes, and %d is the most: give fewer filters, or fewer names", bytes,
                  FILTER_SELECTION_BYTES);
        return NULL;
    }
    unsigned count = filters->allow_count + filters->deny_count;
    struct flow_selection *selection = calloc(1, sizeof *selection + count * sizeof selection->filter[0]);
    if (selection != NULL) {
        atomic_store_explicit(&selection->holders, 1, memory_order_relaxed);
        selection->allow_count = filters->allow_count;
        selection->deny_count = filters->deny_count;
        take_within(selection, filters->within);
        if (prepare_all(filters, selection))
            return selection;
    }
    flow_selection_release(selection);
    error_set(error, ERROR_EXHAUSTED, "no memory for the filters");
    return NULL;
}

struct flow_selection *flow_selection_hold(struct flow_selection *selection)
{
    if (selection != NULL)
        atomic_fetch_add_explicit(&selection->holders, 1, memory_order_relaxed);
    return selection;
}

static void addresses_done(struct address_set *set)
{
    number_set_done(&set->v4);
    number_set_done(&set->v6);
}

static void end_done(struct prepared_end *end)
{
    addresses_done(&end->networks);
    addresses_done(&end->places);
    number_set_done(&end->ports);
}

static void filter_done(struct prepared_filter *filter)
{
    for (int role = 0; role < FILTER_ROLES; role++)
        end_done(&filter->end[role]);
    end_done(&filter->inside);
    for (int field = 0; field < FILTER_FIELDS; field++)
        number_set_done(&filter->field[field]);
    addresses_done(&filter->named);
    free(filter->names);
    free(filter->community);
    free(filter->id);
}

void flow_selection_release(struct flow_selection *selection)
{
    if (selection == NULL || atomic_fetch_sub_explicit(&selection->holders, 1, memory_order_acq_rel) > 1)
        return;
    for (unsigned i = 0; i < selection->allow_count + selection->deny_count; i++)
        filter_done(&selection->filter[i]);
    flow_selection_release(selection->within);
    free(selection);
}
