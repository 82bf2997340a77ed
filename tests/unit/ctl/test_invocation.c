#include <criterion/criterion.h>
#include <string.h>

#include "base/time.h"
#include "words.h"

Test(invocation, options_in_all_spellings)
{
    struct invocation *given =
        taken(LINE("flows", "-n", "5", "-ojson", "--sort=rate", "-rf", "--ip", "10.0.0.1"));
    cr_expect_str_eq(given->command->name, "flows");
    cr_expect_str_eq(given_text(given, "limit"), "5");
    cr_expect_str_eq(given_text(given, "output"), "json");
    cr_expect_str_eq(given_text(given, "sort"), "rate");
    cr_expect(given_is(given, "reverse"));
    cr_expect(given_is(given, "follow"));
    cr_expect_not(given_is(given, "tls"));
    cr_expect_null(given_text(given, "from-ip"));
}

Test(invocation, other_names_and_the_last_one_counts)
{
    struct invocation *given = taken(LINE("flows", "--last", "5", "--limit", "6", "--fqdn", "a.com"));
    cr_expect_str_eq(given_text(given, "limit"), "6");
    cr_expect_str_eq(given_text(given, "name"), "a.com");
}

Test(invocation, commands_of_two_words_and_arguments)
{
    struct invocation *given = taken(LINE("config", "apply", "a=1", "--dry-run", "--", "-b=2"));
    cr_expect_str_eq(given->command->name, "config apply");
    cr_assert_eq(given->argument_count, 2);
    cr_expect_str_eq(given->arguments[1], "-b=2");
    cr_expect(given_is(given, "dry-run"));
}

Test(invocation, not_stands_before_a_filter)
{
    struct invocation *given = taken(LINE("flows", "--not", "--port", "53", "--port", "443"));
    cr_assert_eq(given->option_count, 2);
    cr_expect(given->options[0].negated);
    cr_expect_not(given->options[1].negated);
    refused(LINE("flows", "--not", "-n", "1", "--port", "1"), "--limit is none");
    refused(LINE("flows", "--port", "1", "--not"), "none follows");
}

Test(invocation, mistakes)
{
    refused(LINE("flws"), "did you mean flows");
    refused(LINE("config"), "config get");
    refused(LINE("--tls", "flows"), "after the command");
    refused(LINE("flows", "--tls=yes"), "takes no value");
    refused(LINE("flows", "-n"), "needs a value");
    refused(LINE("flows", "-x"), "no option -x");
    refused(LINE("flows", "extra"), "extra");
    refused(LINE("stop"), "needs IFACE");
    refused(LINE("flows", "-o", "yaml"), "table, wide, json");
}

Test(invocation, help_needs_nothing_else)
{
    cr_expect(taken(LINE("stop", "--help"))->help);
    cr_expect(taken(LINE("--help"))->help);
    cr_expect_null(taken(LINE("-h"))->command);
    cr_expect(taken(LINE("--version"))->version);
}

Test(invocation, every_option_of_a_command_has_names_of_its_own)
{
    for (unsigned i = 0; i < command_count; i++)
        for (const struct option_group *const *group = command_table[i].groups; *group != NULL; group++)
            for (const struct option_row *row = (*group)->rows; row->name != NULL; row++) {
                bool filters;
                cr_expect_eq(command_option(&command_table[i], row->name, 0, &filters), row, "%s --%s",
                             command_table[i].name, row->name);
                cr_expect(row->letter == 0 ||
                              command_option(&command_table[i], NULL, row->letter, &filters) == row,
                          "%s -%c", command_table[i].name, row->letter);
            }
}

Test(invocation, numbers)
{
    static const struct {
        const char *text;
        uint64_t value;
    } good[] = {{"0", 0},
                {"1500", 1500},
                {"20k", 20000},
                {"1.5M", 1500000},
                {"2GB", 2000000000},
                {"12B", 12},
                {"0.5K", 500},
                {"18446744073709551615", UINT64_MAX}};
    static const char *const bad[] = {"",         "-1", "1.", "k", "1x", "1kk", "1 ", "18446744073709551616",
                                      "99999999T"};
    uint64_t value;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        cr_expect(read_number(good[i].text, &value), "%s", good[i].text);
        cr_expect_eq(value, good[i].value, "%s", good[i].text);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_expect_not(read_number(bad[i], &value), "%s", bad[i]);
}

Test(invocation, spans)
{
    static const struct {
        const char *text;
        int64_t span_ns;
    } good[] = {{"90s", 90 * NS_PER_S},     {"250ms", 250 * NS_PER_MS}, {"1h30m", 5400 * NS_PER_S},
                {"1.5s", 1500 * NS_PER_MS}, {"2d", 172800 * NS_PER_S},  {"5m", 300 * NS_PER_S}};
    static const char *const bad[] = {"", "5", "m", "0s", "-1s", "1y", "1h30", "99999999d", "1.s"};
    int64_t span_ns;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        cr_expect(read_span(good[i].text, &span_ns), "%s", good[i].text);
        cr_expect_eq(span_ns, good[i].span_ns, "%s", good[i].text);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_expect_not(read_span(bad[i], &span_ns), "%s", bad[i]);
}
