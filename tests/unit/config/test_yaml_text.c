#include "given.h"

#include "base/strbuf.h"
#include "config/table.h"
#include "config/yaml_text.h"

static struct strbuf text;

static void prepare(void)
{
    strbuf_init(&text, 1 << 20);
}

static void tidy(void)
{
    strbuf_done(&text);
}

TestSuite(yaml_text, .init = prepare, .fini = tidy);

static void print(const struct settings *settings)
{
    struct error error;
    strbuf_clear(&text);
    cr_assert(config_add_yaml(&text, settings, &error), "%s", error.text);
}

Test(yaml_text, loads_back_to_the_same)
{
    struct outcome first = accepted(
        load(NULL, NULL,
             WORDS("-r", "a \"b\"\\ \t\n\x7f\xc3\xa9\xe2\x80\xa8\xf0\x9f\x98\x80", "-s", "77", "--no-rtt",
                   "--report", "json", "--node-name", "- #: {x}", "--flow-timeout-s", "2h", "tcp")));
    print(&first.settings);
    char *printed = strdup(text.text);
    struct outcome second = accepted(load(printed, NULL, NULL));
    print(&second.settings);
    cr_expect_str_eq(text.text, printed);
    cr_expect_str_eq(second.settings.capture.read_pcap.items[0], first.settings.capture.read_pcap.items[0]);
    cr_expect_str_eq(second.settings.sensor.node_name, "- #: {x}");
    cr_expect_eq(second.settings.flow.timeout_secs, 7200);
    cr_expect_not(second.settings.flow.max_flows_given, "a default stays one");
    free(printed);
    outcome_done(&first);
    outcome_done(&second);
}

Test(yaml_text, refuses_what_yaml_cannot_carry)
{
    static const char *const broken[] = {"\xff",         "\xc3",     "a\x80z",
                                         "\xed\xa0\x80", "\xc0\xaf", "\xf4\x90\x80\x80"};
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        struct error error;
        struct outcome outcome = accepted(load(NULL, NULL, WORDS("-r", broken[i])));
        cr_expect_not(config_add_yaml(&text, &outcome.settings, &error), "case %zu", i);
        cr_expect(strstr(error.text, "capture.read_pcap is not UTF-8") != NULL, "%s", error.text);
        outcome_done(&outcome);
    }
}

Test(yaml_text, leaves_secrets_out)
{
    struct outcome outcome = accepted(load(NULL, NULL, WORDS("--node-name", "hunter2")));
    struct setting secret = setting_table[setting_find("sensor.node_name")];
    secret.secret = true;
    cr_expect(yaml_add_setting(&text, &outcome.settings, &secret));
    cr_expect_str_eq(text.text, "  # node_name: (secret)\n");
    outcome_done(&outcome);
}

Test(yaml_text, the_example_holds_every_key_at_its_default)
{
    config_add_example(&text);
    char *example = strdup(text.text);
    struct outcome defaults = accepted(load(NULL, NULL, NULL)), loaded = accepted(load(example, NULL, NULL));
    print(&defaults.settings);
    char *expected = strdup(text.text);
    print(&loaded.settings);
    cr_expect_str_eq(text.text, expected);
    for (unsigned i = 0; i < setting_count; i++) {
        char line[SETTING_KEY_BYTES];
        snprintf(line, sizeof line, "%s:", setting_name(&setting_table[i]));
        cr_expect(setting_table[i].note != NULL || strstr(example, line) != NULL, "%s", line);
    }
    free(example);
    free(expected);
    outcome_done(&defaults);
    outcome_done(&loaded);
}
