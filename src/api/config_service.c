// SensorService's settings: what is in force, and changes of it, all or nothing.
#include <inttypes.h>
#include <protobuf-c/protobuf-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/call.h"
#include "api/field_path.h"
#include "config/table.h"
#include "config/value.h"
#include "control/change.h"
#include "control/generation.h"
#include "netscope/v1/sensor.pb-c.h"

typedef Netscope__V1__ApplyConfigRequest Change;
typedef Netscope__V1__ApplyConfigResponse Verdicts;
typedef Netscope__V1__Setting Setting;

// Of instance and generation: a generation alone would repeat after a restart.
static char *build_etag(struct call *call, uint64_t generation)
{
    char etag[64];
    snprintf(etag, sizeof etag, "%.16s-%" PRIu64, call->api->instance, generation);
    return build_text(&call->build, etag);
}

// What GetConfig shows.

static bool is_shown(const struct setting *setting, const char *prefix)
{
    return setting->note == NULL && strncmp(setting->key, prefix, strlen(prefix)) == 0;
}

static void build_values(struct call *call, Setting *into, const struct settings *settings,
                         const struct setting *setting)
{
    bool list = setting->type == SETTING_LIST;
    size_t count = list ? value_list(settings, setting)->count : 1;
    if (setting->secret)
        return;
    into->n_values = build_rows(&call->build, &into->values, count, 1);
    struct strbuf text;
    strbuf_init(&text, 1 << 16);
    value_add(&text, settings, setting); // nothing for lists
    for (size_t i = 0; i < into->n_values; i++)
        into->values[i] =
            build_copy(&call->build, list ? value_list(settings, setting)->items[i] : text.text);
    strbuf_done(&text);
}

static bool is_default(const struct settings *settings, const struct setting *setting)
{
    struct settings defaults = {0};
    struct error error;
    bool same = value_set_default(&defaults, setting, &error) && value_is_equal(&defaults, settings, setting);
    value_clear(&defaults, setting);
    return same;
}

static void build_setting(struct call *call, Setting *into, const struct generation *generation, unsigned row)
{
    const struct setting *setting = &setting_table[row];
    netscope__v1__setting__init(into);
    into->key = build_borrowed(setting->key);
    into->default_ = build_copy(&call->build, setting->standard);
    into->pending = generation->pending[row];
    into->live = setting->applies == SETTING_LIVE;
    into->source = NETSCOPE__V1__SETTING_SOURCE__SETTING_SOURCE_GIVEN;
    if (generation->overridden[row])
        into->source = NETSCOPE__V1__SETTING_SOURCE__SETTING_SOURCE_API;
    else if (is_default(&generation->settings, setting))
        into->source = NETSCOPE__V1__SETTING_SOURCE__SETTING_SOURCE_DEFAULT;
    build_values(call, into, &generation->settings, setting);
}

bool config_get(struct call *call, struct ProtobufCMessage *request)
{
    typedef Netscope__V1__GetConfigResponse Config;
    const char *prefix = ((Netscope__V1__GetConfigRequest *)request)->prefix;
    if (call->limits != NULL)
        return status_set(&call->status, STATUS_PERMISSION_DENIED, "OUTSIDE_LIMITS",
                          "the settings name networks and hosts that %.100s may not see",
                          call->caller->identity);
    const struct generation *generation = control_generation(call->api->control);
    Config *config = CALL_RESPONSE(call, Config, netscope__v1__get_config_response__init);
    size_t rows = 0, shown = 0;
    for (unsigned row = 0; row < setting_count; row++)
        rows += is_shown(&setting_table[row], prefix);
    if (config != NULL && rows > 0) {
        CALL_IDENTIFY(call, config);
        config->etag = build_etag(call, generation->number);
        config->generation = generation->number;
        config->n_settings = build_rows(&call->build, &config->settings, rows, sizeof(Setting));
        for (unsigned row = 0; row < setting_count && shown < config->n_settings; row++)
            if (is_shown(&setting_table[row], prefix))
                build_setting(call, config->settings[shown++], generation, row);
    }
    generation_release(generation);
    return rows > 0 || status_violate(&call->status, "prefix", "no key begins with \"%.80s\"", prefix);
}

// Changes.

