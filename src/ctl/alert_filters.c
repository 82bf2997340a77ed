#include <string.h>

#include "api/build.h"
#include "ctl/filters.h"
#include "ctl/invocation.h"
#include "ctl/options.h"
#include "netscope/v1/filter.pb-c.h"

typedef Netscope__V1__AlertFilter Filter;

// clang-format off
static const struct option_row rows[] = {
    {.name = "kind", .argument = "KIND", .help = "syn_flood, port_scan..."},
    {.name = "severity", .argument = "SEVERITY", .help = "low, medium, high or critical", .words = severity_words},
    {.name = "lifecycle", .argument = "WORD", .help = "started, updated or ended", .words = lifecycle_words},
    {.name = "source", .argument = "NETWORK", .help = "of the sources", .also = "from-ip"},
    {.name = "target", .argument = "NETWORK", .help = "of the targets", .also = "to-ip"},
    {.name = "ip", .argument = "NETWORK", .help = "of either side"},
    {.name = "interface", .argument = "NAME", .help = "where it was seen", .hint = HINT_INTERFACE},
    {.name = "id", .argument = "ID", .help = "of the alert"},
    {.name = "fingerprint", .argument = "TEXT", .help = "of kind and parties: equal on every node"},
    {.name = NULL},
};

#define TEXTS(member) {offsetof(Filter, member), offsetof(Filter, n_##member)}
// In the order of the rows.
static const struct {
    size_t offset, count_offset;
} members[] = {
    TEXTS(kinds), TEXTS(severities), TEXTS(lifecycles), TEXTS(sources), TEXTS(targets), TEXTS(parties),
    TEXTS(interfaces), TEXTS(ids), TEXTS(fingerprints),
};
// clang-format on
_Static_assert(sizeof members / sizeof members[0] + 1 == sizeof rows / sizeof rows[0],
               "a member for each row");

const struct option_group alert_filter_options = {"Filters (--not before one: leave out what it fits)", rows,
                                                  true};

static void *next_place(struct build *build, void *list, size_t *count, size_t bytes)
{
    void *first;
    memcpy(&first, list, sizeof first);
    if (*count == 0) {
        first = build_part(build, INVOCATION_OPTIONS * bytes);
        memcpy(list, &first, sizeof first);
    }
    return first != NULL ? (char *)first + (*count)++ * bytes : NULL;
}

static void add_option(struct build *build, Filter *filter, const struct given_option *option)
{
    void *list = (char *)filter + members[option->row - rows].offset;
    size_t *count = (size_t *)(void *)((char *)filter + members[option->row - rows].count_offset);
    if (option->row->words != NULL) {
        int *value = next_place(build, list, count, sizeof *value);
        if (value != NULL)
            *value = word_value(option->row->words, option->value);
        return;
    }
    char **text = next_place(build, list, count, sizeof *text);
    if (text != NULL)
        *text = build_borrowed(option->value);
}

static Filter *new_filter(struct build *build)
{
    Filter *filter = build_part(build, sizeof *filter);
    if (filter != NULL)
        netscope__v1__alert_filter__init(filter);
    return filter;
}

bool alert_filters_build(struct build *build, const struct invocation *given, struct alert_filters *into,
                         struct error *error)
{
    *into = (struct alert_filters){.allow = build_part(build, sizeof *into->allow),
                                   .deny = build_part(build, INVOCATION_OPTIONS * sizeof *into->deny)};
    for (unsigned i = 0; i < given->option_count && !build->failed; i++) {
        const struct given_option *option = &given->options[i];
        if (option->row < rows || option->row >= rows + sizeof rows / sizeof rows[0])
            continue;
        if (!option->negated && into->allow_count == 0)
            into->allow[into->allow_count++] = new_filter(build);
        if (option->negated)
            into->deny[into->deny_count++] = new_filter(build);
        Filter *filter = option->negated ? into->deny[into->deny_count - 1] : into->allow[0];
        if (filter != NULL)
            add_option(build, filter, option);
    }
    return !build->failed || error_set(error, ERROR_EXHAUSTED, "no memory for the filters");
}
