#include "capture/live/link_names.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(SOURCE_LINK_NAME_BYTES == IF_NAMESIZE, "a kernel's name fits");

struct link_names {
    pthread_mutex_t lock;
    char (*names)[SOURCE_LINK_NAME_BYTES]; // NULL until somebody needs them
};

struct link_names *link_names_create(struct error *error)
{
    struct link_names *names = calloc(1, sizeof *names);
    if (names == NULL)
        error_set(error, ERROR_EXHAUSTED, "no memory for the names of interfaces");
    else
        pthread_mutex_init(&names->lock, NULL);
    return names;
}

void link_names_destroy(struct link_names *names)
{
    if (names == NULL)
        return;
    pthread_mutex_destroy(&names->lock);
    free(names->names);
    free(names);
}

void link_names_put(struct link_names *names, const struct link_watch *watch)
{
    unsigned count;
    const struct link *links = link_watch_links(watch, &count);
    pthread_mutex_lock(&names->lock);
    if (names->names == NULL)
        names->names = calloc(SOURCE_LINKS, sizeof *names->names);
    for (unsigned i = 0; names->names != NULL && i < count; i++)
        memcpy(names->names[links[i].index % SOURCE_LINKS], links[i].name, SOURCE_LINK_NAME_BYTES);
    pthread_mutex_unlock(&names->lock);
}

bool link_names_get(struct link_names *names, uint32_t link, char name[SOURCE_LINK_NAME_BYTES])
{
    pthread_mutex_lock(&names->lock);
    bool known = names->names != NULL && names->names[link % SOURCE_LINKS][0] != 0;
    if (known)
        memcpy(name, names->names[link % SOURCE_LINKS], SOURCE_LINK_NAME_BYTES);
    pthread_mutex_unlock(&names->lock);
    return known;
}
