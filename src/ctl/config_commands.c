// Commands about the sensor's settings: config get, config apply, config reset.
#include <string.h>

#include "api/build.h"
#include "base/text_table.h"
#include "config/table.h"
#include "ctl/ask.h"
#include "ctl/commands.h"
#include "ctl/complaint.h"
#include "ctl/invocation.h"
#include "ctl/output.h"
#include "ctl/show.h"
#include "google/rpc/status.pb-c.h"
#include "netscope/v1/sensor.pb-c.h"

typedef Netscope__V1__GetConfigResponse Config;
typedef Netscope__V1__Setting Setting;
typedef Netscope__V1__ApplyConfigRequest Change;
typedef Netscope__V1__ApplyConfigResponse Verdicts;

// config get

static const struct table_column setting_columns[] = {
    {"NODE", false, CUT_MIDDLE}, {"KEY", false, CUT_NEVER}, {"VALUE", false, CUT_MIDDLE},
    {"FROM", false, CUT_NEVER},  {"", false, CUT_NEVER},    {NULL, false, CUT_NEVER},
};

static const char *source_name(const Setting *setting)
{
    static const char *const names[] = {"?", "default", "given", "api"};
    return (unsigned)setting->source < sizeof names / sizeof names[0] ? names[setting->source] : "?";
}

static void add_setting(struct text_table *table, const char *node, const Setting *setting)
{
    add_shown(table_cell(table), node);
    add_shown(table_cell(table), setting->key);
    struct strbuf *cell = table_cell(table);
    for (size_t i = 0; i < setting->n_values; i++) {
        strbuf_add(cell, i > 0 ? ", " : "");
        add_shown(cell, setting->values[i]);
    }
    strbuf_add(table_cell(table), source_name(setting));
    strbuf_add(table_cell(table), setting->pending ? "waits for a restart" : "");
}

static void show_config(struct output *output, const struct fleet *fleet, const struct answers *answers)
{
    struct text_table table;
    table_init(&table, setting_columns);
    for (unsigned i = 0; i < answers->count; i++) {
        const Config *config = (const Config *)answers->list[i].message;
        for (size_t row = 0; config != NULL && row < config->n_settings; row++)
            add_setting(&table, fleet_is_several(fleet) ? config->node : "", config->settings[row]);
    }
    output_add_table(output, &table);
    table_done(&table);
}

enum ctl_exit run_config_get(const struct invocation *given)
{
    Netscope__V1__GetConfigRequest request;
    netscope__v1__get_config_request__init(&request);
    if (given->argument_count > 0)
        request.prefix = build_borrowed(given->arguments[0]);
    struct question question = {.method = "/netscope.v1.SensorService/GetConfig",
                                .request = &request.base,
                                .response = &netscope__v1__get_config_response__descriptor};
    return answers_show(given, &question, show_config);
}

// config apply, config reset

static const struct table_column verdict_columns[] = {
    {"NODE", false, CUT_MIDDLE},  {"KEY", false, CUT_NEVER}, {"OUTCOME", false, CUT_NEVER},
    {"REASON", false, CUT_NEVER}, {NULL, false, CUT_NEVER},
};

static void add_verdicts(struct text_table *table, const char *node, const Verdicts *verdicts)
{
    static const char *const outcomes[] = {"?", "applied", "unchanged", "needs a restart", "rejected"};
    for (size_t i = 0; i < verdicts->n_verdicts; i++) {
        unsigned outcome = (unsigned)verdicts->verdicts[i]->outcome;
        add_shown(table_cell(table), node);
        add_shown(table_cell(table), verdicts->verdicts[i]->key);
        strbuf_add(table_cell(table),
                   outcome < sizeof outcomes / sizeof outcomes[0] ? outcomes[outcome] : "?");
        add_shown(table_cell(table), verdicts->verdicts[i]->reason);
    }
}

