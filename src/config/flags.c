#include "config/flags.h"

#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "config/nearest.h"
#include "config/value.h"

enum {
    FLAG_MAXIMUM = 2 * SETTING_MAXIMUM + 32,
    LONG_VALUE = 256, // what getopt_long() returns for the first long flag; below it are letters
    FILTER_MAXIMUM = 1 << 20,
    SHOWN_BYTES = 120,
    SYNTHETIC_MAXIMUM = 100000000,
};

const struct flag_row flag_table[] = {
    {"config", 0, FLAG_CONFIG, "PATH", false, "read settings from a YAML file"},
    {"check-config", 0, FLAG_CHECK, NULL, false, "check all settings and exit"},
    {"print-config", 0, FLAG_PRINT, NULL, false, "print the effective settings as YAML and exit"},
    {"list-interfaces", 'D', FLAG_LIST_INTERFACES, NULL, false, "list the interfaces and exit"},
    {"verbose", 'v', FLAG_VERBOSE, NULL, false, "log more; twice: everything"},
    {"quiet", 'q', FLAG_QUIET, NULL, false, "log errors only, no packet lines"},
    {"version", 'V', FLAG_VERSION, NULL, false, "print the version and exit"},
    {"help", 'h', FLAG_HELP, NULL, false, "print this and exit"},
    {"synthetic-flows", 0, FLAG_SYNTHETIC_FLOWS, "N", true, "fill the flow table and print time and memory"},
    {"print-docs", 0, FLAG_PRINT_DOCS, NULL, true, "print docs/configuration.md"},
    {"print-example", 0, FLAG_PRINT_EXAMPLE, NULL, true, "print deploy/netscope.yaml"},
    {"print-manual", 0, FLAG_PRINT_MANUAL, NULL, true, "print deploy/man/netscope.8"},
    {"print-completion", 0, FLAG_PRINT_COMPLETION, NULL, true, "print deploy/completion/netscope"},
    {"print-schema", 0, FLAG_PRINT_SCHEMA, NULL, true, "print the settings as a JSON schema"},
};
const unsigned flag_count = sizeof flag_table / sizeof flag_table[0];

// Letters of tcpdump that are not used here, and why.
static const struct {
    char letter;
    const char *explanation;
} foreign_letters[] = {
    {'p', "means something else in tcpdump and is not used here; give --promiscuous or --no-promiscuous"},
    {'t', "means something else in tcpdump and is not used here; give --timeout-ms"},
    {'l', "means something else in tcpdump and is not used here; give --list-interfaces"},
    {'n', "is not needed: addresses are never looked up, names come from the packets and --names-file; "
          "leave it out"},
};

struct known_flag {
    char name[SETTING_FLAG_BYTES + 4]; // without dashes
    char letter;
    enum flag_action action;
    unsigned setting; // of FLAG_SET
    bool negated;     // --no-name
    bool hidden;
    const char *argument;
};

struct flags {
    struct known_flag known[FLAG_MAXIMUM];
    struct option options[FLAG_MAXIMUM + 1];
    char letters[2 * 64];
    unsigned count;
};

struct given_flag {
    const struct known_flag *flag;
    const char *argument;
};

static struct known_flag *add_flag(struct flags *flags, enum flag_action action, const char *argument)
{
    struct known_flag *flag = &flags->known[flags->count++];
    *flag = (struct known_flag){.action = action, .argument = argument};
    return flag;
}

static void add_setting(struct flags *flags, unsigned index)
{
    const struct setting *setting = &setting_table[index];
    bool boolean = setting->type == SETTING_BOOL;
    char name[SETTING_FLAG_BYTES];
    setting_flag(setting, name);
    for (int negated = 0; negated <= (boolean ? 1 : 0); negated++) {
        struct known_flag *flag = add_flag(flags, FLAG_SET, boolean ? NULL : "a value");
        snprintf(flag->name, sizeof flag->name, "%s%s", negated ? "no-" : "", name);
        flag->letter = negated ? 0 : setting->letter;
        flag->setting = index;
        flag->negated = negated;
        flag->hidden = setting->note != NULL;
    }
}

static void add_row(struct flags *flags, const struct flag_row *row)
{
    struct known_flag *flag = add_flag(flags, row->action, row->argument);
    snprintf(flag->name, sizeof flag->name, "%s", row->name);
    flag->letter = row->letter;
    flag->hidden = row->hidden;
}

// getopt's own tables. A leading ':' makes it tell a missing value from an unknown flag.
static void fill_options(struct flags *flags)
{
    size_t used = 0;
    flags->letters[used++] = ':';
    for (unsigned i = 0; i < flags->count; i++) {
        const struct known_flag *flag = &flags->known[i];
        flags->options[i] = (struct option){
            .name = flag->name,
            .has_arg = flag->argument != NULL ? required_argument : no_argument,
            .val = LONG_VALUE + (int)i,
        };
        if (flag->letter != 0)
            flags->letters[used++] = flag->letter;
        if (flag->letter != 0 && flag->argument != NULL)
            flags->letters[used++] = ':';
    }
    flags->letters[used] = '\0';
    flags->options[flags->count] = (struct option){0};
}

