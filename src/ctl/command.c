#include "ctl/command.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "config/nearest.h"
#include "ctl/commands.h"
#include "ctl/invocation.h"
#include "ctl/options.h"

// clang-format off
static const struct option_row flows_rows[] = {
    {.name = "follow", .letter = 'f', .help = "show the records of flows as they end, and go on"},
    {.name = "since", .argument = "WHEN", .help = "with --follow: begin so long ago (5m), or at a time (RFC 3339)"},
    {.name = "sort", .argument = "ORDER", .help = "what comes first: bytes, packets, last-seen, first-seen, duration, retransmissions, rtt or rate",
     .words = flow_order_words},
    {.name = "reverse", .letter = 'r', .help = "the least first"},
    {.name = "limit", .letter = 'n', .argument = "N", .help = "so many flows (100); 0: all of them", .also = "last"},
    {.name = "pods", .help = "name addresses by the pods that kubectl knows"},
    {.name = NULL},
};
static const struct option_row alerts_rows[] = {
    {.name = "follow", .letter = 'f', .help = "show alerts as they are told, and go on"},
    {.name = "since", .argument = "WHEN", .help = "those of so long ago (1h) and later, or since a time (RFC 3339)"},
    {.name = "limit", .letter = 'n', .argument = "N", .help = "so many alerts, the latest (100); 0: all of them", .also = "last"},
    {.name = "pods", .help = "name addresses by the pods that kubectl knows"},
    {.name = NULL},
};
static const struct option_row top_rows[] = {
    {.name = "sort", .argument = "ORDER", .help = "what comes first (rate), as for flows", .words = flow_order_words},
    {.name = "limit", .argument = "N", .help = "so many flows (as the terminal has lines)"},
    {.name = "interval", .letter = 'd', .argument = "SPAN", .help = "between two looks (1s)"},
    {.name = "count", .letter = 'n', .argument = "N", .help = "end after so many looks; not on a terminal: 1"},
    {.name = "pods", .help = "name addresses by the pods that kubectl knows"},
    {.name = NULL},
};
static const struct option_row capture_rows[] = {
    {.name = "filter", .letter = 'f', .argument = "BPF", .help = "packets that this filter of tcpdump lets through"},
    {.name = "write", .letter = 'w', .argument = "FILE", .help = "where the pcapng goes; -: standard output"},
    {.name = "interface", .letter = 'i', .argument = "NAME", .help = "of this interface; repeatable", .hint = HINT_INTERFACE},
    {.name = "count", .letter = 'c', .argument = "N", .help = "end after so many packets"},
    {.name = "duration", .argument = "SPAN", .help = "end after so long: 30s"},
    {.name = "max-bytes", .argument = "N", .help = "end after so many bytes: 20M"},
    {.name = "snaplen", .argument = "N", .help = "so many bytes of each packet"},
    {.name = NULL},
};
static const struct option_row relay_rows[] = {
    {.name = "socket", .argument = "FILE", .help = "the sensor's unix socket (/run/netscope/netscope.sock)"},
    {.name = NULL},
};
static const struct option_row apply_rows[] = {
    {.name = "dry-run", .help = "tell what would become of it, and change nothing"},
    {.name = "etag", .argument = "ETAG", .help = "only while these settings are in force (config get -o json tells it)"},
    {.name = NULL},
};
// clang-format on

static const struct option_group flows_options = {"Options", flows_rows, false};
static const struct option_group alerts_options = {"Options", alerts_rows, false};
static const struct option_group top_options = {"Options", top_rows, false};
static const struct option_group capture_options = {"Options", capture_rows, false};
static const struct option_group relay_options = {"Options", relay_rows, false};
static const struct option_group apply_options = {"Options", apply_rows, false};