// Which rows are asked about, and by which field of the request.
struct asked {
    bool row[SETTINGS_ROWS];
    bool reset[SETTINGS_ROWS];
    unsigned index[SETTINGS_ROWS]; // in settings, or in reset_keys
};

static void field_of(const struct asked *asked, unsigned row, char into[STATUS_FIELD_BYTES])
{
    snprintf(into, STATUS_FIELD_BYTES, "%s[%u]", asked->reset[row] ? "reset_keys" : "settings",
             asked->index[row]);
}

// The row of a key that may be changed; -1 with a violation.
static int find_row(struct call *call, struct asked *asked, const char *field, const char *key)
{
    int row = setting_find(key);
    if (row < 0) {
        const char *near = setting_nearest(key);
        status_violate(&call->status, field, "\"%.80s\" is no setting%s%s%s", key,
                       near != NULL ? ": did you mean \"" : "", near != NULL ? near : "",
                       near != NULL ? "\"?" : "");
        return -1;
    }
    if (setting_table[row].note != NULL) {
        status_violate(&call->status, field, "%s: %s", key, setting_table[row].note);
        return -1;
    }
    if (asked->row[row]) {
        status_violate(&call->status, field, "%s is asked for twice", key);
        return -1;
    }
    asked->row[row] = true;
    return row;
}

static void set_value(struct call *call, const Netscope__V1__SettingChange *change, unsigned i,
                      const struct setting *setting, struct settings *wanted)
{
    struct error error;
    struct field_path path = {0};
    field_path_enter(&path, "settings", (int)i);
    if (setting->type != SETTING_LIST && change->n_values != 1) {
        status_violate(&call->status, path.text, "%s takes one value, and %zu are given", setting->key,
                       change->n_values);
        return;
    }
    value_clear(wanted, setting);
    for (size_t value = 0; value < change->n_values; value++) {
        size_t before = field_path_enter(&path, "values", (int)value);
        if (!value_set(wanted, setting, change->values[value], &error))
            status_violate(&call->status, path.text, "%s %s", setting->key, error.text);
        field_path_leave(&path, before);
    }
    value_mark_given(wanted, setting);
}

static void set_values(struct call *call, const Change *change, struct asked *asked, struct settings *wanted)
{
    for (unsigned i = 0; i < change->n_settings; i++) {
        char field[STATUS_FIELD_BYTES];
        snprintf(field, sizeof field, "settings[%u].key", i);
        int row = find_row(call, asked, field, change->settings[i]->key);
        if (row < 0)
            continue;
        asked->index[row] = i;
        set_value(call, change->settings[i], i, &setting_table[row], wanted);
    }
}

static bool reset_values(struct call *call, const Change *change, struct asked *asked,
                         struct settings *wanted)
{
    struct settings file;
    struct error error;
    bool good = true;
    if (change->n_reset_keys == 0)
        return true;
    if (!control_file_settings(call->api->control, &file, &error))
        return status_from_error(&call->status, &error);
    for (unsigned i = 0; i < change->n_reset_keys && good; i++) {
        char field[STATUS_FIELD_BYTES];
        snprintf(field, sizeof field, "reset_keys[%u]", i);
        int row = find_row(call, asked, field, change->reset_keys[i]);
        if (row < 0)
            continue;
        asked->index[row] = i;
        asked->reset[row] = true;
        good = value_copy(wanted, &file, &setting_table[row], &error) ||
               status_from_error(&call->status, &error);
    }
    settings_done(&file);
    return good;
}

static Netscope__V1__SettingOutcome outcome_of(const struct change_verdict *verdict)
{
    if (verdict->outcome == CHANGE_APPLIED)
        return NETSCOPE__V1__SETTING_OUTCOME__SETTING_OUTCOME_APPLIED;
    // Whatever holds from a start on has a constant reason that says so; others are refused by what they say.
    return verdict->outcome == CHANGE_AT_NEXT_START || setting_table[verdict->row].applies == SETTING_AT_START
               ? NETSCOPE__V1__SETTING_OUTCOME__SETTING_OUTCOME_NEEDS_RESTART
               : NETSCOPE__V1__SETTING_OUTCOME__SETTING_OUTCOME_REJECTED;
}

