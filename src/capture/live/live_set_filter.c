#include "capture/live/live_set_filter.h"

#include <assert.h>

#include "capture/live/live_filter.h"

static void free_programs(struct bpf_program **programs, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        live_filter_free(programs[i]);
}

// The filter for every open handle, by place; NULL for others. False, with none, when it is not valid for one.
static bool compile_all(const struct live_set *set, const char *filter, struct bpf_program **programs,
                        struct error *error)
{
    for (unsigned i = 0; i < set->places_count; i++) {
        const struct live_place *place = set->places[i];
        programs[i] = NULL;
        if (place->state != PLACE_READ && place->state != PLACE_SETTLING)
            continue;
        programs[i] = live_filter_compile(place->handle, filter, error);
        if (programs[i] != NULL)
            continue;
        free_programs(programs, i);
        return false;
    }
    return true;
}

// Puts the programs of the first `count` places into the kernel; returns how many it took.
static unsigned attach_all(const struct live_set *set, struct bpf_program *const *programs, unsigned count)
{
    unsigned i = 0;
    while (i < count &&
           (programs[i] == NULL || set->places[i]->state != PLACE_READ || set->places[i]->handle->cooked ||
            live_filter_attach(set->places[i]->handle, programs[i])))
        i++;
    return i;
}

// Where libpcap sets filters, the thread that reads does it; `rest`: where it has not done so.
static void pass_on(const struct live_set *set, struct bpf_program **programs, bool rest)
{
    for (unsigned i = 0; i < set->places_count; i++) {
        struct live_handle *handle = set->places[i]->handle;
        if (programs[i] == NULL || set->places[i]->state != PLACE_READ || !handle->cooked ||
            (rest && atomic_load(&handle->filter_state) == LIVE_FILTER_SET))
            continue;
        live_filter_ask(handle, programs[i]);
        programs[i] = NULL;
    }
    live_exchange_wake(set->exchange->source_fd);
}

bool live_set_filter_ask(const struct live_set *set, const char *filter, struct error *error)
{
    struct bpf_program *programs[LIVE_INTERFACES_MAX];
    if (set->places_count == 0)
        return live_filter_check(filter, error);
    if (!compile_all(set, filter, programs, error))
        return false;
    pass_on(set, programs, false);
    free_programs(programs, set->places_count);
    return true;
}

static const struct live_place *refused_place(const struct live_set *set)
{
    for (unsigned i = 0; i < set->places_count; i++) {
        const struct live_place *place = set->places[i];
        if (place->state == PLACE_READ && atomic_load(&place->handle->filter_state) == LIVE_FILTER_REFUSED)
            return place;
    }
    return NULL;
}

static bool refuse_filter(const struct live_place *place, const char *filter, struct error *error)
{
    return error_set(error, ERROR_EXHAUSTED,
                     "the filter \"%s\" cannot be set on %s (too long for the kernel, or no memory): "
                     "the one before stays",
                     filter, place->device);
}

bool live_set_filter_put(const struct live_set *set, const char *filter, struct error *error)
{
    struct bpf_program *programs[LIVE_INTERFACES_MAX], *before[LIVE_INTERFACES_MAX];
    unsigned count = set->places_count;
    const struct live_place *refused = refused_place(set);
    if (refused != NULL)
        return refuse_filter(refused, filter, error);
    if (!compile_all(set, filter, programs, error))
        return false;
    if (!compile_all(set, set->settings->filter, before, error)) {
        free_programs(programs, count);
        return false;
    }
    unsigned taken = attach_all(set, programs, count);
    if (taken == count)
        pass_on(set, programs, true);
    else
        attach_all(set, before, taken);
    free_programs(programs, count);
    free_programs(before, count);
    return taken == count || refuse_filter(set->places[taken], filter, error);
}

bool live_set_filter_is_answered(const struct live_set *set)
{
    for (unsigned i = 0; i < set->places_count; i++)
        if (set->places[i]->state == PLACE_READ && !live_filter_is_answered(set->places[i]->handle))
            return false;
    return true;
}