static void flags_begin(struct flags *flags)
{
    flags->count = 0;
    for (unsigned i = 0; i < setting_count; i++)
        add_setting(flags, i);
    for (unsigned i = 0; i < flag_count; i++)
        add_row(flags, &flag_table[i]);
    fill_options(flags);
    optind = 0; // glibc: begin anew
    opterr = 0;
}

static const struct known_flag *flag_by_value(const struct flags *flags, int value)
{
    if (value >= LONG_VALUE)
        return &flags->known[value - LONG_VALUE];
    for (unsigned i = 0; i < flags->count; i++) {
        if (flags->known[i].letter == value)
            return &flags->known[i];
    }
    return NULL;
}

// A flag of which only the beginning was given is the nearest of all. NULL when none is near.
static const char *nearest_flag(const struct flags *flags, const char *name)
{
    const char *nearest = NULL;
    unsigned least = UINT_MAX;
    for (unsigned i = 0; i < flags->count; i++) {
        const char *known = flags->known[i].name;
        bool abbreviated = strncmp(known, name, strlen(name)) == 0;
        unsigned distance = abbreviated ? 0 : edit_distance(name, known);
        if (!flags->known[i].hidden && distance < least) {
            least = distance;
            nearest = known;
        }
    }
    return edits_are_near(name, least) ? nearest : NULL;
}

static bool unknown_letter(char letter, struct error *error)
{
    for (size_t i = 0; i < sizeof foreign_letters / sizeof foreign_letters[0]; i++) {
        if (foreign_letters[i].letter == letter)
            return error_set(error, ERROR_INVALID_ARGUMENT, "-%c %s", letter, foreign_letters[i].explanation);
    }
    return error_set(error, ERROR_INVALID_ARGUMENT, "unknown flag -%c; netscope --help lists all", letter);
}

static bool unknown_flag(const struct flags *flags, const char *word, struct error *error)
{
    char name[SETTING_KEY_BYTES];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(word + 2, "="), word + 2);
    const char *nearest = nearest_flag(flags, name);
    if (nearest == NULL)
        return error_set(error, ERROR_INVALID_ARGUMENT, "unknown flag --%s; netscope --help lists all", name);
    return error_set(error, ERROR_INVALID_ARGUMENT, "unknown or ambiguous flag --%s; the nearest is --%s",
                     name, nearest);
}

// What getopt_long() did not accept: '?' or ':' with the flag in optopt.
static bool refuse_flag(const struct flags *flags, int result, const char *word, struct error *error)
{
    if (result == ':')
        return error_set(error, ERROR_INVALID_ARGUMENT, "--%s needs a value",
                         flag_by_value(flags, optopt)->name);
    if (optopt >= LONG_VALUE)
        return error_set(error, ERROR_INVALID_ARGUMENT, "--%s takes no value",
                         flag_by_value(flags, optopt)->name);
    return optopt != 0 ? unknown_letter((char)optopt, error) : unknown_flag(flags, word, error);
}

// The next flag, or given->flag NULL at the end.
static bool next_flag(const struct flags *flags, int argc, char **argv, struct given_flag *given,
                      struct error *error)
{
    int result = getopt_long(argc, argv, flags->letters, flags->options, NULL);
    given->flag = NULL;
    if (result == -1)
        return true;
    if (result == '?' || result == ':')
        return refuse_flag(flags, result, argv[optind - 1], error);
    given->flag = flag_by_value(flags, result);
    given->argument = optarg;
    return true;
}

static bool read_synthetic(const char *text, struct config_invocation *what, struct error *error)
{
    const char *rest;
    uint64_t flows;
    if (!value_read_digits(text, &flows, &rest) || *rest != '\0' || flows == 0 || flows > SYNTHETIC_MAXIMUM)
        return error_set(error, ERROR_INVALID_ARGUMENT,
                         "--synthetic-flows: must be a number from 1 to %d, not \"%.*s\"", SYNTHETIC_MAXIMUM,
                         SHOWN_BYTES, text);
    what->synthetic_flows = flows;
    return true;
}

