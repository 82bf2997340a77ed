#include "config/table.h"

#include <criterion/criterion.h>

Test(lookup, finds_keys_and_sections)
{
    cr_expect_str_eq(setting_table[setting_find("capture.snaplen")].key, "capture.snaplen");
    cr_expect_eq(setting_find("capture"), -1);
    cr_expect_eq(setting_find("capture.snaple"), -1);
    cr_expect(setting_is_section("capture"));
    cr_expect_not(setting_is_section("captur"));
    cr_expect_not(setting_is_section("capture.snaplen"));
}

Test(lookup, names_the_nearest)
{
    cr_expect_str_eq(setting_nearest("capture.snaplne"), "capture.snaplen");
    cr_expect_str_eq(setting_nearest("captur"), "capture");
    cr_expect_str_eq(setting_nearest("snaplen"), "capture.snaplen");
    cr_expect_str_eq(setting_nearest("output.count"), "run.count");
    cr_expect_str_eq(setting_nearest("pipeline.enable"), "pipeline.batch", "never an obsolete key");
    cr_expect_null(setting_nearest("foo"));
    cr_expect_null(setting_nearest("door"));
}

Test(lookup, derives_flag_and_variable)
{
    char flag[SETTING_FLAG_BYTES], variable[SETTING_KEY_BYTES];
    const struct setting *setting = &setting_table[setting_find("capture.buffer_size_mb")];
    setting_flag(setting, flag);
    setting_variable(setting, variable);
    cr_expect_str_eq(flag, "buffer-size-mb");
    cr_expect_str_eq(variable, "NETSCOPE_CAPTURE_BUFFER_SIZE_MB");
    cr_expect_str_eq(setting_name(setting), "buffer_size_mb");
}

Test(lookup, knows_where_keys_of_the_seed_went)
{
    cr_expect_str_eq(setting_renamed("capture.interface"), "capture.interfaces");
    cr_expect_str_eq(setting_renamed("analysis.alerts_jsonl"), "output.alerts_jsonl");
    cr_expect_null(setting_renamed("capture.interfaces"));
}
