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
#include "capture/live/live_settings.h"

enum { RETRY_MS = 1000, SETTLE_STEP_MS = 2 };

// --- Places ---

struct live_place *live_set_find(const struct live_set *set, const char *device)
{
    for (unsigned i = 0; i < set->places_count; i++)
        if (strcmp(set->places[i]->device, device) == 0)
            return set->places[i];
    return NULL;
}

static void add_place(struct live_set *set, const char *device, const char *word, bool by_glob)
{
    if (live_set_find(set, device) != NULL)
        return;
    struct live_place *place = set->places_count < LIVE_INTERFACES_MAX ? calloc(1, sizeof *place) : NULL;
    if (place == NULL) {
        if (!set->crowded)
            log_warning("capture", "%s is not captured: %d interfaces at a time are the most", device,
                        LIVE_INTERFACES_MAX);
        set->crowded = true;
        return;
    }
    snprintf(place->device, sizeof place->device, "%s", device);
    snprintf(place->word, sizeof place->word, "%s", word);
    place->by_glob = by_glob;
    set->places[set->places_count++] = place;
}

static void forget(struct live_set *set, const struct live_place *place)
{
    assert(place->state == PLACE_CLOSED && place->handle == NULL);
    unsigned at = 0;
    while (set->places[at] != place)
        at++;
    free(set->places[at]);
    set->places[at] = set->places[--set->places_count];
}

static void count_stopped(struct source_drops *sum, const struct source_drops *counted)
{
    sum->received += counted->received;
    sum->kernel_dropped += counted->kernel_dropped;
    sum->interface_dropped += counted->interface_dropped;
    sum->delivered += counted->delivered;
    sum->no_chunk += counted->no_chunk;
    sum->unread += counted->unread;
    sum->exact &= counted->exact;
}

// Closes the handle of a place that the source does not have (any more).
static void close_place(struct live_set *set, struct live_place *place)
{
    struct live_handle *handle = place->handle;
    int wish = atomic_load(&handle->wish);
    if (wish == LIVE_LEAVE_GONE)
        log_warning("capture", "the interface %s was removed", place->device);
    else if (place->unwanted && set->running)
        log_info("capture", "%s is captured no more", place->device);
    if (wish == LIVE_LEAVE_DRAIN || wish == LIVE_LEAVE_UNREAD)
        count_stopped(&set->stopped, &handle->counted);
    atomic_store(&handle->row->shown.up, false);
    live_numbers_leave(&set->numbers, handle->interface, clock_now_ns());
    live_close(handle);
    set->glob_ring_bytes -= place->ring_bytes;
    place->ring_bytes = 0;
    place->handle = NULL;
    place->state = PLACE_CLOSED;
    bool failed = wish == LIVE_READ || wish == LIVE_ABANDON;
    place->retry_at_ns = failed ? clock_now_ns() + RETRY_MS * NS_PER_MS : 0;
    set->closed_one = true;
    if (!failed)
        set->follow_at_ns = 0;
    if (place->unwanted || (place->by_glob && wish == LIVE_LEAVE_GONE))
        forget(set, place);
}

static void take_back(struct live_set *set)
{
    struct live_handle *handle;
    while ((handle = live_exchange_take_back(set->exchange)) != NULL) {
        struct live_place *place = live_set_find(set, handle->device);
        assert(place != NULL && place->handle == handle);
        bool unwatched = place->state == PLACE_READ; // the source gave it up by itself
        assert(unwatched ? atomic_load(&handle->wish) == LIVE_ABANDON : place->state == PLACE_LEAVING);
        if (unwatched)
            log_warning("capture",
                        "%s is not read: the system watches no more sockets (memory, or "
                        "fs.epoll.max_user_watches); it is opened again",
                        place->device);
        close_place(set, place);
    }
}

static void leave(struct live_set *set, struct live_place *place, enum live_wish how)
{
    assert(place->state == PLACE_READ);
    live_handle_seal(place->handle);
    place->state = PLACE_LEAVING;
    atomic_store(&place->handle->wish, how);
    live_exchange_wake(set->exchange->source_fd);
}