static enum config_command command_of(enum flag_action action)
{
    switch (action) {
    case FLAG_CHECK:
        return CONFIG_CHECK;
    case FLAG_PRINT:
        return CONFIG_PRINT;
    case FLAG_LIST_INTERFACES:
        return CONFIG_LIST_INTERFACES;
    case FLAG_VERSION:
        return CONFIG_VERSION;
    case FLAG_HELP:
        return CONFIG_HELP;
    case FLAG_SYNTHETIC_FLOWS:
        return CONFIG_SYNTHETIC_FLOWS;
    case FLAG_PRINT_DOCS:
        return CONFIG_PRINT_DOCS;
    case FLAG_PRINT_EXAMPLE:
        return CONFIG_PRINT_EXAMPLE;
    case FLAG_PRINT_MANUAL:
        return CONFIG_PRINT_MANUAL;
    case FLAG_PRINT_COMPLETION:
        return CONFIG_PRINT_COMPLETION;
    case FLAG_PRINT_SCHEMA:
        return CONFIG_PRINT_SCHEMA;
    default:
        return CONFIG_RUN;
    }
}

static bool note_command(const struct given_flag *given, struct config_invocation *what, struct error *error)
{
    enum flag_action action = given->flag->action;
    if (what->command == CONFIG_RUN)
        what->command = command_of(action);
    if (action == FLAG_CONFIG)
        what->settings_path = given->argument;
    return action != FLAG_SYNTHETIC_FLOWS || read_synthetic(given->argument, what, error);
}

bool flags_command(int argc, char **argv, struct config_invocation *what, struct error *error)
{
    struct flags flags;
    struct given_flag given;
    flags_begin(&flags);
    *what = (struct config_invocation){.command = CONFIG_RUN};
    while (next_flag(&flags, argc, argv, &given, error)) {
        if (given.flag == NULL)
            return true;
        if (!note_command(&given, what, error))
            return false;
    }
    return false;
}

static bool put(struct loading *loading, const char *key, const char *origin, const char *text,
                struct error *error)
{
    return loading_put(loading, (unsigned)setting_find(key), LEVEL_FLAG, origin, text, error);
}

static bool read_flag(const struct given_flag *given, unsigned *verbose, struct loading *loading,
                      struct error *error)
{
    const struct known_flag *flag = given->flag;
    if (flag->action == FLAG_VERBOSE)
        return put(loading, "log.level", "--verbose", (*verbose)++ == 0 ? "info" : "debug", error);
    if (flag->action == FLAG_QUIET)
        return put(loading, "log.level", "--quiet", "error", error) &&
               put(loading, "output.packets", "--quiet", "never", error);
    if (flag->action == FLAG_CONFIG) {
        loading->configs++;
        loading->config = given->argument;
    }
    if (flag->action != FLAG_SET)
        return true;
    char origin[ORIGIN_BYTES];
    snprintf(origin, sizeof origin, "--%s", flag->name);
    const char *text = given->argument != NULL ? given->argument : flag->negated ? "false" : "true";
    loading->repeated[flag->setting] =
        loading->levels[flag->setting] == LEVEL_FLAG && setting_table[flag->setting].type != SETTING_LIST;
    return loading_put(loading, flag->setting, LEVEL_FLAG, origin, text, error);
}

static bool is_readable_file(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISREG(status.st_mode) && access(path, R_OK) == 0;
}

static bool join_words(int count, char **words, struct loading *loading, struct error *error)
{
    struct strbuf filter;
    strbuf_init(&filter, FILTER_MAXIMUM);
    for (int i = 0; i < count; i++)
        strbuf_addf(&filter, "%s%s", i > 0 ? " " : "", words[i]);
    bool fine = !filter.failed || error_set(error, ERROR_INVALID_ARGUMENT, "the filter is longer than 1 MiB");
    fine = fine && put(loading, "capture.filter", "the words after the flags", filter.text, error);
    strbuf_done(&filter);
    return fine;
}

// The words after the flags are the filter, as in tcpdump.
static bool read_words(int count, char **words, struct loading *loading, struct error *error)
{
    if (count == 0)
        return true;
    if (count == 1 && is_readable_file(words[0]))
        return error_set(error, ERROR_INVALID_ARGUMENT,
                         "%s is a file, but a word without a flag is a packet filter; "
                         "to read the file: netscope -r %s",
                         words[0], words[0]);
    if (loading->levels[setting_find("capture.filter")] == LEVEL_FLAG)
        return error_set(error, ERROR_INVALID_ARGUMENT,
                         "there are two filters, --filter and the words \"%s%s\"; give one", words[0],
                         count > 1 ? " ..." : "");
    return join_words(count, words, loading, error);
}

bool flags_read(int argc, char **argv, struct loading *loading, struct error *error)
{
    struct flags flags;
    struct given_flag given;
    unsigned verbose = 0;
    flags_begin(&flags);
    while (next_flag(&flags, argc, argv, &given, error)) {
        if (given.flag == NULL)
            return read_words(argc - optind, argv + optind, loading, error);
        if (!read_flag(&given, &verbose, loading, error))
            return false;
    }
    return false;
}
