#include "capture/live/live_set.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/strbuf.h"
#include "base/time.h"
#include "capture/clock.h"
#include "capture/live/default_route.h"
#include "capture/live/interfaces.h"

enum { RETRY_MS = 1000 };

int64_t live_block_time_ns(const struct capture_settings *settings)
{
    return (2 * (int64_t)settings->timeout_ms + 5) * NS_PER_MS;
}

// --- Handles ---

static struct live_handle *find_handle(const struct live_set *set, const char *device)
{
    for (unsigned i = 0; i < set->handles_count; i++)
        if (strcmp(set->handles[i]->device, device) == 0)
            return set->handles[i];
    return NULL;
}

static bool find_row(struct live_set *set, const char *device, const char *word, uint16_t *index)
{
    unsigned rows = interface_list_count(&set->rows);
    for (unsigned i = 0; i < rows; i++)
        if (strcmp(set->rows.rows[i]->shown.name, device) == 0) {
            *index = (uint16_t)i;
            return true;
        }
    struct source_interface wanted = {.link_type = 0};
    snprintf(wanted.name, sizeof wanted.name, "%s", device);
    snprintf(wanted.configured, sizeof wanted.configured, "%s", word);
    if (!interface_list_add(&set->rows, &wanted, index))
        return false;
    atomic_store(&set->rows.rows[*index]->shown.up, false);
    return true;
}

// A closed handle for an interface; NULL when there are too many or memory is out.
static struct live_handle *add_handle(struct live_set *set, const char *device, const char *word,
                                      bool by_glob)
{
    struct live_handle *handle = set->handles_count < LIVE_INTERFACES_MAX ? calloc(1, sizeof *handle) : NULL;
    if (handle == NULL || !find_row(set, device, word, &handle->interface)) {
        if (!set->crowded)
            log_warning("capture", "%s is not captured: %d interfaces are the most", device,
                        LIVE_INTERFACES_MAX);
        set->crowded = true;
        free(handle);
        return NULL;
    }
    snprintf(handle->device, sizeof handle->device, "%s", device);
    handle->by_glob = by_glob;
    handle->is_any = strcmp(device, "any") == 0;
    handle->row = set->rows.rows[handle->interface];
    handle->row->drops.exact = !handle->is_any;
    set->handles[set->handles_count++] = handle;
    return handle;
}

static void remove_handle(struct live_set *set, unsigned at)
{
    live_handle_close(set->handles[at]);
    free(set->handles[at]);
    set->handles[at] = set->handles[--set->handles_count];
}

static bool is_present(const struct live_set *set, const struct live_handle *handle, const struct link **link)
{
    *link = link_by_name(set->links, handle->device);
    return *link != NULL || handle->is_any;
}

// Opens a closed handle when its interface is there and up.
static enum live_open_result try_open(struct live_set *set, struct live_handle *handle, struct error *error)
{
    const struct link *link;
    if (!is_present(set, handle, &link)) {
        error_set(error, ERROR_NOT_FOUND, "there is no interface %s", handle->device);
        return LIVE_MISSING;
    }
    if (link != NULL && !link->up) {
        error_set(error, ERROR_UNAVAILABLE, "the interface %s is down", handle->device);
        return LIVE_DOWN;
    }
    handle->retry_at_ns = clock_now_ns() + RETRY_MS * NS_PER_MS;
    enum live_open_result result = live_handle_open(handle, set->settings, link != NULL ? link->index : 0,
                                                    link != NULL && link->loopback, error);
    if (result == LIVE_OPENED)
        atomic_store(&handle->row->shown.up, link == NULL || link->running);
    return result;
}

// --- What the settings name ---

static bool is_excluded(const struct live_set *set, const char *name)
{
    const struct string_list *exclude = &set->settings->exclude_interfaces;
    if (exclude->count == 0)
        return strcmp(name, "lo") == 0;
    for (unsigned i = 0; i < exclude->count; i++)
        if (fnmatch(exclude->items[i], name, 0) == 0)
            return true;
    return false;
}

