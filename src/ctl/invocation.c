#include "ctl/invocation.h"

#include <assert.h>
#include <string.h>

#include "base/time.h"
#include "config/value.h"

struct reading {
    struct invocation *into;
    int argc;
    char *const *argv;
    int at;
    bool negate; // --not came
    struct error *error;
};

#define REFUSE(reading, ...) error_set((reading)->error, ERROR_INVALID_ARGUMENT, __VA_ARGS__)

static bool refuse_option(struct reading *reading, const char *written)
{
    const char *near = NULL;
    if (reading->into->command != NULL)
        near = command_nearest_option(reading->into->command, written + 2);
    return REFUSE(reading, "there is no option %s%s%s%s", written, near != NULL ? ": did you mean --" : "",
                  near != NULL ? near : "", near != NULL ? "?" : "");
}

static bool is_word(const char *const *words, const char *text)
{
    for (; words != NULL && *words != NULL; words++)
        if (strcmp(*words, text) == 0)
            return true;
    return words == NULL;
}

static bool add_option(struct reading *reading, const struct option_row *row, const char *value)
{
    struct invocation *into = reading->into;
    if (into->option_count == INVOCATION_OPTIONS)
        return REFUSE(reading, "more than %d options were given", INVOCATION_OPTIONS);
    if (row->words != NULL && value != NULL && !is_word(row->words, value)) {
        char words[256] = "";
        for (unsigned i = 0; row->words[i] != NULL && strlen(words) + 40 < sizeof words; i++) {
            strcat(words, i > 0 ? ", " : "");
            strncat(words, row->words[i], 32);
        }
        return REFUSE(reading, "--%s takes one of %s, not \"%.80s\"", row->name, words, value);
    }
    into->options[into->option_count++] = (struct given_option){row, value, reading->negate};
    reading->negate = false;
    return true;
}

// A value that stands behind the option, or is the next word.
static bool take_option(struct reading *reading, const struct option_row *row, const char *attached)
{
    if (row->argument == NULL)
        return attached == NULL ? add_option(reading, row, NULL)
                                : REFUSE(reading, "--%s takes no value", row->name);
    if (attached == NULL && reading->at + 1 >= reading->argc)
        return REFUSE(reading, "--%s needs a value: %s", row->name, row->argument);
    return add_option(reading, row, attached != NULL ? attached : reading->argv[++reading->at]);
}

static bool check_negation(struct reading *reading, const struct option_row *row, bool filters)
{
    return !reading->negate || filters ||
           REFUSE(reading, "--not comes before a filter, and --%s is none", row->name);
}

static bool read_long(struct reading *reading, const char *word)
{
    char name[64];
    bool filters = false;
    const char *value = strchr(word, '=');
    size_t length = value != NULL ? (size_t)(value - word) : strlen(word);
    if (length - 2 >= sizeof name)
        return refuse_option(reading, word);
    memcpy(name, word + 2, length - 2);
    name[length - 2] = '\0';
    if (strcmp(name, "help") == 0)
        return reading->into->help = true;
    if (strcmp(name, "version") == 0 && reading->into->command == NULL)
        return reading->into->version = true;
    if (reading->into->command == NULL)
        return REFUSE(reading, "%s comes after the command: netscopectl COMMAND [OPTIONS]", word);
    if (strcmp(name, "not") == 0)
        return reading->negate = true;
    const struct option_row *row = command_option(reading->into->command, name, 0, &filters);
    if (row == NULL)
        return refuse_option(reading, word);
    return check_negation(reading, row, filters) &&
           take_option(reading, row, value != NULL ? value + 1 : NULL);
}

// "-n20", "-n 20", "-o=json" is none.
static bool read_letters(struct reading *reading, const char *word)
{
    for (const char *letter = word + 1; *letter != '\0'; letter++) {
        bool filters = false;
        const struct option_row *row = NULL;
        if (*letter == 'h') {
            reading->into->help = true;
            continue;
        }
        if (reading->into->command != NULL)
            row = command_option(reading->into->command, NULL, *letter, &filters);
        if (row == NULL)
            return REFUSE(reading, "there is no option %s: try --help", word);
        if (!check_negation(reading, row, filters))
            return false;
        if (row->argument != NULL)
            return take_option(reading, row, letter[1] != '\0' ? letter + 1 : NULL);
        if (!add_option(reading, row, NULL))
            return false;
    }
    return true;
}

static bool read_argument(struct reading *reading, const char *word)
{
    struct invocation *into = reading->into;
    if (into->argument_count == INVOCATION_ARGUMENTS)
        return REFUSE(reading, "more than %d arguments were given", INVOCATION_ARGUMENTS);
    into->arguments[into->argument_count++] = word;
    return true;
}

static bool read_command(struct reading *reading)
{
    int used = 0;
    struct invocation *into = reading->into;
    const char *word = reading->argv[reading->at];
    into->command = command_find(reading->argv + reading->at, reading->argc - reading->at, &used);
    reading->at += used - 1;
    if (into->command != NULL)
        return true;
    const char *near = command_nearest(word);
    return error_set(reading->error, ERROR_INVALID_ARGUMENT, "there is no command \"%.80s\"%s%s%s", word,
                     near != NULL ? ": did you mean " : "",
                     near != NULL ? near : ": netscopectl --help lists them", near != NULL ? "?" : "");
}