// clang-format off
const struct command command_table[] = {
    {"status", "", 0, 0, "how the sensor is, and what it lost", NULL,
     {&text_output_options, &connection_options}, run_status, false},
    {"interfaces", "", 0, 0, "what is captured on", NULL,
     {&text_output_options, &connection_options}, run_interfaces, false},
    {"flows", "", 0, 0, "flows that are alive, or with --follow records as they come",
     "A filter that is given several times takes any of its values; different filters have to fit all. --ip, --port,\n"
     "--namespace and --name look at either end, --from-... at the client, --to-... at the server.\n",
     {&flows_options, &flow_filter_options, &list_output_options, &connection_options}, run_flows, false},
    {"top", "", 0, 0, "the flows that carry most, live", NULL,
     {&top_options, &flow_filter_options, &connection_options}, run_top, false},
    {"alerts", "", 0, 0, "alerts that are kept, or with --follow as they are told", NULL,
     {&alerts_options, &alert_filter_options, &list_output_options, &connection_options}, run_alerts, false},
    {"capture", "", 0, 0, "packets as pcapng, into a file or a pipe",
     "netscopectl capture -f 'port 53' -w - | tshark -r -\n",
     {&capture_options, &connection_options}, run_capture, false},
    {"config get", "[PREFIX]", 0, 1, "the settings in force", NULL,
     {&text_output_options, &connection_options}, run_config_get, false},
    {"config apply", "KEY=VALUE...", 1, INVOCATION_ARGUMENTS, "change settings while the sensor runs",
     "All of them or none. A key that is given several times is a list of these items; KEY= is an empty list or text.\n"
     "What is applied holds until the sensor starts again, or until its file says something new.\n",
     {&apply_options, &text_output_options, &connection_options}, run_config_apply, false},
    {"config reset", "KEY...", 1, INVOCATION_ARGUMENTS, "settings back to what file and command line say", NULL,
     {&apply_options, &text_output_options, &connection_options}, run_config_reset, false},
    {"start", "IFACE", 1, 1, "capture on one more interface", NULL,
     {&text_output_options, &connection_options}, run_start, false},
    {"stop", "IFACE", 1, 1, "end the capture on an interface", NULL,
     {&text_output_options, &connection_options}, run_stop, false},
    {"relay", "", 0, 0, "join standard input and output to the sensor's unix socket",
     "What another netscopectl speaks through: kubectl exec -i POD -- netscopectl relay\n",
     {&relay_options}, run_relay, false},
    {"completion", "bash|zsh|fish", 1, 1, "a script that completes commands in a shell",
     "source <(netscopectl completion bash), or netscopectl completion fish | source\n", {NULL}, run_completion, false},
    {"__complete", "WORD...", 0, INVOCATION_ARGUMENTS, "what may follow", NULL, {NULL}, run_complete, true},
    {"version", "", 0, 0, "the version of netscopectl", NULL, {NULL}, run_version, false},
};
// clang-format on
const unsigned command_count = sizeof command_table / sizeof command_table[0];

const struct command *command_find(char *const words[], int count, int *used)
{
    for (unsigned i = 0; i < command_count; i++) {
        const char *name = command_table[i].name, *second = strchr(name, ' ');
        size_t first = second != NULL ? (size_t)(second - name) : strlen(name);
        if (count == 0 || strlen(words[0]) != first || strncmp(words[0], name, first) != 0)
            continue;
        if (second != NULL && (count < 2 || strcmp(words[1], second + 1) != 0))
            continue;
        *used = second != NULL ? 2 : 1;
        return &command_table[i];
    }
    return NULL;
}

// The nearer one of two words, when it is near at all.
static void look_at(const char *written, const char *name, const char **nearest, unsigned *least)
{
    unsigned distance = edit_distance(written, name);
    if (distance >= *least || !edits_are_near(written, distance))
        return;
    *least = distance;
    *nearest = name;
}

const char *command_nearest(const char *word)
{
    unsigned least = UINT_MAX;
    const char *nearest = NULL;
    for (unsigned i = 0; i < command_count; i++) {
        // "config" alone: the first of its commands.
        if (strncmp(command_table[i].name, word, strlen(word)) == 0 && !command_table[i].hidden)
            return command_table[i].name;
        if (!command_table[i].hidden)
            look_at(word, command_table[i].name, &nearest, &least);
    }
    return nearest;
}

const struct option_row *command_option(const struct command *command, const char *name, char letter,
                                        bool *filters)
{
    for (const struct option_group *const *group = command->groups; *group != NULL; group++) {
        for (const struct option_row *row = (*group)->rows; row->name != NULL; row++) {
            bool by_name = name != NULL && (strcmp(row->name, name) == 0 ||
                                            (row->also != NULL && strcmp(row->also, name) == 0));
            if (!by_name && (letter == 0 || row->letter != letter))
                continue;
            *filters = (*group)->filters;
            return row;
        }
    }
    return NULL;
}

const char *command_nearest_option(const struct command *command, const char *name)
{
    unsigned least = UINT_MAX;
    const char *nearest = NULL;
    for (const struct option_group *const *group = command->groups; *group != NULL; group++)
        for (const struct option_row *row = (*group)->rows; row->name != NULL; row++)
            look_at(name, row->name, &nearest, &least);
    return nearest;
}