static void add_glob_matches(struct live_set *set, const char *glob)
{
    unsigned count;
    const struct link *links = link_watch_links(set->links, &count);
    for (unsigned i = 0; i < count; i++) {
        const char *name = links[i].name;
        if (fnmatch(glob, name, 0) == 0 && !is_excluded(set, name) && find_handle(set, name) == NULL)
            add_handle(set, name, glob, true);
    }
}

static void choose_auto(struct live_set *set, struct live_target *target)
{
    char name[IF_NAMESIZE];
    char why[96];
    if (!default_route_find(name, why, sizeof why))
        return;
    target->kind = TARGET_CHOSEN;
    snprintf(set->reason, sizeof set->reason, "capturing on %s: %s", name, why);
    log_info("capture", "%s", set->reason);
    if (find_handle(set, name) == NULL)
        add_handle(set, name, name, false);
}

static void add_targets(struct live_set *set)
{
    for (unsigned i = 0; i < set->targets_count; i++) {
        struct live_target *target = &set->targets[i];
        if (target->kind == TARGET_AUTO)
            choose_auto(set, target);
        else if (target->kind == TARGET_GLOB)
            add_glob_matches(set, target->word);
        else if (target->kind == TARGET_NAME && find_handle(set, target->word) == NULL)
            add_handle(set, target->word, target->word, false);
    }
}

static enum target_kind kind_of(const char *word)
{
    if (strcmp(word, "auto") == 0)
        return TARGET_AUTO;
    return strpbrk(word, "*?[") != NULL ? TARGET_GLOB : TARGET_NAME;
}

static bool read_targets(struct live_set *set, struct error *error)
{
    const struct string_list *words = &set->settings->interfaces;
    if (words->count > LIVE_TARGETS_MAX)
        return error_set(error, ERROR_INVALID_ARGUMENT,
                         "%u interfaces are named; %d are the most (a glob names many)", words->count,
                         LIVE_TARGETS_MAX);
    for (unsigned i = 0; i < words->count; i++) {
        const char *word = words->items[i];
        set->targets[set->targets_count++] = (struct live_target){.word = word, .kind = kind_of(word)};
    }
    if (words->count == 0)
        set->targets[set->targets_count++] = (struct live_target){.word = "auto", .kind = TARGET_AUTO};
    return true;
}

// --- Start ---

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

// At the start: a missing interface ends the run, unless it is waited for; one that is down never does.
static bool open_first(struct live_set *set, struct live_handle *handle, struct error *error)
{
    bool wait = set->settings->on_missing == ON_MISSING_WAIT;
    switch (try_open(set, handle, error)) {
    case LIVE_OPENED:
        return true;
    case LIVE_DOWN:
        log_warning("capture", "%s; it is captured when it comes up", error->text);
        return true;
    case LIVE_MISSING:
        if (!wait && !handle->by_glob) {
            char what[96];
            snprintf(what, sizeof what, "there is no interface %s", handle->device);
            return missing(error, what);
        }
        log_warning("capture", "there is no interface %s; it is waited for", handle->device);
        return true;
    case LIVE_NO_PERMISSION:
    case LIVE_BAD_FILTER:
        return false;
    case LIVE_FAILED:
        break;
    }
    if (handle->by_glob || wait)
        log_warning("capture", "%s", error->text);
    return handle->by_glob || wait;
}

static bool open_all(struct live_set *set, struct error *error)
{
    add_targets(set);
    bool wait = set->settings->on_missing == ON_MISSING_WAIT;
    for (unsigned i = 0; i < set->targets_count; i++) {
        const struct live_target *target = &set->targets[i];
        if (target->kind == TARGET_AUTO && !wait)
            return missing(error, "there is no default route to choose an interface by");
        if (target->kind == TARGET_AUTO)
            log_warning("capture", "there is no default route to choose an interface by; it is waited for");
    }
    for (unsigned i = 0; i < set->handles_count; i++)
        if (!open_first(set, set->handles[i], error))
            return false;
    if (set->handles_count == 0)
        log_warning("capture", "no interface matches yet; those that come are captured");
    return true;
}