static bool check_arguments(const struct invocation *into, struct error *error)
{
    const struct command *command = into->command;
    if (into->argument_count < command->least)
        return error_set(error, ERROR_INVALID_ARGUMENT, "%s needs %s", command->name, command->arguments);
    if (into->argument_count > command->most)
        return error_set(error, ERROR_INVALID_ARGUMENT, "%s does not know what \"%.80s\" is for: try --help",
                         command->name, into->arguments[command->most]);
    return true;
}

bool invocation_read(struct invocation *into, int argc, char *const argv[], struct error *error)
{
    bool only_arguments = false;
    assert(argc >= 0 && argv != NULL);
    *into = (struct invocation){.command = NULL};
    struct reading reading = {.into = into, .argc = argc, .argv = argv, .error = error};
    for (reading.at = 1; reading.at < argc; reading.at++) {
        const char *word = argv[reading.at];
        bool fine;
        if (only_arguments || word[0] != '-' || word[1] == '\0')
            fine = into->command == NULL ? read_command(&reading) : read_argument(&reading, word);
        else if (strcmp(word, "--") == 0)
            fine = only_arguments = true;
        else
            fine = word[1] == '-' ? read_long(&reading, word) : read_letters(&reading, word);
        if (!fine)
            return false;
    }
    if (reading.negate && !into->help)
        return REFUSE(&reading, "--not comes before a filter, and none follows");
    return into->command == NULL || into->help || check_arguments(into, error);
}

bool given_knows(const struct invocation *given, const char *name)
{
    bool filters;
    return command_option(given->command, name, 0, &filters) != NULL;
}

static const struct given_option *find_given(const struct invocation *given, const char *name)
{
    assert(given_knows(given, name));
    for (unsigned i = given->option_count; i > 0; i--)
        if (strcmp(given->options[i - 1].row->name, name) == 0)
            return &given->options[i - 1];
    return NULL;
}

bool given_is(const struct invocation *given, const char *name)
{
    return find_given(given, name) != NULL;
}

const char *given_text(const struct invocation *given, const char *name)
{
    const struct given_option *option = find_given(given, name);
    return option != NULL ? option->value : NULL;
}

bool given_number(const struct invocation *given, const char *name, uint64_t most, uint64_t absent,
                  uint64_t *value, struct error *error)
{
    const char *text = given_text(given, name);
    *value = absent;
    if (text == NULL || (read_number(text, value) && *value <= most))
        return true;
    return error_set(error, ERROR_INVALID_ARGUMENT, "--%s takes a number such as 20 or 1.5k, not \"%.80s\"",
                     name, text);
}

bool given_span(const struct invocation *given, const char *name, int64_t absent_ns, int64_t *span_ns,
                struct error *error)
{
    const char *text = given_text(given, name);
    *span_ns = absent_ns;
    if (text == NULL || read_span(text, span_ns))
        return true;
    return error_set(error, ERROR_INVALID_ARGUMENT,
                     "--%s takes a span of time such as 90s, 5m or 1h30m, not \"%.80s\"", name, text);
}

// "12" or "12.5" as thousandths; *rest behind it.
static bool read_decimal(const char *text, uint64_t *thousandths, const char **rest)
{
    uint64_t whole;
    if (!value_read_digits(text, &whole, rest) || __builtin_mul_overflow(whole, 1000U, &whole))
        return false;
    if (**rest == '.') {
        uint64_t weight = 100;
        const char *digit = *rest + 1;
        if (*digit < '0' || *digit > '9')
            return false;
        for (; *digit >= '0' && *digit <= '9'; digit++, weight /= 10)
            whole += weight * (uint64_t)(*digit - '0');
        *rest = digit;
    }
    *thousandths = whole;
    return true;
}

bool read_number(const char *text, uint64_t *value)
{
    static const char prefixes[] = "kMGT";
    uint64_t exact;
    const char *rest;
    if (value_read_digits(text, &exact, &rest) && *rest == '\0') {
        *value = exact;
        return true;
    }
    if (!read_decimal(text, &exact, &rest) || *rest == '\0')
        return false;
    const char *prefix = strchr(prefixes, *rest == 'K' ? 'k' : *rest);
    if (prefix == NULL && *rest != 'B')
        return false;
    for (const char *step = prefixes; prefix != NULL && step <= prefix; step++)
        if (__builtin_mul_overflow(exact, 1000U, &exact))
            return false;
    rest += prefix != NULL;
    rest += *rest == 'B';
    *value = exact / 1000;
    return *rest == '\0';
}

bool read_span(const char *text, int64_t *span_ns)
{
    static const struct {
        const char *unit;
        uint64_t us; // of a thousandth
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
    enum { UNITS = sizeof units / sizeof units[0] };
    uint64_t sum = 0;
    while (*text != '\0') {
        unsigned unit = 0;
        uint64_t part;
        if (!read_decimal(text, &part, &text))
            return false;
        while (unit < UNITS && strncmp(text, units[unit].unit, strlen(units[unit].unit)) != 0)
            unit++;
        if (unit == UNITS || __builtin_mul_overflow(part, units[unit].us * NS_PER_US, &part) ||
            __builtin_add_overflow(sum, part, &sum) || sum > INT64_MAX)
            return false;
        text += strlen(units[unit].unit);
    }
    *span_ns = (int64_t)sum;
    return sum > 0;
}
