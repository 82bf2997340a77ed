#include "aggregate/name_search.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate/namer.h"
#include "capture/clock.h"
#include "pipeline/messages.h"

enum { SLICE_COMPARISONS = 32768, LOOKS_A_ROW = 16 };

static void destroy(struct message *message)
{
    struct name_search *search = (struct name_search *)message;
    filter_names_destroy(search->names);
    for (unsigned i = 0; i < search->namespace_count; i++)
        free(search->namespaces[i]);
    free(search->namespaces);
    free(search->prefixes);
    free(search->places);
    free(search);
}

static const struct message_ops search_ops = {.destroy = destroy};

struct name_search *name_search_create(const struct filter_name *names, unsigned count, int64_t deadline_ns)
{
    struct name_search *search = calloc(1, sizeof *search);
    if (search == NULL)
        return NULL;
    message_init(&search->message, MESSAGE_SERVICE, &search_ops, 1, deadline_ns);
    search->names = filter_names_prepare(names, count);
    search->prefixes = calloc(FILTER_NAMED_PREFIXES, sizeof *search->prefixes);
    if (search->names != NULL && search->prefixes != NULL)
        return search;
    destroy(&search->message);
    return NULL;
}

static bool copy_namespaces(struct name_search *search, const char *const *namespaces, unsigned count)
{
    search->namespaces = calloc(count, sizeof *search->namespaces);
    bool good = search->namespaces != NULL;
    for (unsigned i = 0; good && i < count; i++) {
        search->namespaces[i] = strdup(namespaces[i]);
        search->namespace_count = i + 1;
        good = search->namespaces[i] != NULL;
    }
    return good;
}

struct name_search *name_search_create_places(const char *const *namespaces, unsigned count,
                                              int64_t deadline_ns)
{
    struct name_search *search = calloc(1, sizeof *search);
    assert(count > 0);
    if (search == NULL)
        return NULL;
    message_init(&search->message, MESSAGE_SERVICE, &search_ops, 1, deadline_ns);
    search->places = calloc(FILTER_NAMED_PREFIXES, sizeof *search->places);
    if (search->places != NULL && copy_namespaces(search, namespaces, count))
        return search;
    destroy(&search->message);
    return NULL;
}

static bool is_of_namespace(const struct name_search *search, const struct name_row *row)
{
    for (unsigned i = 0; row != NULL && i < search->namespace_count; i++)
        if (strcmp(row->name_space, search->namespaces[i]) == 0)
            return true;
    return false;
}

// A row that is as the one around it changes nothing. False when there are too many.
static bool look_at_row(struct name_search *search, const struct namer *namer, size_t place)
{
    const struct name_row *outer, *row = namer_row_at(namer, place, &outer);
    bool is_in = is_of_namespace(search, row);
    if (row == NULL || is_in == is_of_namespace(search, outer))
        return true;
    if (search->count == FILTER_NAMED_PREFIXES)
        return error_set(&search->error, ERROR_EXHAUSTED,
                         "the namespace has more than %d networks in names.file: write larger ones there",
                         FILTER_NAMED_PREFIXES);
    search->places[search->count++] = (struct filter_place){row->prefix, !is_in};
    return true;
}

// False when there are too many.
static bool look_at(struct name_search *search, const struct namer *namer, size_t place)
{
    struct prefix prefix;
    const char *name = namer_name_at(namer, place, &prefix);
    if (name == NULL || !filter_names_fit(search->names, name))
        return true;
    if (search->count == FILTER_NAMED_PREFIXES)
        return error_set(&search->error, ERROR_INVALID_ARGUMENT,
                         "more than %d addresses have such a name: ask for a longer one",
                         FILTER_NAMED_PREFIXES);
    search->prefixes[search->count++] = prefix;
    return true;
}

static void begin_again(struct name_search *search, const void *naming)
{
    search->naming = naming;
    search->next = 0;
    search->count = 0;
}

bool name_search_serve(struct name_search *search, const struct namer *namer)
{
    const void *naming;
    size_t places = namer_places(namer, &naming);
    if (!message_is_wanted(&search->message, clock_now_ns()))
        return !error_set(&search->error, ERROR_CANCELLED, "nobody waits for these names any more");
    if (naming != search->naming)
        begin_again(search, naming);
    assert(search->next <= places && search->count <= FILTER_NAMED_PREFIXES);
    bool by_name = search->names != NULL;
    unsigned costs = by_name ? filter_names_count(search->names) + 1 : search->namespace_count + LOOKS_A_ROW;
    size_t end = search->next + SLICE_COMPARISONS / costs + 1;
    for (; search->next < places && search->next < end; search->next++)
        if (!(by_name ? look_at(search, namer, search->next) : look_at_row(search, namer, search->next)))
            return true;
    return search->next >= places;
}
