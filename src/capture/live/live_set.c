#include "capture/live/live_set.h"

#include <assert.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/time.h"
#include "capture/clock.h"
#include "capture/live/default_route.h"
#include "capture/live/live_places.h"
#include "capture/live/live_settings.h"

enum { SETTLE_STEP_MS = 2 };

// --- What the targets name ---

static void add_glob_matches(struct live_set *set, const char *glob)
{
    unsigned count;
    const struct link *links = link_watch_links(set->links, &count);
    for (unsigned i = 0; i < count; i++)
        if (fnmatch(glob, links[i].name, 0) == 0 && !live_targets_excluded(set->settings, links[i].name))
            live_places_add(set, links[i].name, glob, true);
}

static void choose_auto(struct live_target *target)
{
    char why[96];
    if (!default_route_find(target->chosen, why, sizeof why)) {
        target->chosen[0] = 0;
        return;
    }
    log_warning("capture", "capturing on %s: %s", target->chosen, why);
}

void live_set_add_places(struct live_set *set)
{
    for (unsigned i = 0; i < set->targets.count; i++) {
        struct live_target *target = &set->targets.items[i];
        if (target->kind == TARGET_AUTO && target->chosen[0] == 0)
            choose_auto(target);
        if (target->kind == TARGET_GLOB)
            add_glob_matches(set, target->word);
        else if (target->kind == TARGET_NAME || target->chosen[0] != 0)
            live_places_add(set, live_target_name(target), live_target_name(target), false);
    }
}

// --- Following the links ---

static void abandon(struct live_set *set, struct live_place *place)
{
    log_warning("capture", "%s cannot be read; it is opened again", place->device);
    live_place_leave(set, place, LIVE_ABANDON);
}

// "any", which is no link.
static void check_any(struct live_set *set, struct live_place *place)
{
    if (place->state == PLACE_READ && atomic_exchange(&place->handle->trouble, false))
        abandon(set, place);
}

static void check_link(struct live_set *set, struct live_place *place)
{
    struct live_handle *handle = place->handle;
    if (handle == NULL)
        return;
    if (handle->kernel_index == 0) {
        check_any(set, place);
        return;
    }
    const struct link *link = link_by_index(set->links, handle->kernel_index);
    bool gone = link == NULL || strcmp(link->name, place->device) != 0;
    bool trouble = atomic_exchange(&handle->trouble, false);
    atomic_store(&handle->row->shown.up, !gone && link->up && link->running);
    if (gone && place->state == PLACE_SETTLING)
        live_place_close(set, place);
    if (place->state != PLACE_READ)
        return;
    if (gone)
        live_place_leave(set, place, LIVE_LEAVE_GONE);
    else if (trouble && link->up)
        abandon(set, place);
}

static bool is_lost(const struct live_set *set, const struct live_place *place)
{
    return place->by_glob && place->state == PLACE_CLOSED && !live_place_is_there(set, place);
}

void live_set_follow(struct live_set *set)
{
    set->follow_at_ns = clock_now_ns() + LIVE_RETRY_MS * NS_PER_MS;
    if (live_places_find(set, "any") != NULL)
        link_names_put(set->names, set->links);
    for (unsigned i = set->places_count; i-- > 0;)
        check_link(set, set->places[i]);
    for (unsigned i = set->places_count; i-- > 0;)
        if (is_lost(set, set->places[i]))
            live_places_forget(set, set->places[i]);
    live_set_add_places(set);
    for (unsigned i = set->places_count; i-- > 0;)
        live_place_try_again(set, set->places[i]);
}

static void count_nics(struct live_set *set)
{
    set->count_at_ns = clock_now_ns() + NS_PER_S;
    for (unsigned i = 0; i < set->places_count; i++)
        if (set->places[i]->state == PLACE_READ)
            live_open_count(set->places[i]->handle);
}

void live_set_step(struct live_set *set)
{
    if (link_watch_read(set->links))
        set->follow_at_ns = 0;
    live_places_take_back(set);
    live_places_settle(set);
    if (clock_now_ns() >= set->follow_at_ns)
        live_set_follow(set);
    if (clock_now_ns() >= set->count_at_ns)
        count_nics(set);
}

int live_set_wait_ms(const struct live_set *set)
{
    for (unsigned i = 0; i < set->places_count; i++)
        if (set->places[i]->state == PLACE_SETTLING)
            return SETTLE_STEP_MS;
    int64_t left_ns = set->follow_at_ns - clock_now_ns();
    return left_ns > 0 ? (int)(left_ns / NS_PER_MS) + 1 : 0;
}

bool live_set_is_pending(const struct live_set *set)
{
    for (unsigned i = 0; i < set->targets.count; i++)
        if (set->targets.items[i].kind != TARGET_NAME)
            return true;
    for (unsigned i = 0; i < set->places_count; i++)
        if (set->places[i]->handle != NULL || live_place_is_there(set, set->places[i]))
            return true;
    return set->targets.count > 0 && set->settings->on_missing == ON_MISSING_WAIT;
}

void live_set_close(struct live_set *set)
{
    for (unsigned i = 0; i < set->places_count; i++) {
        live_close(set->places[i]->handle);
        free(set->places[i]);
    }
    live_numbers_done(&set->numbers);
    link_names_destroy(set->names);
    link_watch_close(set->links);
    live_settings_free(set->settings);
}
