#include "config/table.h"
#include "config/value.h"
#include "given.h"

Test(change, a_copy_owns_all_it_holds)
{
    struct outcome outcome =
        accepted(load("capture: {interfaces: [a, b], filter: tcp}\nflow: {max_flows: 5}\n", NULL, NULL));
    struct settings copy;
    struct settings_diff diff;
    cr_assert(settings_copy(&copy, &outcome.settings, &outcome.error));
    settings_compare(&outcome.settings, &copy, &diff);
    cr_expect_eq(diff.count, 0);
    outcome_done(&outcome);
    cr_expect_eq(copy.capture.interfaces.count, 2);
    cr_expect_str_eq(copy.capture.interfaces.items[1], "b");
    cr_expect_str_eq(copy.capture.filter, "tcp");
    cr_expect(copy.flow.max_flows_given);
    settings_done(&copy);
}

Test(change, every_kind_of_value_is_compared)
{
    struct outcome outcome = accepted(load(NULL, NULL, NULL));
    struct error error;
    for (unsigned i = 0; i < setting_count; i++) {
        const struct setting *setting = &setting_table[i];
        struct settings copy;
        struct settings_diff diff;
        char text[24] = "other";
        cr_assert(settings_copy(&copy, &outcome.settings, &error));
        if (setting->type == SETTING_BOOL)
            strcpy(text, strcmp(setting->standard, "true") == 0 ? "false" : "true");
        else if (setting->type == SETTING_ENUM)
            snprintf(text, sizeof text, "%s",
                     setting->names[strcmp(setting->names[0], setting->standard) == 0]);
        else if (setting->type != SETTING_LIST && !setting_is_text(setting))
            snprintf(text, sizeof text, "%llu",
                     (unsigned long long)(setting->minimum +
                                          (atoll(setting->standard) == (long long)setting->minimum)));
        cr_assert(value_set(&copy, setting, text, &error), "%s: %s", setting->key, error.text);
        settings_compare(&outcome.settings, &copy, &diff);
        if (setting->note != NULL)
            cr_expect_eq(diff.count, 0, "%s", setting->key);
        else
            cr_expect(diff.count == 1 && diff.rows[0] == i, "%s", setting->key);
        settings_done(&copy);
    }
    outcome_done(&outcome);
}

Test(change, a_list_shrinks_and_grows)
{
    struct outcome few = accepted(load("capture: {interfaces: [a]}\n", NULL, NULL));
    struct outcome many = accepted(load("capture: {interfaces: [a, b]}\n", NULL, NULL));
    struct settings_diff diff;
    const struct setting *setting = &setting_table[setting_find("capture.interfaces")];
    settings_compare(&few.settings, &many.settings, &diff);
    cr_expect_eq(diff.count, 1);
    cr_assert(value_copy(&few.settings, &many.settings, setting, &few.error));
    cr_expect(value_is_equal(&few.settings, &many.settings, setting));
    outcome_done(&few);
    outcome_done(&many);
}

// Loads from a file, lets it say something else, and loads again.
static bool reload(const char *first, const char *second, const char *const *words, struct settings *out,
                   struct error *error)
{
    char path[64], *argv[WORDS_MAXIMUM + 4] = {strdup("netscope"), strdup("--config"), path},
                                         *owned[WORDS_MAXIMUM];
    char *environment[] = {strdup("NETSCOPE_RUN_COUNT=9"), NULL};
    struct settings settings;
    struct config_invocation what;
    write_file(path, first);
    int given = copy_words(argv + 3, words);
    memcpy(owned, argv + 3, sizeof owned[0] * (size_t)given);
    char *name = argv[0], *config = argv[1];
    cr_assert(config_load(3 + given, argv, environment, &settings, &what, error), "%s", error->text);
    settings_done(&settings);
    FILE *file = fopen(path, "w");
    fputs(second, file);
    fclose(file);
    bool loaded = config_reload(&(struct config_origin){3 + given, argv, environment}, out, error);
    unlink(path);
    for (int i = 0; i < given; i++)
        free(owned[i]);
    free(name);
    free(config);
    free(environment[0]);
    return loaded;
}

Test(change, the_file_is_read_again_below_flags_and_environment)
{
    struct settings settings;
    struct error error;
    cr_assert(reload("flow: {timeout_secs: 5}\n",
                     "flow: {timeout_secs: 6, udp_timeout_secs: 7}\nrun: {count: 1}\n",
                     WORDS("--udp-timeout-s", "8", "tcp", "port", "80"), &settings, &error),
              "%s", error.text);
    cr_expect_eq(settings.flow.timeout_secs, 6);
    cr_expect_eq(settings.flow.udp_timeout_secs, 8, "a flag wins over the file");
    cr_expect_eq(settings.run.count, 9, "the environment wins over the file");
    cr_expect_str_eq(settings.capture.filter, "tcp port 80");
    settings_done(&settings);
}

Test(change, a_wrong_file_is_refused_with_its_line)
{
    struct settings settings;
    struct error error;
    cr_assert_not(reload("", "flow:\n  timeout_sec: 6\n", NULL, &settings, &error));
    cr_expect(strstr(error.text, ":2: ") != NULL && strstr(error.text, "timeout_sec") != NULL, "%s",
              error.text);
}
