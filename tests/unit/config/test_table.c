#include "config/table.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/strbuf.h"
#include "config/flags.h"
#include "config/settings.h"
#include "config/value.h"

static size_t width_of(enum setting_type type)
{
    switch (type) {
    case SETTING_BOOL:
        return sizeof(bool);
    case SETTING_BIG:
        return sizeof(uint64_t);
    case SETTING_STRING:
    case SETTING_PATH:
        return sizeof(char *);
    case SETTING_LIST:
        return sizeof(struct string_list);
    default:
        return sizeof(uint32_t);
    }
}

Test(table, every_default_is_a_valid_value)
{
    struct settings settings = {0};
    for (unsigned i = 0; i < setting_count; i++) {
        struct error error;
        cr_expect(value_set_default(&settings, &setting_table[i], &error), "%s: %s", setting_table[i].key,
                  error.text);
    }
    settings_done(&settings);
}

Test(table, keys_and_members_are_distinct)
{
    for (unsigned i = 0; i < setting_count; i++) {
        const struct setting *one = &setting_table[i];
        cr_expect_leq(one->offset + width_of(one->type), sizeof(struct settings));
        for (unsigned k = i + 1; k < setting_count; k++) {
            const struct setting *other = &setting_table[k];
            cr_expect_str_neq(one->key, other->key);
            bool apart = one->offset + width_of(one->type) <= other->offset ||
                         other->offset + width_of(other->type) <= one->offset;
            cr_expect(apart, "%s and %s share memory", one->key, other->key);
        }
    }
}

Test(table, flags_and_letters_are_distinct)
{
    for (unsigned i = 0; i < setting_count; i++) {
        char one[SETTING_FLAG_BYTES], other[SETTING_FLAG_BYTES];
        setting_flag(&setting_table[i], one);
        for (unsigned k = i + 1; k < setting_count; k++) {
            setting_flag(&setting_table[k], other);
            cr_expect_str_neq(one, other, "%s, %s", setting_table[i].key, setting_table[k].key);
            cr_expect(setting_table[i].letter == 0 || setting_table[i].letter != setting_table[k].letter);
        }
        for (unsigned k = 0; k < flag_count; k++) {
            cr_expect_str_neq(one, flag_table[k].name);
            cr_expect(flag_table[k].letter == 0 || setting_table[i].letter != flag_table[k].letter);
        }
    }
}

Test(table, every_shown_row_stands_in_a_section_and_says_what_it_is)
{
    for (unsigned i = 0; i < setting_count; i++) {
        const struct setting *setting = &setting_table[i];
        if (setting->note != NULL)
            continue;
        unsigned sections = 0;
        for (unsigned s = 0; s < setting_section_count; s++)
            sections += setting_in_section(setting, &setting_sections[s]);
        cr_expect_eq(sections, 1, "%s", setting->key);
        cr_expect(setting->help != NULL && setting->doc != NULL, "%s", setting->key);
        cr_expect(setting->doc[strlen(setting->doc) - 1] == '.', "%s", setting->key);
    }
}

// The seed's spellings and those that the reference fixes.
Test(table, flags_of_the_reference)
{
    static const char *const expected[][2] = {
        {"sensor.node_name", "node-name"},
        {"capture.interfaces", "interface"},
        {"capture.exclude", "exclude-interface"},
        {"capture.observation", "observation"},
        {"capture.read_pcap", "read-pcap"},
        {"capture.filter", "filter"},
        {"capture.promiscuous", "promiscuous"},
        {"capture.snaplen", "snaplen"},
        {"capture.timeout_ms", "timeout-ms"},
        {"capture.buffer_size_mb", "buffer-size-mb"},
        {"run.count", "count"},
        {"output.packets", "packets"},
        {"output.hex_dump", "hex-dump"},
        {"output.report", "report"},
        {"output.summary_json", "summary-json"},
        {"output.report_top", "report-top"},
        {"output.write_pcap", "write-pcap"},
        {"output.write_pcap_rotate_mb", "write-pcap-rotate-mb"},
        {"output.write_pcap_max_files", "write-pcap-max-files"},
        {"output.export_json", "export-json"},
        {"output.export_csv", "export-csv"},
        {"output.expired_flows_jsonl", "expired-flows-jsonl"},
        {"output.expired_flows_csv", "expired-flows-csv"},
        {"flow.timeout_secs", "flow-timeout-s"},
        {"flow.max_flows", "max-flows"},
        {"stats.enabled", "stats"},
        {"stats.interval_ms", "stats-interval-ms"},
        {"stats.top_flows", "top-flows"},
        {"pipeline.workers", "workers"},
    };
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        int index = setting_find(expected[i][0]);
        cr_assert_geq(index, 0, "%s", expected[i][0]);
        char flag[SETTING_FLAG_BYTES];
        setting_flag(&setting_table[index], flag);
        cr_expect_str_eq(flag, expected[i][1]);
    }
}