void live_set_end_place(struct live_set *set, struct live_place *place, enum live_wish how)
{
    place->unwanted = true;
    if (place->state == PLACE_READ)
        leave(set, place, how);
    else if (place->state == PLACE_SETTLING)
        close_place(set, place);
    else if (place->state == PLACE_CLOSED)
        forget(set, place);
}

// --- Opening ---

static uint64_t ring_bytes(struct live_set *set, const struct live_place *place)
{
    uint64_t named = live_ring_named(set->settings);
    if (!place->by_glob)
        return named;
    uint64_t usual = live_ring_globbed(set->settings, 0, 0);
    uint64_t bytes = live_ring_globbed(set->settings, set->limit_bytes, set->glob_ring_bytes);
    if (bytes < usual / 2 && !set->cramped) {
        log_warning(
            "capture",
            "many interfaces are captured: to keep to the memory plan, %s and further ones get rings of %u "
            "KB "
            "instead of %u KB (capture.buffer_size_mb, or the limit of the cgroup, sets how much there is)",
            place->device, (unsigned)(bytes / 1024), (unsigned)(usual / 1024));
        set->cramped = true;
    }
    return bytes;
}

// Gives the handle its number and row.
static bool number(struct live_set *set, const struct live_place *place, struct live_handle *handle,
                   struct error *error)
{
    struct source_interface shown = {.link_type = handle->link_type, .snaplen = handle->snaplen};
    memcpy(shown.name, place->device, sizeof shown.name);
    memcpy(shown.configured, place->word, sizeof shown.configured);
    if (!live_numbers_take(&set->numbers, &shown, clock_now_ns(), &handle->interface, error))
        return false;
    handle->row = interface_list_row(&set->numbers.rows, handle->interface);
    atomic_store(&handle->row->shown.kernel_index, handle->kernel_index);
    return true;
}

// The ring holds nothing that the filter leaves out: from here on everything counts.
static enum live_open_result begin_reading(struct live_set *set, struct live_place *place,
                                           struct error *error)
{
    struct live_handle *handle = place->handle;
    const struct link *link = link_by_name(set->links, place->device);
    if (!live_open_finish(handle, set->settings->filter, error)) {
        close_place(set, place);
        return LIVE_BAD_FILTER;
    }
    atomic_store(&handle->row->shown.up, link == NULL || link->running);
    place->state = PLACE_READ;
    live_exchange_give(set->exchange, handle);
    return LIVE_OPENED;
}

static enum live_open_result open_place(struct live_set *set, struct live_place *place,
                                        const struct link *link, struct error *error)
{
    struct live_order order = {
        .device = place->device,
        .settings = set->settings,
        .kernel_index = link != NULL ? link->index : 0,
        .ring_bytes = ring_bytes(set, place),
        .loopback = link != NULL && link->loopback,
    };
    bool settling = false;
    enum live_open_result result;
    struct live_handle *handle = live_open(&order, &settling, &result, error);
    if (handle == NULL)
        return result;
    if (!number(set, place, handle, error)) {
        live_close(handle);
        return LIVE_FAILED;
    }
    place->handle = handle;
    place->state = PLACE_SETTLING;
    place->settled_by_ns = clock_now_ns() + handle->block_time_ns;
    place->ring_bytes = place->by_glob ? order.ring_bytes : 0;
    set->glob_ring_bytes += place->ring_bytes;
    if (settling && !live_open_settle(handle, false))
        return LIVE_OPENED;
    return begin_reading(set, place, error);
}

static bool is_there(const struct live_set *set, const struct live_place *place)
{
    return strcmp(place->device, "any") == 0 || link_by_name(set->links, place->device) != NULL;
}

enum live_open_result live_set_try(struct live_set *set, struct live_place *place, struct error *error)
{
    assert(place->state == PLACE_CLOSED);
    const struct link *link = link_by_name(set->links, place->device);
    if (!is_there(set, place)) {
        error_set(error, ERROR_NOT_FOUND, "there is no interface %s", place->device);
        return LIVE_MISSING;
    }
    if (link != NULL && !link->up) {
        error_set(error, ERROR_UNAVAILABLE, "the interface %s is down", place->device);
        return LIVE_DOWN;
    }
    if (set->sealed) {
        error_set(error, ERROR_FAILED_PRECONDITION,
                  "%s is not captured: capture.fixed gave up the right to open interfaces after the start",
                  place->device);
        return LIVE_NO_PERMISSION;
    }
    place->retry_at_ns = clock_now_ns() + RETRY_MS * NS_PER_MS;
    return open_place(set, place, link, error);
}

