#include "app/reopener.h"

#include <stdlib.h>

#include "app/signals.h"
#include "export/export.h"

struct reopener {
    struct sink sink; // first
    struct sink *const *files;
    unsigned count;
};

static void reopen_files(struct sink *sink, const struct totals *totals, int64_t now_ns)
{
    const struct reopener *reopener = (const struct reopener *)sink;
    (void)totals;
    (void)now_ns;
    if (!signals_take_hangup())
        return;
    for (unsigned i = 0; i < reopener->count; i++)
        export_reopen(reopener->files[i]);
}

static void destroy_reopener(struct sink *sink)
{
    free(sink);
}

static const struct sink_ops reopener_ops = {
    .name = "reopener", .tick = reopen_files, .destroy = destroy_reopener};

struct sink *reopener_create(struct sink *const *files, unsigned count)
{
    struct reopener *reopener = calloc(1, sizeof *reopener);
    if (reopener == NULL)
        return NULL;
    *reopener = (struct reopener){.sink = {.ops = &reopener_ops}, .files = files, .count = count};
    return &reopener->sink;
}
