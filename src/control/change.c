#include "control/change.h"

#include <assert.h>
#include <string.h>

#include "aggregate/name_loader.h"
#include "base/log.h"
#include "capture/clock.h"
#include "config/table.h"
#include "config/value.h"
#include "control/check.h"
#include "control/control_inside.h"

static const char at_start_only[] = "it holds from a start on: put it into the settings file and restart";
static const char above_start[] = "the run has no room for more flows than it began with: put it into the "
                                  "settings file and restart";
static const char not_for_files[] =
    "a capture file is read: only a live capture can be changed while it runs";

struct plan {
    struct control *control;
    const struct change *change;
    const struct settings *now;
    struct generation *next;
    struct naming *naming;     // NULL = stays
    struct alert_plan *alerts; // NULL = stays
    bool captures;             // the source has to follow
    unsigned prepared;         // parts
    struct change_verdicts *out;
};

void control_add_part(struct control *control, const struct control_part *part)
{
    assert(control->part_count < CONTROL_PARTS);
    control->part[control->part_count++] = *part;
}

static bool is_of(const struct setting *setting, const char *start)
{
    return strncmp(setting->key, start, strlen(start)) == 0;
}

// Why a row cannot change now; NULL = it can.
static const char *obstacle(const struct control *control, const struct setting *setting,
                            const struct settings *wanted)
{
    uint64_t most = control->policy.max_flows;
    if (setting->applies == SETTING_AT_START)
        return at_start_only;
    if (!control->live && is_of(setting, "capture."))
        return not_for_files;
    if (strcmp(setting->key, "flow.max_flows") == 0 && most != 0) {
        uint64_t flows = control_policy(control, wanted).max_flows;
        return flows == 0 || flows > most ? above_start : NULL;
    }
    return NULL;
}

static bool plan_row(struct plan *plan, unsigned row, struct error *error)
{
    const struct setting *setting = &setting_table[row];
    const struct settings *wanted = plan->change->wanted;
    assert(plan->out->count < SETTINGS_ROWS);
    struct change_verdict *verdict = &plan->out->verdict[plan->out->count++];
    const char *reason = obstacle(plan->control, setting, wanted);
    *verdict = (struct change_verdict){.row = row, .outcome = CHANGE_APPLIED};
    if (reason == NULL) {
        plan->captures |= is_of(setting, "capture.");
        return value_copy(&plan->next->settings, wanted, setting, error);
    }
    verdict->outcome = CHANGE_AT_NEXT_START;
    if (plan->change->origin == CHANGE_BY_FILE)
        return true;
    verdict->outcome = CHANGE_REFUSED;
    verdict->reason = reason;
    return error_set(error, ERROR_FAILED_PRECONDITION, "%s cannot change now: %s", setting->key, reason);
}

// Every row has its verdict, also behind one that is refused.
static bool plan_rows(struct plan *plan, const struct settings_diff *diff, struct error *error)
{
    struct error failure;
    bool good = true;
    for (unsigned i = 0; i < diff->count; i++) {
        if (!plan_row(plan, diff->rows[i], &failure) && good) {
            *error = failure;
            good = false;
        }
    }
    return good;
}

// What the file says and is not in force waits, and what neither it nor the start said is the API's.
static void mark_rows(struct plan *plan, const struct generation *now)
{
    bool by_api = plan->change->origin == CHANGE_BY_API;
    const struct settings *file = by_api ? &plan->control->file : plan->change->wanted;
    struct settings_diff diff;
    bool changed[SETTINGS_ROWS] = {false};
    for (unsigned i = 0; i < plan->out->count; i++)
        changed[plan->out->verdict[i].row] = plan->out->verdict[i].outcome == CHANGE_APPLIED;
    settings_compare(file, &plan->next->settings, &diff);
    for (unsigned i = 0; i < diff.count; i++) {
        unsigned row = diff.rows[i];
        plan->next->overridden[row] = by_api && (changed[row] || now->overridden[row]);
        plan->next->pending[row] = !plan->next->overridden[row];
    }
}

static bool has_changed(const struct plan *plan, const char *key)
{
    int row = setting_find(key);
    assert(row >= 0);
    const struct setting *setting = &setting_table[row];
    return !value_is_equal(plan->now, &plan->next->settings, setting);
}

// The verdict of the first applied row that begins so is that it was refused, for this reason.
static bool blame(struct plan *plan, const char *start, const struct error *error)
{
    for (unsigned i = 0; i < plan->out->count; i++) {
        struct change_verdict *verdict = &plan->out->verdict[i];
        if (verdict->outcome != CHANGE_APPLIED || !is_of(&setting_table[verdict->row], start))
            continue;
        verdict->outcome = CHANGE_REFUSED;
        verdict->reason = error->text;
        break;
    }
    return false;
}