// Says, once a place, why it cannot be opened.
static void note_try(struct live_set *set, struct live_place *place, enum live_open_result result,
                     const struct error *error)
{
    bool failed = result != LIVE_OPENED && result != LIVE_MISSING && result != LIVE_DOWN;
    if (result == LIVE_OPENED && place->state == PLACE_READ && set->running)
        log_info("capture", "%s is captured", place->device);
    if (failed && place->failure.kind == ERROR_NONE)
        log_warning("capture", "%s", error->text);
    if (failed)
        place->failure = *error;
    else if (place->state != PLACE_SETTLING)
        place->failure.kind = ERROR_NONE;
}

static void settle(struct live_set *set)
{
    for (unsigned i = set->places_count; i-- > 0;) {
        struct live_place *place = set->places[i];
        struct error error;
        bool late = clock_now_ns() >= place->settled_by_ns;
        if (place->state != PLACE_SETTLING || !live_open_settle(place->handle, late))
            continue;
        note_try(set, place, begin_reading(set, place, &error), &error);
    }
}

// --- What the targets name ---

static void add_glob_matches(struct live_set *set, const char *glob)
{
    unsigned count;
    const struct link *links = link_watch_links(set->links, &count);
    for (unsigned i = 0; i < count; i++)
        if (fnmatch(glob, links[i].name, 0) == 0 && !live_targets_excluded(set->settings, links[i].name))
            add_place(set, links[i].name, glob, true);
}

static void choose_auto(struct live_set *set, struct live_target *target)
{
    char why[96];
    if (!default_route_find(target->chosen, why, sizeof why)) {
        target->chosen[0] = 0;
        return;
    }
    snprintf(set->reason, sizeof set->reason, "capturing on %s: %s", target->chosen, why);
    log_info("capture", "%s", set->reason);
}

void live_set_add_places(struct live_set *set)
{
    for (unsigned i = 0; i < set->targets.count; i++) {
        struct live_target *target = &set->targets.items[i];
        if (target->kind == TARGET_AUTO && target->chosen[0] == 0)
            choose_auto(set, target);
        if (target->kind == TARGET_GLOB)
            add_glob_matches(set, target->word);
        else if (target->kind == TARGET_NAME || target->chosen[0] != 0)
            add_place(set, live_target_name(target), live_target_name(target), false);
    }
}

// --- Following the links ---

static void abandon(struct live_set *set, struct live_place *place)
{
    log_warning("capture", "%s cannot be read; it is opened again", place->device);
    leave(set, place, LIVE_ABANDON);
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
        close_place(set, place);
    if (place->state != PLACE_READ)
        return;
    if (gone)
        leave(set, place, LIVE_LEAVE_GONE);
    else if (trouble && link->up)
        abandon(set, place);
}

static void try_again(struct live_set *set, struct live_place *place)
{
    struct error error;
    if (place->state == PLACE_CLOSED && clock_now_ns() >= place->retry_at_ns)
        note_try(set, place, live_set_try(set, place, &error), &error);
}

static bool is_lost(const struct live_set *set, const struct live_place *place)
{
    return place->by_glob && place->state == PLACE_CLOSED && !is_there(set, place);
}

void live_set_follow(struct live_set *set)
{
    set->follow_at_ns = clock_now_ns() + RETRY_MS * NS_PER_MS;
    if (live_set_find(set, "any") != NULL)
        link_names_put(set->names, set->links);
    for (unsigned i = set->places_count; i-- > 0;)
        check_link(set, set->places[i]);
    for (unsigned i = set->places_count; i-- > 0;)
        if (is_lost(set, set->places[i]))
            forget(set, set->places[i]);
    live_set_add_places(set);
    for (unsigned i = set->places_count; i-- > 0;)
        try_again(set, set->places[i]);
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
    take_back(set);
    settle(set);
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
        if (set->places[i]->handle != NULL || is_there(set, set->places[i]))
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
