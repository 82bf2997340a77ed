#include "calling.h"

typedef Netscope__V1__GetConfigResponse Config;
typedef Netscope__V1__ApplyConfigResponse Verdicts;

static struct answer answer;

static const Netscope__V1__Setting *setting_of(const Config *config, const char *key)
{
    for (size_t i = 0; i < config->n_settings; i++)
        if (strcmp(config->settings[i]->key, key) == 0)
            return config->settings[i];
    cr_assert_fail("no %s", key);
    return NULL;
}

static void expect_setting(struct calling *calling, const char *key, const char *value,
                           Netscope__V1__SettingSource source)
{
    char json[128];
    snprintf(json, sizeof json, "{\"prefix\": \"%s\"}", key);
    const Config *config = CALL(calling, Config, SENSOR("GetConfig"), json, &answer);
    const Netscope__V1__Setting *setting = setting_of(config, key);
    cr_assert_eq(setting->n_values, 1);
    cr_expect_str_eq(setting->values[0], value);
    cr_expect_eq(setting->source, source, "%s", key);
    answer_done(&answer);
}

Test(config_service, shows_what_is_in_force, .timeout = 60)
{
    struct calling calling;
    begin_calling(&calling, "flow: {udp_timeout_secs: 5}\nnetworks: {local: [10.0.0.0/8, 192.0.2.0/24]}\n");
    start_run(&calling.running);
    const Config *config = CALL(&calling, Config, SENSOR("GetConfig"), "{}", &answer);
    cr_expect_gt(config->n_settings, 50);
    cr_expect_eq(config->generation, 1);
    const Netscope__V1__Setting *local = setting_of(config, "networks.local");
    cr_expect_eq(local->n_values, 2);
    cr_expect_str_eq(local->values[1], "192.0.2.0/24");
    cr_expect(local->live);
    cr_expect_not(setting_of(config, "capture.snaplen")->live);
    cr_expect_str_eq(setting_of(config, "flow.udp_timeout_secs")->default_, "60");
    answer_done(&answer);
    expect_setting(&calling, "flow.udp_timeout_secs", "5",
                   NETSCOPE__V1__SETTING_SOURCE__SETTING_SOURCE_GIVEN);
    expect_setting(&calling, "flow.icmp_timeout_secs", "60",
                   NETSCOPE__V1__SETTING_SOURCE__SETTING_SOURCE_DEFAULT);
    call_refused(&calling, SENSOR("GetConfig"), "{\"prefix\": \"flew.\"}", STATUS_INVALID_ARGUMENT, "prefix",
                 "no key begins");
    end_calling(&calling);
}

Test(config_service, applies_all_or_nothing, .timeout = 60)
{
    struct calling calling;
    begin_calling(&calling, NULL);
    start_run(&calling.running);
    const char *change = "{\"settings\": [{\"key\": \"flow.udp_timeout_secs\", \"values\": [\"7\"]},"
                         " {\"key\": \"flow.icmp_timeout_secs\", \"values\": [\"60\"]}], \"dry_run\": true}";
    const Verdicts *verdicts = CALL(&calling, Verdicts, SENSOR("ApplyConfig"), change, &answer);
    cr_assert_eq(verdicts->n_verdicts, 2);
    cr_expect_eq(verdicts->verdicts[0]->outcome, NETSCOPE__V1__SETTING_OUTCOME__SETTING_OUTCOME_APPLIED);
    cr_expect_eq(verdicts->verdicts[1]->outcome, NETSCOPE__V1__SETTING_OUTCOME__SETTING_OUTCOME_UNCHANGED);
    cr_expect_eq(verdicts->generation, 1);
    answer_done(&answer);
    expect_setting(&calling, "flow.udp_timeout_secs", "60",
                   NETSCOPE__V1__SETTING_SOURCE__SETTING_SOURCE_DEFAULT);
    change = "{\"settings\": [{\"key\": \"flow.udp_timeout_secs\", \"values\": [\"7\"]}]}";
    verdicts = CALL(&calling, Verdicts, SENSOR("ApplyConfig"), change, &answer);
    cr_expect_eq(verdicts->generation, 2);
    answer_done(&answer);
    expect_setting(&calling, "flow.udp_timeout_secs", "7", NETSCOPE__V1__SETTING_SOURCE__SETTING_SOURCE_API);
    verdicts = CALL(&calling, Verdicts, SENSOR("ApplyConfig"),
                    "{\"reset_keys\": [\"flow.udp_timeout_secs\"]}", &answer);
    cr_expect_eq(verdicts->n_verdicts, 1);
    answer_done(&answer);
    expect_setting(&calling, "flow.udp_timeout_secs", "60",
                   NETSCOPE__V1__SETTING_SOURCE__SETTING_SOURCE_DEFAULT);
    end_calling(&calling);
}

Test(config_service, lists_are_replaced, .timeout = 60)
{
    struct calling calling;
    begin_calling(&calling, "networks: {local: [10.0.0.0/8]}\n");
    start_run(&calling.running);
    const char *change =
        "{\"settings\": [{\"key\": \"networks.local\", \"values\": [\"192.0.2.0/24\", \"2001:db8::/32\"]}]}";
    CALL(&calling, Verdicts, SENSOR("ApplyConfig"), change, &answer);
    answer_done(&answer);
    const Config *config =
        CALL(&calling, Config, SENSOR("GetConfig"), "{\"prefix\": \"networks.\"}", &answer);
    cr_expect_eq(setting_of(config, "networks.local")->n_values, 2);
    cr_expect_str_eq(setting_of(config, "networks.local")->values[0], "192.0.2.0/24");
    answer_done(&answer);
    end_calling(&calling);
}

