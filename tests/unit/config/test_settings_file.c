#include "given.h"

static void expect_refusal(const char *yaml, const char *part)
{
    struct outcome outcome = load(yaml, NULL, NULL);
    refused(outcome, part);
    cr_expect_eq(strncmp(outcome.error.text, outcome.path, strlen(outcome.path)), 0, "%s",
                 outcome.error.text);
}

Test(settings_file, sets_every_type)
{
    struct outcome outcome = accepted(load("capture:\n"
                                           "  interfaces: [eth0, 'cali*']\n"
                                           "  read_pcap:\n"
                                           "  filter: tcp port 80 # a comment\n"
                                           "  promiscuous: false\n"
                                           "  on_missing: wait\n"
                                           "flow:\n"
                                           "  timeout_secs: 5m\n"
                                           "  max_flows: 5000\n"
                                           "output: {write_pcap: \"/tmp/a b.pcap\", min_free_mb: 0}\n",
                                           NULL, NULL));
    const struct settings *settings = &outcome.settings;
    cr_expect_eq(settings->capture.interfaces.count, 2);
    cr_expect_str_eq(settings->capture.interfaces.items[1], "cali*");
    cr_expect_str_eq(settings->capture.filter, "tcp port 80");
    cr_expect_not(settings->capture.promiscuous);
    cr_expect_eq(settings->capture.on_missing, ON_MISSING_WAIT);
    cr_expect_eq(settings->flow.timeout_secs, 300);
    cr_expect_eq(settings->flow.max_flows, 5000);
    cr_expect(settings->flow.max_flows_given);
    cr_expect_str_eq(settings->output.write_pcap, "/tmp/a b.pcap");
    cr_expect_eq(settings->output.min_free_mb, 0);
    outcome_done(&outcome);
}

Test(settings_file, nothing_means_the_defaults)
{
    static const char *const empty[] = {"",
                                        "# only a comment\n",
                                        "---\n",
                                        "capture:\n",
                                        "capture:\n  snaplen:\n",
                                        "{}",
                                        "capture: {filter: ~, snaplen: null}"};
    for (size_t i = 0; i < sizeof empty / sizeof empty[0]; i++) {
        struct outcome outcome = accepted(load(empty[i], NULL, NULL));
        cr_expect_eq(outcome.settings.capture.snaplen, 262144);
        cr_expect_str_eq(outcome.settings.capture.filter, "");
        outcome_done(&outcome);
    }
}

Test(settings_file, names_line_and_nearest_key)
{
    expect_refusal("capture:\n  snaplne: 5\n",
                   ":2: unknown key capture.snaplne; the nearest is capture.snaplen");
    expect_refusal("flow: {}\n\ncaptur:\n  snaplen: 5\n", ":3: unknown key captur; the nearest is capture");
    expect_refusal("snaplen: 5\n", ":1: unknown key snaplen; the nearest is capture.snaplen");
}

Test(settings_file, refuses_wrong_types_and_ranges)
{
    expect_refusal("capture:\n  snaplen: many\n",
                   ":2: capture.snaplen: must be a whole number, not \"many\"");
    expect_refusal("capture:\n  snaplen: 262145\n", ":2: capture.snaplen: must be between 0 and 262144");
    expect_refusal("capture:\n  snaplen: [1]\n", ":2: capture.snaplen: must be one value");
    expect_refusal("capture:\n  snaplen: {a: 1}\n", ":2: capture.snaplen: must be one value");
    expect_refusal("capture:\n  interfaces: eth0\n", ":2: capture.interfaces: must be a list");
    expect_refusal("capture:\n  interfaces: [[eth0]]\n", ":2: an item of this list");
    expect_refusal("capture:\n  interfaces: ['']\n", "empty item");
    expect_refusal("capture:\n  promiscuous: yes\n", ":2: capture.promiscuous: must be true or false");
    expect_refusal("output:\n  report: xml\n", "must be one of auto, text, json, none");
    expect_refusal("capture: 5\n", ":1: this key opens a section");
    expect_refusal("- capture\n", ":1: must hold sections");
    expect_refusal("capture:\n  ? [a]\n  : 5\n", ":2: a key must be a word");
}

Test(settings_file, refuses_a_key_given_twice)
{
    expect_refusal("capture:\n  snaplen: 5\n  snaplen: 6\n", ":3: capture.snaplen stands here a second time");
    expect_refusal("capture:\n  snaplen: 5\ncapture:\n  snaplen: 5\n",
                   ":4: capture.snaplen stands here a second");
    expect_refusal("capture:\n  interfaces: []\n  interfaces: [a]\n",
                   ":3: capture.interfaces stands here a second");
}

Test(settings_file, refuses_what_it_does_not_need)
{
    expect_refusal("capture: &c\n  snaplen: 5\n", "anchors");
    expect_refusal("capture:\n  snaplen: *c\n", "aliases");
    expect_refusal("capture:\n  filter: !!binary dGNw\n", "tags");
    expect_refusal("capture:\n  filter: \"a\\0b\"\n", "NUL");
    expect_refusal("capture: {}\n---\nflow: {}\n", ":2: a second document");
    expect_refusal("capture:\n  filter: \"never closed\n", "not YAML");
    expect_refusal("capture:\n\tsnaplen: 5\n", "not YAML");
    expect_refusal("capture:\n  filter: \xff\xfe\n", "UTF-8");
}

Test(settings_file, refuses_deep_nesting_at_once)
{
    char deep[4001];
    memset(deep, '[', sizeof deep - 1);
    deep[sizeof deep - 1] = '\0';
    expect_refusal(deep, ":1: must hold sections");
    char below[4100];
    snprintf(below, sizeof below, "capture:\n  interfaces: %s", deep);
    expect_refusal(below, ":2: an item of this list");
}

Test(settings_file, refuses_a_huge_file)
{
    size_t length = (1 << 20) + 1;
    char *text = malloc(length + 1);
    memset(text, '#', length);
    text[length] = '\0';
    expect_refusal(text, "larger than 1 MiB");
    text[length - 1] = '\0';
    struct outcome outcome = accepted(load(text, NULL, NULL));
    outcome_done(&outcome);
    free(text);
}

Test(settings_file, says_when_it_cannot_be_read)
{
    refused(load(NULL, NULL, WORDS("--config", "")), "--config is given an empty path");
    refused(load(NULL, NULL, WORDS("--config", "/nonexistent/a.yaml")), "No such file or directory");
    refused(load(NULL, NULL, WORDS("--config", "/tmp")), "directory");
}

Test(settings_file, knows_the_keys_of_the_seed)
{
    expect_refusal("capture:\n  interface: eth0\n", ":2: capture.interface is called capture.interfaces now");
    expect_refusal("analysis:\n  alerts_jsonl: a\n",
                   ":2: analysis.alerts_jsonl is called output.alerts_jsonl now");
    struct outcome outcome =
        accepted(load("pipeline: {enabled: false, channel_capacity: 1024}\n", NULL, NULL));
    outcome_done(&outcome);
}
