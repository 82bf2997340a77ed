#include "capture/live/live_places.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/time.h"
#include "capture/clock.h"

struct live_place *live_places_find(const struct live_set *set, const char *device)
{
    for (unsigned i = 0; i < set->places_count; i++)
        if (strcmp(set->places[i]->device, device) == 0)
            return set->places[i];
    return NULL;
}

void live_places_add(struct live_set *set, const char *device, const char *word, bool by_glob)
{
    if (live_places_find(set, device) != NULL)
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

void live_places_forget(struct live_set *set, const struct live_place *place)
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

void live_place_close(struct live_set *set, struct live_place *place)
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
    place->retry_at_ns = failed ? clock_now_ns() + LIVE_RETRY_MS * NS_PER_MS : 0;
    set->closed_one = true;
    if (!failed)
        set->follow_at_ns = 0;
    if (place->unwanted || (place->by_glob && wish == LIVE_LEAVE_GONE))
        live_places_forget(set, place);
}

void live_places_take_back(struct live_set *set)
{
    struct live_handle *handle;
    while ((handle = live_exchange_take_back(set->exchange)) != NULL) {
        struct live_place *place = live_places_find(set, handle->device);
        assert(place != NULL && place->handle == handle);
        bool unwatched = place->state == PLACE_READ; // the source gave it up by itself
        assert(unwatched ? atomic_load(&handle->wish) == LIVE_ABANDON : place->state == PLACE_LEAVING);
        if (unwatched)
            log_warning("capture",
                        "%s is not read: the system watches no more sockets (memory, or "
                        "fs.epoll.max_user_watches); it is opened again",
                        place->device);
        live_place_close(set, place);
    }
}

void live_place_leave(struct live_set *set, struct live_place *place, enum live_wish how)
{
    assert(place->state == PLACE_READ);
    live_handle_seal(place->handle);
    place->state = PLACE_LEAVING;
    atomic_store(&place->handle->wish, how);
    live_exchange_wake(set->exchange->source_fd);
}

void live_place_end(struct live_set *set, struct live_place *place, enum live_wish how)
{
    place->unwanted = true;
    if (place->state == PLACE_READ)
        live_place_leave(set, place, how);
    else if (place->state == PLACE_SETTLING)
        live_place_close(set, place);
    else if (place->state == PLACE_CLOSED)
        live_places_forget(set, place);
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
        live_place_close(set, place);
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

bool live_place_is_there(const struct live_set *set, const struct live_place *place)
{
    return strcmp(place->device, "any") == 0 || link_by_name(set->links, place->device) != NULL;
}

enum live_open_result live_place_try(struct live_set *set, struct live_place *place, struct error *error)
{
    assert(place->state == PLACE_CLOSED);
    const struct link *link = link_by_name(set->links, place->device);
    if (!live_place_is_there(set, place)) {
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
    place->retry_at_ns = clock_now_ns() + LIVE_RETRY_MS * NS_PER_MS;
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

void live_place_try_again(struct live_set *set, struct live_place *place)
{
    struct error error;
    if (place->state == PLACE_CLOSED && clock_now_ns() >= place->retry_at_ns)
        note_try(set, place, live_place_try(set, place, &error), &error);
}

void live_places_settle(struct live_set *set)
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
