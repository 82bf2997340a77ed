#include "control/check.h"

#include <string.h>
#include <sys/stat.h>

#include "aggregate/naming.h"
#include "capture/chunk.h"
#include "capture/file/file_source.h"
#include "capture/filter.h"
#include "detect/allow_list.h"

enum { CHECK_CHUNKS = 4, LINK_TYPE_ETHERNET = 1, LINK_TYPE_SLL2 = 276 };

// Nothing that is gone once it was read, and nothing that makes the check wait.
static bool can_be_read_twice(const struct string_list *paths)
{
    struct stat status;
    for (unsigned i = 0; i < paths->count; i++)
        if (stat(paths->items[i], &status) != 0 || !(S_ISREG(status.st_mode) || S_ISDIR(status.st_mode)))
            return false;
    return paths->count > 0;
}

// Opens the files for their link type, as the run will. What is wrong with the files themselves is no
// matter of the settings: then *known is false.
static bool check_on_files(const struct capture_settings *capture, bool *known, struct error *error)
{
    struct chunk_pool *pool = chunk_pool_create(CHECK_CHUNKS, CHUNK_BYTES);
    struct source *source =
        pool != NULL ? file_source_create(&capture->read_pcap, capture->filter, pool, error) : NULL;
    bool good = source != NULL;
    *known = good || (pool != NULL && error->kind == ERROR_INVALID_ARGUMENT);
    source_destroy(source);
    chunk_pool_destroy(pool);
    return good;
}

static bool captures_any(const struct capture_settings *capture)
{
    return capture->interfaces.count == 1 && strcmp(capture->interfaces.items[0], "any") == 0;
}

bool control_check_filter(const struct capture_settings *capture, struct error *error)
{
    if (capture->filter[0] == '\0')
        return true;
    bool live = capture->read_pcap.count == 0, known = false, good = false;
    if (can_be_read_twice(&capture->read_pcap))
        good = check_on_files(capture, &known, error);
    if (known)
        return good;
    uint16_t link_type = live && captures_any(capture) ? LINK_TYPE_SLL2 : LINK_TYPE_ETHERNET;
    return filter_check(capture->filter, link_type, live, error);
}

bool control_check_allow_list(const struct anomaly_settings *anomalies, struct error *error)
{
    struct allow_list *list = allow_list_create(&anomalies->allow, error);
    allow_list_destroy(list);
    return list != NULL;
}

bool control_check(const struct settings *settings, struct error *error)
{
    if (!control_check_filter(&settings->capture, error) ||
        !control_check_allow_list(&settings->analysis.anomalies, error))
        return false;
    struct naming *naming = naming_load(&settings->names, error);
    naming_destroy(naming);
    return naming != NULL;
}