static bool check_names(struct plan *plan, struct error *error)
{
    if (!has_changed(plan, "names.file") && !has_changed(plan, "networks.local"))
        return true;
    plan->naming = naming_load(&plan->next->settings.names, error);
    if (plan->naming != NULL)
        return true;
    return blame(plan, strncmp(error->text, "networks", strlen("networks")) == 0 ? "networks." : "names.",
                 error);
}

// Detection gets a plan when something of it has changed, so that what was said of expired entries is not said again.
static bool check_alerts(struct plan *plan, struct error *error)
{
    const struct settings *next = &plan->next->settings;
    bool changed = false;
    for (unsigned i = 0; i < plan->out->count; i++)
        changed |= is_of(&setting_table[plan->out->verdict[i].row], "analysis.anomalies.");
    if (!changed)
        return true;
    plan->alerts = alert_plan_create(&next->analysis.anomalies, settings_detect(next), error);
    return plan->alerts != NULL || blame(plan, "analysis.anomalies.allow", error);
}

static bool prepare_parts(struct plan *plan, bool dry_run, struct error *error)
{
    const struct control *control = plan->control;
    for (unsigned i = 0; i < control->part_count; i++) {
        const struct control_part *part = &control->part[i];
        if (!part->prepare(part->owner, plan->now, &plan->next->settings, dry_run, error))
            return blame(plan, "output.", error);
        plan->prepared += !dry_run;
    }
    return true;
}

static bool check(struct plan *plan, struct error *error)
{
    const struct settings *next = &plan->next->settings;
    if (!settings_check(next, error))
        return blame(plan,
                     strncmp(error->text, "analysis.", strlen("analysis.")) == 0 ? "analysis." : "output.",
                     error);
    if (has_changed(plan, "capture.filter") && !control_check_filter(&next->capture, error))
        return blame(plan, "capture.filter", error);
    return check_names(plan, error) && check_alerts(plan, error) && prepare_parts(plan, true, error);
}

static bool change_pipeline(struct control *control, const struct settings *settings, uint64_t generation,
                            struct error *error)
{
    struct pipeline_change change = {
        .generation = generation,
        .policy = control_policy(control, settings),
        .interval_ns = control_interval_ns(settings),
        .top_flows = control_lists_top_flows(settings),
    };
    return pipeline_change(control->pipeline, &change, error);
}

static void take_back_pipeline(struct plan *plan)
{
    struct error error;
    if (!change_pipeline(plan->control, plan->now, plan->next->number - 1, &error))
        log_error("config", "flows cannot go back to what they followed: %s", error.text);
}

static bool change_capture(struct plan *plan, struct error *error)
{
    struct control *control = plan->control;
    if (!plan->captures && !control->capture_strays)
        return true;
    if (!source_reconfigure(control->source, &plan->next->settings.capture, error))
        return blame(plan, "capture.", error);
    plan->captures = true;
    control->capture_strays = false;
    return true;
}

static void take_back_capture(struct plan *plan)
{
    struct control *control = plan->control;
    struct error error;
    if (!plan->captures || source_reconfigure(control->source, &plan->now->capture, &error))
        return;
    control->capture_strays = true;
    log_error("config", "the capture cannot go back to what it was, the next change tries again: %s",
              error.text);
}

// What may fail, in turn; a failure takes back what was done. The parts come last: a file that they open is emptied,
// and nobody can take that back.
static bool enact(struct plan *plan, struct error *error)
{
    if (!change_capture(plan, error))
        return false;
    bool in_pipeline = change_pipeline(plan->control, &plan->next->settings, plan->next->number, error);
    if (in_pipeline && prepare_parts(plan, false, error))
        return true;
    if (in_pipeline)
        take_back_pipeline(plan);
    take_back_capture(plan);
    return false;
}

static void abandon(struct plan *plan)
{
    assert(plan->prepared <= plan->control->part_count);
    while (plan->prepared > 0) {
        const struct control_part *part = &plan->control->part[--plan->prepared];
        part->abandon(part->owner);
    }
    naming_destroy(plan->naming);
    alert_plan_destroy(plan->alerts);
    generation_release(plan->next);
}