Test(config_service, what_is_wrong_has_its_field, .timeout = 60)
{
    static const struct {
        const char *json, *field, *part;
    } cases[] = {
        {"{\"settings\": [{\"key\": \"flow.udp_timeout\", \"values\": [\"7\"]}]}", "settings[0].key",
         "did you mean \"flow.udp_timeout_secs\""},
        {"{\"settings\": [{\"key\": \"flow.udp_timeout_secs\", \"values\": [\"x\"]}]}",
         "settings[0].values[0]", "flow.udp_timeout_secs must be"},
        {"{\"settings\": [{\"key\": \"flow.udp_timeout_secs\"}]}", "settings[0]", "takes one value, and 0"},
        {"{\"settings\": [{\"key\": \"flow.udp_timeout_secs\", \"values\": [\"1\", \"2\"]}]}", "settings[0]",
         "takes one value, and 2"},
        {"{\"settings\": [{\"key\": \"log.level\", \"values\": [\"info\"]}], \"reset_keys\": "
         "[\"log.level\"]}",
         "settings[0].key", "asked for twice"},
        {"{\"reset_keys\": [\"nothing\"]}", "reset_keys[0]", "is no setting"},
        {"{\"settings\": [{\"key\": \"pipeline.enabled\", \"values\": [\"true\"]}]}", "settings[0].key",
         "pipeline.enabled: "},
    };
    struct calling calling;
    begin_calling(&calling, NULL);
    start_run(&calling.running);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        call_refused(&calling, SENSOR("ApplyConfig"), cases[i].json, STATUS_INVALID_ARGUMENT, cases[i].field,
                     cases[i].part);
    end_calling(&calling);
}

Test(config_service, a_refusal_carries_the_verdicts, .timeout = 60)
{
    struct calling calling;
    begin_calling(&calling, NULL);
    start_run(&calling.running);
    const char *change = "{\"settings\": [{\"key\": \"flow.udp_timeout_secs\", \"values\": [\"7\"]},"
                         " {\"key\": \"capture.snaplen\", \"values\": [\"96\"]}]}";
    call_refused(&calling, SENSOR("ApplyConfig"), change, STATUS_FAILED_PRECONDITION, "settings[1]",
                 "restart");
    call_json(&calling, SENSOR("ApplyConfig"), change, &answer);
    cr_assert_str_eq(answer.status.extra_type, "netscope.v1.ApplyConfigResponse");
    Verdicts *verdicts =
        netscope__v1__apply_config_response__unpack(NULL, answer.status.extra_bytes, answer.status.extra);
    bool found = false;
    for (size_t i = 0; i < verdicts->n_verdicts; i++)
        found |=
            verdicts->verdicts[i]->outcome == NETSCOPE__V1__SETTING_OUTCOME__SETTING_OUTCOME_NEEDS_RESTART &&
            strcmp(verdicts->verdicts[i]->key, "capture.snaplen") == 0;
    cr_expect(found);
    netscope__v1__apply_config_response__free_unpacked(verdicts, NULL);
    expect_setting(&calling, "flow.udp_timeout_secs", "60",
                   NETSCOPE__V1__SETTING_SOURCE__SETTING_SOURCE_DEFAULT);
    change = "{\"settings\": [{\"key\": \"names.file\", \"values\": [\"/none.csv\"]}]}";
    call_refused(&calling, SENSOR("ApplyConfig"), change, STATUS_INVALID_ARGUMENT, "settings[0]",
                 "cannot read names.file");
    end_calling(&calling);
}

Test(config_service, an_etag_that_is_old_is_aborted, .timeout = 60)
{
    struct calling calling;
    char json[160];
    begin_calling(&calling, NULL);
    start_run(&calling.running);
    const Config *config = CALL(&calling, Config, SENSOR("GetConfig"), "{}", &answer);
    snprintf(json, sizeof json,
             "{\"etag\": \"%s\", \"settings\": [{\"key\": \"flow.udp_timeout_secs\", \"values\": [\"7\"]}]}",
             config->etag);
    answer_done(&answer);
    CALL(&calling, Verdicts, SENSOR("ApplyConfig"), json, &answer);
    answer_done(&answer);
    call_refused(&calling, SENSOR("ApplyConfig"), json, STATUS_ABORTED, NULL, "read them again");
    call_json(&calling, SENSOR("ApplyConfig"), json, &answer);
    cr_expect_str_eq(answer.status.reason, "ETAG_OUTDATED");
    end_calling(&calling);
}

Test(config_service, nothing_changes_before_the_run, .timeout = 60)
{
    struct calling calling;
    begin_calling(&calling, NULL);
    call_refused(&calling, SENSOR("ApplyConfig"),
                 "{\"settings\": [{\"key\": \"flow.udp_timeout_secs\", \"values\": [\"7\"]}]}",
                 STATUS_FAILED_PRECONDITION, NULL, "");
    start_run(&calling.running);
    end_calling(&calling);
}
