#include "capture/live/live_targets.h"

#include <criterion/criterion.h>
#include <string.h>

static struct live_targets targets;
static struct error error;

Test(live_targets, are_names_globs_and_auto)
{
    cr_expect_eq(live_target_kind("eth0"), TARGET_NAME);
    cr_expect_eq(live_target_kind("any"), TARGET_NAME);
    cr_expect_eq(live_target_kind("cali*"), TARGET_GLOB);
    cr_expect_eq(live_target_kind("eth[01]"), TARGET_GLOB);
    cr_expect_eq(live_target_kind("auto"), TARGET_AUTO);
}

Test(live_targets, come_from_the_settings_once_each)
{
    struct capture_settings settings = {
        .interfaces = {.items = (char *[]){"eth0", "cali*", "eth0"}, .count = 3}};
    cr_assert(live_targets_read(&targets, &settings, &error));
    cr_expect_eq(targets.count, 2);
    settings.interfaces.count = 0;
    cr_assert(live_targets_read(&targets, &settings, &error));
    cr_expect_eq(targets.count, 1);
    cr_expect_str_eq(targets.items[0].word, "auto");
}

Test(live_targets, are_found_by_what_an_auto_chose)
{
    struct live_target *target = live_targets_add(&targets, "auto", &error);
    cr_expect_str_eq(live_target_name(target), "auto");
    strcpy(target->chosen, "eth7");
    cr_expect_str_eq(live_target_name(target), "eth7");
    cr_expect_eq(live_targets_find(&targets, "eth7"), target);
    cr_expect_eq(live_targets_find(&targets, "auto"), target);
    live_targets_remove(&targets, target);
    cr_expect_null(live_targets_find(&targets, "eth7"));
}

Test(live_targets, are_bounded)
{
    char long_word[LIVE_WORD_BYTES + 1];
    memset(long_word, 'x', LIVE_WORD_BYTES);
    long_word[LIVE_WORD_BYTES] = '\0';
    cr_expect_null(live_targets_add(&targets, long_word, &error));
    cr_expect_null(live_targets_add(&targets, "", &error));
    for (unsigned i = 0; i < LIVE_TARGETS_MAX; i++)
        cr_assert_not_null(live_targets_add(&targets, "eth0", &error));
    cr_expect_null(live_targets_add(&targets, "eth1", &error));
    cr_expect_eq(error.kind, ERROR_INVALID_ARGUMENT);
}

Test(live_targets, globs_leave_out_the_loopback_or_what_is_excluded)
{
    struct capture_settings settings = {.snaplen = 1};
    cr_expect(live_targets_excluded(&settings, "lo"));
    cr_expect_not(live_targets_excluded(&settings, "eth0"));
    settings.exclude_interfaces = (struct string_list){.items = (char *[]){"eth*"}, .count = 1};
    cr_expect_not(live_targets_excluded(&settings, "lo"));
    cr_expect(live_targets_excluded(&settings, "eth0"));
}