// The tables of flows are made for one way of counting; interfaces that want the other one are captured nonetheless.
static void warn_of_observation(const struct plan *plan)
{
    bool first = plan->control->policy.observe_first;
    if (!has_changed(plan, "capture.interfaces") ||
        control_asks_first(plan->control, &plan->next->settings) == first)
        return;
    log_warning("config",
                "capture.observation auto stays `%s`, as the interfaces of the start wanted it: %s; restart",
                first ? "first" : "all",
                first ? "what one interface sees twice is left out"
                      : "what several interfaces see is counted again on each");
}

static bool is_among(const char *word, const struct string_list *list)
{
    for (unsigned i = 0; i < list->count; i++)
        if (strcmp(list->items[i], word) == 0)
            return true;
    return false;
}

static void tell_left_out(const struct plan *plan)
{
    const struct string_list *now = &plan->now->capture.interfaces;
    for (unsigned i = 0; i < now->count; i++)
        if (!is_among(now->items[i], &plan->next->settings.capture.interfaces))
            log_info("config", "capture.interfaces names %s no more", now->items[i]);
}

// Nothing fails from here on.
static void commit(struct plan *plan)
{
    struct control *control = plan->control;
    const struct log_settings *log = &plan->next->settings.log;
    assert(plan->prepared == control->part_count);
    plan->out->generation = plan->next->number;
    warn_of_observation(plan);
    tell_left_out(plan);
    log_configure((enum log_level)log->level, (enum log_format)log->format);
    if (plan->naming != NULL)
        name_loader_change(aggregate_names(control->aggregate), plan->naming);
    if (plan->alerts != NULL)
        aggregate_change_alerts(control->aggregate, plan->alerts);
    generation_publish(&control->generations, plan->next);
    for (unsigned i = 0; i < plan->prepared; i++)
        control->part[i].commit(control->part[i].owner);
}

// Whether the file says nothing new: then what the API changed stays. Not while the capture has to be put right.
static bool is_old_news(const struct control *control, const struct change *change)
{
    struct settings_diff diff;
    settings_compare(&control->file, change->wanted, &diff);
    return change->origin == CHANGE_BY_FILE && diff.count == 0 && !control->capture_strays;
}

// What is checked is put in force, and what the file said is kept for the next time.
static bool put_in_force(struct plan *plan, const struct generation *now, struct error *error)
{
    struct control *control = plan->control;
    bool by_file = plan->change->origin == CHANGE_BY_FILE;
    struct settings file;
    if (by_file && !settings_copy(&file, plan->change->wanted, error))
        return false;
    mark_rows(plan, now);
    bool good = enact(plan, error);
    if (good)
        commit(plan);
    if (by_file) {
        settings_done(good ? &control->file : &file);
        control->file = good ? file : control->file;
    }
    return good;
}

static bool change_all(struct control *control, const struct change *change, const struct generation *now,
                       struct change_verdicts *out, struct error *error)
{
    struct plan plan = {.control = control, .change = change, .now = &now->settings, .out = out};
    struct settings_diff diff;
    plan.next = generation_create(&now->settings, now->number + 1, error);
    if (plan.next == NULL)
        return false;
    settings_compare(&now->settings, change->wanted, &diff);
    bool good = plan_rows(&plan, &diff, error) && check(&plan, error);
    bool published = good && !change->dry_run && put_in_force(&plan, now, error);
    if (!published)
        abandon(&plan);
    return change->dry_run ? good : published;
}

static void note_reload(struct control *control, bool good)
{
    atomic_store(&control->reload_failed, !good);
    if (good)
        atomic_store(&control->reload_wall_ns, clock_wall_ns());
}

void control_reload_failed(struct control *control)
{
    note_reload(control, false);
}

static bool is_outdated(struct error *error)
{
    return error_set(error, ERROR_FAILED_PRECONDITION,
                     "the settings were changed meanwhile: read them again, and change what they are now");
}

bool control_file_settings(struct control *control, struct settings *out, struct error *error)
{
    pthread_mutex_lock(&control->changing);
    bool good = settings_copy(out, &control->file, error);
    pthread_mutex_unlock(&control->changing);
    return good;
}

bool control_apply(struct control *control, const struct change *change, struct change_verdicts *out,
                   struct error *error)
{
    pthread_mutex_lock(&control->changing);
    const struct generation *now = generation_hold(&control->generations);
    out->count = 0;
    out->generation = now->number;
    out->outdated = change->based_on != 0 && change->based_on != now->number;
    bool good = out->outdated ? is_outdated(error)
                              : is_old_news(control, change) || change_all(control, change, now, out, error);
    if (change->origin == CHANGE_BY_FILE && !change->dry_run)
        note_reload(control, good);
    generation_release(now);
    pthread_mutex_unlock(&control->changing);
    return good;
}