static void add_verdict(Verdicts *verdicts, const char *key, Netscope__V1__SettingOutcome outcome,
                        char *reason)
{
    Netscope__V1__SettingVerdict *row = verdicts->verdicts[verdicts->n_verdicts++];
    netscope__v1__setting_verdict__init(row);
    row->key = build_borrowed(key);
    row->outcome = outcome;
    row->reason = reason;
}

// One verdict a row that was asked for: those that control gave, then those that change nothing.
static Verdicts *build_verdicts(struct call *call, const struct asked *asked,
                                const struct change_verdicts *from)
{
    Verdicts *verdicts = build_part(&call->build, sizeof *verdicts);
    if (verdicts == NULL)
        return NULL;
    netscope__v1__apply_config_response__init(verdicts);
    if (build_rows(&call->build, &verdicts->verdicts, SETTINGS_ROWS, sizeof **verdicts->verdicts) == 0)
        return NULL;
    bool told[SETTINGS_ROWS] = {false};
    CALL_IDENTIFY(call, verdicts);
    verdicts->etag = build_etag(call, from->generation);
    verdicts->generation = from->generation;
    for (unsigned i = 0; i < from->count; i++) {
        const struct change_verdict *verdict = &from->verdict[i];
        told[verdict->row] = true;
        add_verdict(verdicts, setting_table[verdict->row].key, outcome_of(verdict),
                    build_text(&call->build, verdict->reason));
    }
    for (unsigned row = 0; row < setting_count; row++)
        if (asked->row[row] && !told[row])
            add_verdict(verdicts, setting_table[row].key,
                        NETSCOPE__V1__SETTING_OUTCOME__SETTING_OUTCOME_UNCHANGED, build_borrowed(""));
    return verdicts;
}

// A refusal: the code of what was wrong, the fields that are to blame, and the verdicts among the details.
static bool refuse(struct call *call, const struct asked *asked, const struct change_verdicts *from,
                   const struct error *error)
{
    struct status *status = &call->status;
    Verdicts *verdicts = build_verdicts(call, asked, from);
    for (unsigned i = 0; i < from->count; i++) {
        char field[STATUS_FIELD_BYTES];
        if (from->verdict[i].outcome != CHANGE_REFUSED)
            continue;
        field_of(asked, from->verdict[i].row, field);
        status_violate(status, field, "%s: %s", setting_table[from->verdict[i].row].key,
                       from->verdict[i].reason);
    }
    status_from_error(status, error);
    size_t length = verdicts != NULL ? netscope__v1__apply_config_response__get_packed_size(verdicts) : 0;
    if (length == 0 || length > sizeof status->extra)
        return false;
    status->extra_type = "netscope.v1.ApplyConfigResponse";
    status->extra_bytes = netscope__v1__apply_config_response__pack(verdicts, status->extra);
    return false;
}

static bool outdated(struct call *call)
{
    return status_set(&call->status, STATUS_ABORTED, "ETAG_OUTDATED",
                      "etag: the settings were changed since: read them again (GetConfig)");
}

static bool apply(struct call *call, const Change *change, const struct generation *now,
                  struct settings *wanted)
{
    struct asked asked = {0};
    struct change_verdicts verdicts;
    struct error error;
    bool whole = reset_values(call, change, &asked, wanted);
    if (whole)
        set_values(call, change, &asked, wanted);
    if (!whole || call->status.code != STATUS_OK)
        return false;
    struct change asking = {
        .wanted = wanted, .origin = CHANGE_BY_API, .dry_run = change->dry_run, .based_on = now->number};
    if (control_apply(call->api->control, &asking, &verdicts, &error)) {
        Verdicts *answer = build_verdicts(call, &asked, &verdicts);
        call->response = answer != NULL ? &answer->base : NULL;
        return true;
    }
    return verdicts.outdated ? outdated(call) : refuse(call, &asked, &verdicts, &error);
}

bool config_apply(struct call *call, struct ProtobufCMessage *request)
{
    const Change *change = (const Change *)request;
    const struct generation *now = control_generation(call->api->control);
    struct settings wanted;
    struct error error;
    bool good = false;
    if (change->etag[0] != '\0' && strcmp(change->etag, build_etag(call, now->number)) != 0) {
        outdated(call);
    } else if (!settings_copy(&wanted, &now->settings, &error)) {
        status_from_error(&call->status, &error);
    } else {
        good = apply(call, change, now, &wanted);
        settings_done(&wanted);
    }
    generation_release(now);
    return good;
}
