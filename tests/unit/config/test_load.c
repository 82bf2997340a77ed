#include "given.h"

Test(load, flag_over_environment_over_file_over_default)
{
    const char *yaml = "capture: {snaplen: 100}\n";
    const char *const *environment = WORDS("NETSCOPE_CAPTURE_SNAPLEN=200");
    const char *const *words = WORDS("--snaplen", "300");
    static const struct {
        bool yaml, environment, words;
        uint32_t snaplen;
    } cases[] = {{0, 0, 0, 262144}, {1, 0, 0, 100}, {1, 1, 0, 200},
                 {0, 1, 1, 300},    {1, 0, 1, 300}, {1, 1, 1, 300}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct outcome outcome =
            accepted(load(cases[i].yaml ? yaml : NULL, cases[i].environment ? environment : NULL,
                          cases[i].words ? words : NULL));
        cr_expect_eq(outcome.settings.capture.snaplen, cases[i].snaplen, "case %zu", i);
        outcome_done(&outcome);
    }
}

Test(load, defaults)
{
    struct outcome outcome = accepted(load(NULL, NULL, NULL));
    const struct settings *settings = &outcome.settings;
    cr_expect_eq(outcome.what.command, CONFIG_RUN);
    cr_expect_eq(settings->flow.max_flows, 1000000);
    cr_expect_not(settings->flow.max_flows_given);
    cr_expect_eq(settings->capture.buffer_size_mb, 32);
    cr_expect_eq(settings->capture.timeout_ms, 10);
    cr_expect_eq(settings->output.report_top, 10);
    cr_expect_eq(settings->stats.interval_ms, 1000);
    cr_expect_eq(settings->pipeline.tick_ms, 50);
    cr_expect_eq(settings->pipeline.batch, 256);
    cr_expect_eq(settings->names.local.count, 5);
    cr_expect_eq(settings->log.level, 1);
    cr_expect(settings->analysis.rtt && settings->analysis.tunnels && settings->capture.promiscuous);
    outcome_done(&outcome);
}

Test(load, commands)
{
    static const struct {
        const char *word;
        enum config_command command;
    } cases[] = {
        {"-h", CONFIG_HELP},
        {"--help", CONFIG_HELP},
        {"-V", CONFIG_VERSION},
        {"--check-config", CONFIG_CHECK},
        {"-D", CONFIG_LIST_INTERFACES},
        {"--list-interfaces", CONFIG_LIST_INTERFACES},
        {"--print-config", CONFIG_PRINT},
        {"--synthetic-flows=5", CONFIG_SYNTHETIC_FLOWS},
        {"--print-docs", CONFIG_PRINT_DOCS},
        {"--print-example", CONFIG_PRINT_EXAMPLE},
        {"--print-manual", CONFIG_PRINT_MANUAL},
        {"--print-completion", CONFIG_PRINT_COMPLETION},
        {"--print-schema", CONFIG_PRINT_SCHEMA},
        {"--exit-at-end", CONFIG_RUN},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct outcome outcome = accepted(load(NULL, NULL, WORDS(cases[i].word)));
        cr_expect_eq(outcome.what.command, cases[i].command, "%s", cases[i].word);
        cr_expect_eq(outcome.settings.run.exit_at_end, strcmp(cases[i].word, "--exit-at-end") == 0);
        cr_expect_eq(outcome.what.synthetic_flows, cases[i].command == CONFIG_SYNTHETIC_FLOWS ? 5u : 0u);
        outcome_done(&outcome);
    }
}

Test(load, lists_and_help_need_no_valid_settings)
{
    static const char *const words[] = {"-D", "-h", "-V"};
    for (size_t i = 0; i < 3; i++) {
        struct outcome outcome =
            accepted(load("captur: [", WORDS("NETSCOPE_CAPTURE_SNAPLEN=x"), WORDS(words[i])));
        outcome_done(&outcome);
    }
    refused(load("captur: [", NULL, WORDS("--check-config")), "captur");
    refused(load(NULL, WORDS("NETSCOPE_CAPTURE_SNAPLEN=x"), WORDS("--check-config")), "snaplen");
}

Test(load, snaplen_0_is_all)
{
    struct outcome outcome = accepted(load(NULL, NULL, WORDS("-s", "0")));
    cr_expect_eq(outcome.settings.capture.snaplen, 262144);
    outcome_done(&outcome);
}

Test(load, done_twice_is_harmless)
{
    struct outcome outcome = accepted(load(NULL, NULL, WORDS("-i", "a", "-f", "tcp")));
    settings_done(&outcome.settings);
    settings_done(&outcome.settings);
    cr_expect_null(outcome.settings.capture.filter);
}
