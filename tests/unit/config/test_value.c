#include "config/value.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/strbuf.h"
#include "config/config.h"

static struct settings settings;
static struct error error;

static bool set(const char *key, const char *text)
{
    return value_set(&settings, &setting_table[setting_find(key)], text, &error);
}

static void tidy(void)
{
    settings_done(&settings);
}

TestSuite(value, .fini = tidy);

Test(value, numbers_keep_to_their_range)
{
    cr_expect(set("capture.buffer_size_mb", "1"));
    cr_expect(set("capture.buffer_size_mb", "4096"));
    cr_expect_eq(settings.capture.buffer_size_mb, 4096);
    for (size_t i = 0; i < 7; i++) {
        static const char *const wrong[] = {"0", "4097", "", "-1", "12x", " 1", "99999999999999999999999"};
        cr_expect_not(set("capture.buffer_size_mb", wrong[i]), "\"%s\"", wrong[i]);
        cr_expect_eq(error.kind, ERROR_INVALID_ARGUMENT);
    }
    cr_expect_eq(settings.capture.buffer_size_mb, 4096, "a failure changes nothing");
}

Test(value, the_largest_number)
{
    cr_expect(set("flow.hash_seed", "18446744073709551615"));
    cr_expect_eq(settings.flow.hash_seed, UINT64_MAX);
    cr_expect_not(set("flow.hash_seed", "18446744073709551616"));
}

Test(value, a_number_out_of_range_is_told_its_range)
{
    cr_expect_not(set("run.count", "99999999999999999999999"));
    cr_expect_str_eq(error.text,
                     "must be between 0 and 9223372036854775807; 99999999999999999999999 is too large");
    cr_expect_not(set("capture.buffer_size_mb", "0"));
    cr_expect_str_eq(error.text, "must be between 1 and 4096; 0 is too small");
    cr_expect_not(set("flow.timeout_secs", "99999999999999999999999h"));
    cr_expect_str_eq(error.text, "must be between 0 and 4294967295; 99999999999999999999999h is too large");
}

Test(value, times_take_units)
{
    static const struct {
        const char *text;
        uint32_t seconds;
    } cases[] = {{"90", 90}, {"90s", 90}, {"5m", 300}, {"2h", 7200}, {"0", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cr_expect(set("flow.timeout_secs", cases[i].text), "%s", cases[i].text);
        cr_expect_eq(settings.flow.timeout_secs, cases[i].seconds, "%s", cases[i].text);
    }
    cr_expect_not(set("flow.timeout_secs", "5ms"));
    cr_expect_not(set("flow.timeout_secs", "5 m"));
    cr_expect_not(set("flow.timeout_secs", "m"));
    cr_expect_not(set("flow.timeout_secs", "18446744073709551615h"), "no wrap around");
    cr_expect_not(set("flow.timeout_secs", "4294967296"));
    cr_expect(set("stats.interval_ms", "2s"));
    cr_expect_eq(settings.stats.interval_ms, 2000);
    cr_expect(set("stats.interval_ms", "250ms"));
    cr_expect_eq(settings.stats.interval_ms, 250);
}

Test(value, bools_and_names_are_exact)
{
    cr_expect(set("analysis.rtt", "true"));
    cr_expect(settings.analysis.rtt);
    cr_expect(set("analysis.rtt", "false"));
    cr_expect_not(settings.analysis.rtt);
    cr_expect_not(set("analysis.rtt", "yes"));
    cr_expect(set("output.report", "json"));
    cr_expect_eq(settings.output.report, REPORT_JSON);
    cr_expect_not(set("output.report", "xml"));
    cr_expect(strstr(error.text, "auto, text, json, none") != NULL, "%s", error.text);
}

Test(value, lists_append_and_clear)
{
    const struct setting *list = &setting_table[setting_find("capture.interfaces")];
    cr_expect(set("capture.interfaces", "eth0"));
    cr_expect(value_append_items(&settings, list, "eth1,eth2", &error));
    cr_expect_eq(settings.capture.interfaces.count, 3);
    cr_expect_str_eq(settings.capture.interfaces.items[2], "eth2");
    cr_expect_not(value_append_items(&settings, list, "a,,b", &error), "an empty item");
    value_clear(&settings, list);
    cr_expect_eq(settings.capture.interfaces.count, 0);
    cr_expect(value_append_items(&settings, list, "", &error));
    cr_expect_eq(settings.capture.interfaces.count, 0);
}

Test(value, lists_are_bounded)
{
    unsigned accepted = 0;
    while (accepted < 5000 && set("capture.read_pcap", "x.pcap"))
        accepted++;
    cr_expect_eq(accepted, 1024);
}

Test(value, comes_back_as_the_text_that_sets_it)
{
    static const char *const cases[][2] = {
        {"capture.snaplen", "1500"}, {"output.packets", "never"}, {"capture.filter", "tcp port 80"},
        {"flow.hash_seed", "77"},    {"output.compress", "true"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct strbuf text;
        strbuf_init(&text, 100);
        cr_expect(set(cases[i][0], cases[i][1]));
        value_add(&text, &settings, &setting_table[setting_find(cases[i][0])]);
        cr_expect_str_eq(text.text, cases[i][1]);
        strbuf_done(&text);
    }
}