// --- Following the links ---

static void check_link(struct live_set *set, struct live_handle *handle)
{
    if (handle->pcap == NULL || handle->is_any)
        return;
    const struct link *link = link_by_index(set->links, handle->kernel_index);
    bool gone = link == NULL || strcmp(link->name, handle->device) != 0;
    if (gone && !handle->gone)
        handle->gone_until_ns = clock_now_ns() + live_block_time_ns(set->settings);
    handle->gone = gone;
    atomic_store(&handle->row->shown.up, !handle->gone && link->up && link->running);
}

static void try_again(struct live_set *set, struct live_handle *handle)
{
    struct error error;
    if (handle->pcap != NULL || clock_now_ns() < handle->retry_at_ns)
        return;
    enum live_open_result result = try_open(set, handle, &error);
    if (result == LIVE_OPENED)
        log_info("capture", "%s is captured", handle->device);
    else if (result != LIVE_MISSING && result != LIVE_DOWN && !handle->complained)
        log_warning("capture", "%s", error.text);
    handle->complained = result != LIVE_OPENED && result != LIVE_MISSING && result != LIVE_DOWN;
}

// Handles of interfaces behind a glob that went while they were down.
static void forget_missing(struct live_set *set)
{
    for (unsigned i = set->handles_count; i-- > 0;) {
        const struct live_handle *handle = set->handles[i];
        if (handle->by_glob && handle->pcap == NULL && link_by_name(set->links, handle->device) == NULL)
            remove_handle(set, i);
    }
}

void live_set_follow(struct live_set *set)
{
    set->retry_at_ns = clock_now_ns() + RETRY_MS * NS_PER_MS;
    for (unsigned i = 0; i < set->handles_count; i++)
        check_link(set, set->handles[i]);
    forget_missing(set);
    add_targets(set);
    for (unsigned i = 0; i < set->handles_count; i++)
        try_again(set, set->handles[i]);
}

bool live_set_is_pending(const struct live_set *set)
{
    for (unsigned i = 0; i < set->targets_count; i++)
        if (set->targets[i].kind == TARGET_GLOB || set->targets[i].kind == TARGET_AUTO)
            return true;
    for (unsigned i = 0; i < set->handles_count; i++)
        if (set->handles[i]->pcap != NULL || link_by_name(set->links, set->handles[i]->device) != NULL)
            return true;
    return set->settings->on_missing == ON_MISSING_WAIT;
}

void live_set_remove(struct live_set *set, unsigned at)
{
    struct live_handle *handle = set->handles[at];
    log_warning("capture", "the interface %s was removed", handle->device);
    live_handle_close(handle);
    handle->retry_at_ns = 0;
    if (handle->by_glob)
        remove_handle(set, at);
    set->retry_at_ns = 0;
}

void live_set_mend(struct live_set *set, struct live_handle *handle)
{
    const struct link *link = link_by_index(set->links, handle->kernel_index);
    if (handle->gone || (link != NULL && !link->up))
        return;
    log_warning("capture", "%s cannot be read; it is opened again", handle->device);
    live_handle_abandon(handle);
    handle->retry_at_ns = clock_now_ns() + RETRY_MS * NS_PER_MS;
}

bool live_set_open(struct live_set *set, const struct capture_settings *settings, struct error *error)
{
    set->settings = settings;
    set->retry_at_ns = clock_now_ns() + RETRY_MS * NS_PER_MS;
    set->links = link_watch_open(error);
    return set->links != NULL && read_targets(set, error) && open_all(set, error);
}

void live_set_close(struct live_set *set)
{
    while (set->handles_count > 0)
        remove_handle(set, set->handles_count - 1);
    link_watch_close(set->links);
    interface_list_done(&set->rows);
}
