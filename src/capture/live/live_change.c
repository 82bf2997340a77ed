#include "capture/live/live_change.h"

#include <assert.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/memory_limit.h"
#include "base/strbuf.h"
#include "capture/live/default_route.h"
#include "capture/live/interfaces.h"
#include "capture/live/live_places.h"
#include "capture/live/live_set_filter.h"
#include "capture/live/live_settings.h"

static bool missing(struct error *error, const char *what)
{
    struct strbuf names;
    strbuf_init(&names, 512);
    interfaces_name(&names);
    error_set(error, ERROR_NOT_FOUND, "%s; there are: %s (name one with -i, list them with -D)", what,
              names.text);
    strbuf_done(&names);
    return false;
}

static const char no_default_route[] = "there is no default route to choose an interface by";

static bool missing_interface(struct error *error, const char *device)
{
    char what[96];
    snprintf(what, sizeof what, "there is no interface %s", device);
    return missing(error, what);
}

static bool waits(const struct live_set *set)
{
    return set->settings->on_missing == ON_MISSING_WAIT;
}

// --- Start ---

// The first try of an interface: one that is missing is refused, unless it is waited for; one that is down never is.
static bool open_first(struct live_set *set, struct live_place *place, struct error *error)
{
    switch (live_place_try(set, place, error)) {
    case LIVE_OPENED:
        return true;
    case LIVE_DOWN:
        log_warning("capture", "%s; it is captured when it comes up", error->text);
        return true;
    case LIVE_MISSING:
        if (!waits(set) && !place->by_glob)
            return missing_interface(error, place->device);
        log_warning("capture", "there is no interface %s; it is waited for", place->device);
        return true;
    case LIVE_NO_PERMISSION:
    case LIVE_BAD_FILTER:
        return false;
    case LIVE_FAILED:
        break;
    }
    if (place->by_glob || waits(set))
        log_warning("capture", "%s", error->text);
    return place->by_glob || waits(set);
}

// Whether an auto found its interface, or may wait for it.
static bool check_auto(const struct live_set *set, const struct live_target *target, struct error *error)
{
    if (target->kind != TARGET_AUTO || target->chosen[0] != 0)
        return true;
    if (!waits(set))
        return missing(error, no_default_route);
    log_warning("capture", "%s; it is waited for", no_default_route);
    return true;
}

// Those that were not tried yet.
static bool open_places(struct live_set *set, const char *word, struct error *error)
{
    for (unsigned i = 0; i < set->places_count; i++) {
        struct live_place *place = set->places[i];
        if (place->state == PLACE_CLOSED && place->retry_at_ns == 0 &&
            (word == NULL || strcmp(place->word, word) == 0) && !open_first(set, place, error))
            return false;
    }
    return true;
}

static bool opened_any(const struct live_set *set)
{
    for (unsigned i = 0; i < set->places_count; i++)
        if (set->places[i]->state != PLACE_CLOSED)
            return true;
    return false;
}

// Who may not capture at all does not wait for an interface.
static bool open_all(struct live_set *set, struct error *error)
{
    live_set_add_places(set);
    for (unsigned i = 0; i < set->targets.count; i++)
        if (!check_auto(set, &set->targets.items[i], error))
            return false;
    if (!open_places(set, NULL, error))
        return false;
    if (set->targets.count > 0 && !opened_any(set) &&
        !live_open_is_permitted(set->targets.items[0].word, error))
        return false;
    if (set->places_count == 0)
        log_warning("capture", "no interface matches yet; those that come are captured");
    return true;
}

// At the start whoever makes the source waits for the rings to settle.
static bool await_settled(struct live_set *set, struct error *error)
{
    while (!live_change_is_settled(set)) {
        poll(NULL, 0, live_set_wait_ms(set));
        live_set_step(set);
    }
    for (unsigned i = 0; i < set->places_count; i++) {
        const struct error *failure = &set->places[i]->failure;
        if (failure->kind != ERROR_INVALID_ARGUMENT && failure->kind != ERROR_PERMISSION)
            continue;
        *error = *failure;
        return false;
    }
    return true;
}

bool live_set_open(struct live_set *set, const struct capture_settings *settings,
                   struct live_exchange *exchange, struct error *error)
{
    set->exchange = exchange;
    set->limit_bytes = memory_limit();
    live_numbers_init(&set->numbers);
    set->settings = live_settings_copy(settings, error);
    set->names = set->settings != NULL ? link_names_create(error) : NULL;
    set->links = set->names != NULL ? link_watch_open(error) : NULL;
    bool opened = set->links != NULL && live_targets_read(&set->targets, settings, error) &&
                  open_all(set, error) && await_settled(set, error);
    set->running = opened;
    set->sealed = opened && settings->fixed;
    return opened;
}

static bool refuse_sealed(struct error *error, const char *word)
{
    return error_set(
        error, ERROR_FAILED_PRECONDITION,
        "%s cannot be started: capture.fixed gave up the right to open interfaces after the start", word);
}

// Ends the places of a target; those that another one names as well come back by it.
static void end_target(struct live_set *set, struct live_target *target, enum live_wish how)
{
    for (unsigned i = set->places_count; i-- > 0;)
        if (strcmp(set->places[i]->word, live_target_name(target)) == 0)
            live_place_end(set, set->places[i], how);
    live_targets_remove(&set->targets, target);
    set->closed_one = true;
    set->follow_at_ns = 0;
}

