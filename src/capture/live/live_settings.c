#include "capture/live/live_settings.h"

#include <stdlib.h>
#include <string.h>

static bool copy_list(struct string_list *to, const struct string_list *from)
{
    to->items = calloc(from->count + 1, sizeof *to->items);
    if (to->items == NULL)
        return false;
    for (; to->count < from->count; to->count++) {
        to->items[to->count] = strdup(from->items[to->count]);
        if (to->items[to->count] == NULL)
            return false;
    }
    return true;
}

static void free_list(struct string_list *list)
{
    for (unsigned i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
}

struct capture_settings *live_settings_copy(const struct capture_settings *settings, struct error *error)
{
    struct capture_settings *copy = malloc(sizeof *copy);
    if (copy == NULL) {
        error_set(error, ERROR_EXHAUSTED, "no memory for the settings of the capture");
        return NULL;
    }
    *copy = *settings;
    copy->interfaces = copy->exclude_interfaces = copy->read_pcap = (struct string_list){.items = NULL};
    copy->filter = strdup(settings->filter);
    if (copy->filter != NULL && copy_list(&copy->interfaces, &settings->interfaces) &&
        copy_list(&copy->exclude_interfaces, &settings->exclude_interfaces))
        return copy;
    live_settings_free(copy);
    error_set(error, ERROR_EXHAUSTED, "no memory for the settings of the capture");
    return NULL;
}

void live_settings_free(struct capture_settings *settings)
{
    if (settings == NULL)
        return;
    free_list(&settings->interfaces);
    free_list(&settings->exclude_interfaces);
    free(settings->filter);
    free(settings);
}
