#include "app/reopener.h"

#include <stdlib.h>

#include "app/signals.h"
#include "capture/record/pcap_writer.h"
#include "export/export.h"

struct reopener {
    struct sink sink; // first
    struct sink *const *files;
    unsigned count;
    struct tap_consumer *recorder; // NULL = none
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
    if (reopener->recorder != NULL)
        pcap_writer_reopen(reopener->recorder);
}

static void destroy_reopener(struct sink *sink)
{
    free(sink);
}

static const struct sink_ops reopener_ops = {
    .name = "reopener", .tick = reopen_files, .destroy = destroy_reopener};

struct sink *reopener_create(struct sink *const *files, unsigned count, struct tap_consumer *recorder)
{
    struct reopener *reopener = calloc(1, sizeof *reopener);
    if (reopener == NULL)
        return NULL;
    *reopener = (struct reopener){
        .sink = {.ops = &reopener_ops}, .files = files, .count = count, .recorder = recorder};
    return &reopener->sink;
}