bool live_change_start(struct live_set *set, const char *word, struct error *error)
{
    set->starting[0] = 0;
    if (live_targets_find(&set->targets, word) != NULL)
        return true;
    if (set->sealed)
        return refuse_sealed(error, word);
    struct live_target *target = live_targets_add(&set->targets, word, error);
    if (target == NULL)
        return false;
    memcpy(set->starting, target->word, sizeof set->starting);
    live_set_add_places(set);
    if (check_auto(set, target, error) && open_places(set, live_target_name(target), error))
        return true;
    end_target(set, target, LIVE_LEAVE_UNREAD);
    return false;
}

bool live_change_started(struct live_set *set, struct error *error)
{
    struct live_target *target =
        set->starting[0] != 0 ? live_targets_find(&set->targets, set->starting) : NULL;
    if (target == NULL || target->kind == TARGET_GLOB || waits(set))
        return true;
    const struct live_place *place = live_places_find(set, live_target_name(target));
    if (place == NULL || place->failure.kind == ERROR_NONE)
        return true;
    *error = place->failure;
    end_target(set, target, LIVE_LEAVE_UNREAD);
    return false;
}

// --- Stop ---

bool live_change_stop(struct live_set *set, const char *word, bool drain, struct error *error)
{
    struct live_target *target = live_targets_find(&set->targets, word);
    const struct live_place *place = live_places_find(set, word);
    set->stopped = (struct source_drops){.exact = true};
    if (target == NULL && place != NULL)
        return error_set(error, ERROR_FAILED_PRECONDITION,
                         "%s is captured because of %s: stop that, or exclude it (capture.exclude)", word,
                         place->word);
    if (target == NULL)
        return error_set(error, ERROR_NOT_FOUND, "%s is not captured", word);
    end_target(set, target, drain ? LIVE_LEAVE_DRAIN : LIVE_LEAVE_UNREAD);
    return true;
}

bool live_change_is_settled(const struct live_set *set)
{
    for (unsigned i = 0; i < set->places_count; i++)
        if (set->places[i]->state == PLACE_SETTLING)
            return false;
    return true;
}

bool live_change_is_done(const struct live_set *set)
{
    for (unsigned i = 0; i < set->places_count; i++)
        if (set->places[i]->state == PLACE_LEAVING && set->places[i]->unwanted)
            return false;
    return live_change_is_settled(set);
}

// --- Settings ---

// Whether what the target names is there, as far as that is asked for at a start too.
static bool is_there(struct live_set *set, const struct live_target *target, struct error *error)
{
    char device[IF_NAMESIZE], why[96];
    if (target->kind == TARGET_AUTO)
        return default_route_find(device, why, sizeof why) || missing(error, no_default_route);
    return target->kind != TARGET_NAME || strcmp(target->word, "any") == 0 ||
           link_by_name(set->links, target->word) != NULL || missing_interface(error, target->word);
}

// Whether the new targets can be had.
static bool check_targets(struct live_set *set, struct live_targets *targets,
                          const struct capture_settings *settings, struct error *error)
{
    for (unsigned i = 0; i < targets->count; i++) {
        const struct live_target *target = &targets->items[i];
        if (live_targets_find(&set->targets, target->word) != NULL)
            continue;
        if (set->sealed)
            return refuse_sealed(error, target->word);
        if (settings->on_missing != ON_MISSING_WAIT && !is_there(set, target, error))
            return false;
    }
    return true;
}

// Ends targets that are named no more and interfaces that are left out now, and takes in new targets.
static void follow_targets(struct live_set *set, struct live_targets *targets)
{
    struct error error;
    for (unsigned i = set->targets.count; i-- > 0;)
        if (live_targets_find(targets, set->targets.items[i].word) == NULL)
            end_target(set, &set->targets.items[i], LIVE_LEAVE_DRAIN);
    for (unsigned i = 0; i < targets->count; i++)
        if (live_targets_find(&set->targets, targets->items[i].word) == NULL)
            live_targets_add(&set->targets, targets->items[i].word, &error);
    for (unsigned i = set->places_count; i-- > 0;)
        if (set->places[i]->by_glob && live_targets_excluded(set->settings, set->places[i]->device))
            live_place_end(set, set->places[i], LIVE_LEAVE_DRAIN);
    live_set_follow(set);
}

static bool has_new_filter(const struct live_set *set, const struct capture_settings *settings)
{
    return strcmp(settings->filter, set->settings->filter) != 0;
}

bool live_change_settings(struct live_set *set, const struct capture_settings *settings, struct error *error)
{
    struct live_targets targets;
    return live_targets_read(&targets, settings, error) && check_targets(set, &targets, settings, error) &&
           (!has_new_filter(set, settings) || live_set_filter_ask(set, settings->filter, error));
}

void live_change_take_back(struct live_set *set, const struct capture_settings *settings)
{
    struct error error;
    if (has_new_filter(set, settings) && !live_set_filter_ask(set, set->settings->filter, &error))
        log_error("capture", "the filter cannot go back to what it was: %s", error.text);
}

bool live_change_enact(struct live_set *set, const struct capture_settings *settings, struct error *error)
{
    struct live_targets targets;
    struct capture_settings *copy = live_settings_copy(settings, error);
    assert(live_set_filter_is_answered(set));
    if (copy == NULL || !live_targets_read(&targets, settings, error) ||
        (has_new_filter(set, settings) && !live_set_filter_put(set, settings->filter, error))) {
        live_settings_free(copy);
        live_change_take_back(set, settings);
        return false;
    }
    live_settings_free(set->settings);
    set->settings = copy;
    follow_targets(set, &targets);
    return true;
}
