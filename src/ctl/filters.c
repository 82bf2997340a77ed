#include "ctl/filters.h"

#include <assert.h>
#include <protobuf-c/protobuf-c.h>
#include <string.h>

#include "api/build.h"
#include "base/time.h"
#include "config/value.h"
#include "ctl/filter_rows.h"
#include "ctl/invocation.h"
#include "ctl/options.h"
#include "netscope/v1/filter.pb-c.h"

typedef Netscope__V1__EndpointFilter End;
typedef Netscope__V1__PortRange Ports;
typedef Netscope__V1__NumberRange Range;
typedef Netscope__V1__DurationRange Spans;

enum { LIST_MOST = INVOCATION_OPTIONS, PORT_MOST = 65535 };

struct filling {
    struct build *build;
    struct error *error;
};

// A place more in a list of pointers or numbers, whose room is made with the first; NULL without memory.
static void *next_place(struct filling *filling, void *list, size_t *count, size_t bytes)
{
    void *first;
    assert(*count < LIST_MOST); // a value an option
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

static End *end_of(struct filling *filling, void *filter, size_t offset)
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

static void add_name(struct filling *filling, void *list, size_t *count, const char *text)
{
    Netscope__V1__NameFilter *name = build_part(filling->build, sizeof *name);
    Netscope__V1__NameFilter **place = next_place(filling, list, count, sizeof *place);
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

static bool add_to_end(struct filling *filling, void *filter, const struct filter_member *member,
                       const struct given_option *option)
{
    End *end = end_of(filling, filter, member->offset);
    if (end == NULL)
        return true;
    if (member->kind == FILTER_PORT)
        return add_ports(filling, end, option);
    if (member->kind == FILTER_NAMESPACE)
        add_text(filling, &end->namespaces, &end->n_namespaces, option->value);
    else
        add_text(filling, &end->networks, &end->n_networks, option->value);
    return true;
}

// Which enum a list is of.
static const ProtobufCEnumDescriptor *enum_at(const ProtobufCMessage *filter, size_t offset)
{
    const ProtobufCFieldDescriptor *field = filter->descriptor->fields;
    while (field->offset != offset)
        field++;
    assert(field->type == PROTOBUF_C_TYPE_ENUM);
    return field->descriptor;
}

static bool add_option(struct filling *filling, void *filter, const struct filter_member *member,
                       const struct given_option *option)
{
    void *place = (char *)filter + member->offset;
    size_t *count = (size_t *)(void *)((char *)filter + member->count_offset);
    switch (member->kind) {
    case FILTER_NETWORK:
    case FILTER_PORT:
    case FILTER_NAMESPACE:
        return add_to_end(filling, filter, member, option);
    case FILTER_TEXT:
        add_text(filling, place, count, option->value);
        return true;
    case FILTER_NAME:
        add_name(filling, place, count, option->value);
        return true;
    case FILTER_WORD: {
        int *value = next_place(filling, place, count, sizeof *value);
        if (value != NULL)
            *value =
                enum_at(filter, member->offset)->values[word_place(option->row->words, option->value)].value;
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

// The member of an option; NULL: it is no filter.
static const struct filter_member *member_of(const struct filter_kinds *kinds, const struct option_row *row)
{
    for (size_t i = 0; kinds->rows[i].name != NULL; i++)
        if (row == &kinds->rows[i])
            return &kinds->members[i];
    return NULL;
}

static ProtobufCMessage *new_filter(const struct filter_kinds *kinds, struct build *build)
{
    ProtobufCMessage *filter = build_part(build, kinds->message->sizeof_message);
    if (filter != NULL)
        kinds->message->message_init(filter);
    return filter;
}

struct ProtobufCMessage *filter_copy(const struct filter_kinds *kinds, struct build *build,
                                     const struct ProtobufCMessage *filter)
{
    ProtobufCMessage *copy = build_part(build, kinds->message->sizeof_message);
    if (copy != NULL)
        memcpy(copy, filter, kinds->message->sizeof_message);
    return copy;
}

static bool fill(struct filling *filling, const struct filter_kinds *kinds, const struct invocation *given,
                 struct filter_lists *into)
{
    for (unsigned i = 0; i < given->option_count; i++) {
        const struct given_option *option = &given->options[i];
        const struct filter_member *member = member_of(kinds, option->row);
        if (member == NULL)
            continue;
        if (!option->negated && into->allow_count == 0)
            into->allow[into->allow_count++] = new_filter(kinds, filling->build);
        if (option->negated)
            into->deny[into->deny_count++] = new_filter(kinds, filling->build);
        ProtobufCMessage *filter = option->negated ? into->deny[into->deny_count - 1] : into->allow[0];
        if (filter != NULL && !add_option(filling, filter, member, option))
            return false;
    }
    return true;
}

bool filter_lists_build(const struct filter_kinds *kinds, struct build *build, const struct invocation *given,
                        struct filter_lists *into, struct error *error)
{
    struct filling filling = {build, error};
    *into = (struct filter_lists){.allow = build_part(build, FILTER_ALLOW_ROOM * sizeof *into->allow),
                                  .deny = build_part(build, INVOCATION_OPTIONS * sizeof *into->deny)};
    if (into->allow != NULL && into->deny != NULL && !fill(&filling, kinds, given, into))
        return false;
    return !build->failed || error_set(error, ERROR_EXHAUSTED, "no memory for the filters");
}
