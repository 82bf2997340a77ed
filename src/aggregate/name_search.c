#include "aggregate/name_search.h"

#include <stdlib.h>
#include <string.h>

#include "aggregate/aggregate.h"
#include "pipeline/messages.h"

static void destroy(struct message *message)
{
    struct name_search *search = (struct name_search *)message;
    for (unsigned i = 0; i < search->name_count; i++)
        free((char *)(uintptr_t)search->names[i].text);
    free(search->names);
    free(search->prefixes);
    free(search);
}

static const struct message_ops search_ops = {.destroy = destroy};

struct name_search *name_search_create(const struct filter_name *names, unsigned count, int64_t deadline_ns)
{
    struct name_search *search = calloc(1, sizeof *search);
    if (search == NULL)
        return NULL;
    message_init(&search->message, MESSAGE_SERVICE, &search_ops, 1, deadline_ns);
    search->names = calloc(count + 1, sizeof *search->names);
    search->prefixes = calloc(FILTER_NAMED_PREFIXES, sizeof *search->prefixes);
    bool whole = search->names != NULL && search->prefixes != NULL;
    for (unsigned i = 0; whole && i < count && i < FILTER_VALUES; i++) {
        search->names[i] = (struct filter_name){.text = strdup(names[i].text), .suffix = names[i].suffix};
        whole = search->names[i].text != NULL;
        search->name_count++;
    }
    if (whole)
        return search;
    destroy(&search->message);
    return NULL;
}

static bool look_at(void *owner, const struct prefix *prefix, const char *name)
{
    struct name_search *search = owner;
    bool fits = false;
    for (unsigned i = 0; i < search->name_count && !fits; i++)
        fits = filter_name_fits(&search->names[i], name);
    if (!fits)
        return true;
    if (search->count == FILTER_NAMED_PREFIXES)
        return error_set(&search->error, ERROR_INVALID_ARGUMENT,
                         "more than %d addresses have such a name: ask for a longer one",
                         FILTER_NAMED_PREFIXES);
    search->prefixes[search->count++] = *prefix;
    return true;
}

void name_search_serve(struct name_search *search, const struct aggregate *aggregate)
{
    aggregate_visit_names(aggregate, look_at, search);
}
