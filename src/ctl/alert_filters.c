#include <protobuf-c/protobuf-c.h>

#include "ctl/filter_rows.h"
#include "ctl/filters.h"
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

#define LIST(kind, member) {kind, offsetof(Filter, member), offsetof(Filter, n_##member)}
// In the order of the rows.
static const struct filter_member members[] = {
    LIST(FILTER_TEXT, kinds), LIST(FILTER_WORD, severities), LIST(FILTER_WORD, lifecycles), LIST(FILTER_TEXT, sources),
    LIST(FILTER_TEXT, targets), LIST(FILTER_TEXT, parties), LIST(FILTER_TEXT, interfaces), LIST(FILTER_TEXT, ids),
    LIST(FILTER_TEXT, fingerprints),
};
// clang-format on
_Static_assert(sizeof members / sizeof members[0] + 1 == sizeof rows / sizeof rows[0],
               "a member for each row");

const struct option_group alert_filter_options = {"Filters (--not before one: leave out what it fits)", rows,
                                                  true};
static const struct filter_kinds kinds = {&netscope__v1__alert_filter__descriptor, rows, members};

bool alert_filters_build(struct build *build, const struct invocation *given, struct alert_filters *into,
                         struct error *error)
{
    struct filter_lists lists;
    if (!filter_lists_build(&kinds, build, given, &lists, error))
        return false;
    *into = (struct alert_filters){(Filter **)(void *)lists.allow, (Filter **)(void *)lists.deny,
                                   lists.allow_count, lists.deny_count};
    return true;
}
