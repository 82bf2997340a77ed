#include "aggregate/naming.h"

#include <stdlib.h>
#include <string.h>

static void mark_beginnings(struct naming *naming, const struct prefix *prefix)
{
    unsigned first = prefix->address.bytes[0], others = prefix->bits < 8 ? 0xff >> prefix->bits : 0;
    for (unsigned byte = first; byte <= first + others; byte++)
        naming->local_begins[byte] = true;
}

static bool read_local(struct naming *naming, const struct string_list *list, struct error *error)
{
    naming->local = calloc(list->count + 1, sizeof *naming->local);
    if (naming->local == NULL)
        return error_set(error, ERROR_EXHAUSTED, "no memory for networks.local");
    for (unsigned i = 0; i < list->count; i++) {
        if (!prefix_parse(list->items[i], &naming->local[i]))
            return error_set(error, ERROR_INVALID_ARGUMENT,
                             "networks.local: '%s' is no CIDR (as 10.0.0.0/8, host bits zero)",
                             list->items[i]);
        mark_beginnings(naming, &naming->local[naming->local_count++]);
    }
    return true;
}

void names_settings_done(struct names_settings *settings)
{
    free(settings->file);
    for (unsigned i = 0; i < settings->local.count; i++)
        free(settings->local.items[i]);
    free(settings->local.items);
    *settings = (struct names_settings){0};
}

bool names_settings_copy(struct names_settings *to, const struct names_settings *from, struct error *error)
{
    *to = (struct names_settings){.file = strdup(from->file),
                                  .local.items = calloc(from->local.count + 1, sizeof(char *))};
    bool whole = to->file != NULL && to->local.items != NULL;
    for (unsigned i = 0; i < from->local.count && whole; i++) {
        to->local.items[i] = strdup(from->local.items[i]);
        whole = to->local.items[i] != NULL;
        to->local.count += whole;
    }
    if (whole)
        return true;
    names_settings_done(to);
    return error_set(error, ERROR_EXHAUSTED, "no memory for names.file");
}

struct naming *naming_load(const struct names_settings *settings, struct error *error)
{
    struct naming *naming = calloc(1, sizeof *naming);
    bool good = naming != NULL || error_set(error, ERROR_EXHAUSTED, "no memory for the names of addresses");
    good = good && names_settings_copy(&naming->settings, settings, error);
    good = good && read_local(naming, &settings->local, error);
    if (good && settings->file[0] != '\0') {
        naming->version = file_version_of(settings->file);
        naming->file = name_file_load(settings->file, error);
        good = naming->file != NULL;
    }
    if (good)
        return naming;
    naming_destroy(naming);
    return NULL;
}

void naming_destroy(struct naming *naming)
{
    if (naming == NULL)
        return;
    name_file_destroy(naming->file);
    free(naming->local);
    names_settings_done(&naming->settings);
    free(naming);
}

const struct name_row *naming_get(const struct naming *naming, const struct address *address)
{
    return naming->file != NULL ? name_file_get(naming->file, address) : NULL;
}

bool naming_is_local(const struct naming *naming, const struct address *address)
{
    if (!naming->local_begins[address->bytes[0]])
        return false;
    for (unsigned i = 0; i < naming->local_count; i++)
        if (prefix_contains(&naming->local[i], address))
            return true;
    return false;
}