static void show_verdicts(struct output *output, const struct fleet *fleet, const struct answers *answers)
{
    struct text_table table;
    table_init(&table, verdict_columns);
    for (unsigned i = 0; i < answers->count; i++) {
        const Verdicts *verdicts = (const Verdicts *)answers->list[i].message;
        if (verdicts != NULL)
            add_verdicts(&table, fleet_is_several(fleet) ? verdicts->node : "", verdicts);
    }
    output_add_table(output, &table);
    table_done(&table);
}

static bool is_list(const char *key)
{
    int row = setting_find(key);
    return row >= 0 && setting_table[row].type == SETTING_LIST;
}

static Netscope__V1__SettingChange *find_change(const Change *change, const char *key)
{
    for (size_t i = 0; i < change->n_settings; i++)
        if (strcmp(change->settings[i]->key, key) == 0)
            return change->settings[i];
    return NULL;
}

static bool add_value(struct build *build, Change *change, const char *word, struct error *error)
{
    const char *equals = strchr(word, '=');
    if (equals == NULL || equals == word)
        return error_set(error, ERROR_INVALID_ARGUMENT,
                         "\"%.80s\" is no change of a setting: give KEY=VALUE, as in flow.timeout_secs=30",
                         word);
    char *key = build_copy(build, word);
    key[equals - word] = '\0';
    Netscope__V1__SettingChange *setting = find_change(change, key);
    if (setting == NULL) {
        setting = change->settings[change->n_settings++];
        netscope__v1__setting_change__init(setting);
        setting->key = key;
        setting->values = build_part(build, INVOCATION_ARGUMENTS * sizeof *setting->values);
    }
    if (setting->values != NULL && (equals[1] != '\0' || !is_list(key)))
        setting->values[setting->n_values++] = build_borrowed(equals + 1);
    return !build->failed || error_set(error, ERROR_EXHAUSTED, "no memory for the request");
}

static bool build_change(struct build *build, Change *change, const struct invocation *given,
                         struct error *error)
{
    netscope__v1__apply_config_request__init(change);
    change->dry_run = given_is(given, "dry-run");
    const char *etag = given_text(given, "etag");
    if (etag != NULL)
        change->etag = build_borrowed(etag);
    if (build_rows(build, &change->settings, given->argument_count, sizeof(Netscope__V1__SettingChange)) == 0)
        return error_set(error, ERROR_EXHAUSTED, "no memory for the request");
    for (unsigned i = 0; i < given->argument_count; i++)
        if (!add_value(build, change, given->arguments[i], error))
            return false;
    return true;
}

static enum ctl_exit put_change(const struct invocation *given, const Change *change)
{
    struct question question = {.method = "/netscope.v1.SensorService/ApplyConfig",
                                .request = &change->base,
                                .response = &netscope__v1__apply_config_response__descriptor};
    enum ctl_exit code = answers_show(given, &question, show_verdicts);
    if (code == CTL_DONE && change->dry_run)
        complain("a dry run: nothing was changed");
    return code;
}

enum ctl_exit run_config_apply(const struct invocation *given)
{
    struct build build;
    Change change;
    struct error error;
    build_init(&build);
    enum ctl_exit code =
        build_change(&build, &change, given, &error) ? put_change(given, &change) : complain_usage(&error);
    build_done(&build);
    return code;
}

enum ctl_exit run_config_reset(const struct invocation *given)
{
    Change change;
    netscope__v1__apply_config_request__init(&change);
    char *keys[INVOCATION_ARGUMENTS];
    for (unsigned i = 0; i < given->argument_count; i++)
        keys[i] = build_borrowed(given->arguments[i]);
    change.n_reset_keys = given->argument_count;
    change.reset_keys = keys;
    change.dry_run = given_is(given, "dry-run");
    const char *etag = given_text(given, "etag");
    if (etag != NULL)
        change.etag = build_borrowed(etag);
    return put_change(given, &change);
}
