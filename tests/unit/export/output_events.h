// What the tests of exports share: a directory for the files, a log of events that comes and goes with it, and the end of
// an output.
#pragma once

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "../base/output_directory.h"
#include "export/export.h"

static struct error error;
static struct event_log *events;

static inline void begin_with(struct event_log *log)
{
    make_output_directory();
    events = log;
}

static inline void end(void)
{
    event_log_destroy(events);
    drop_output_directory();
}

// Whether it is complete; `error` says why not.
static inline bool finish(struct sink *sink, struct export_counts *counts)
{
    bool complete = sink->ops->finish(sink, NULL, &error);
    export_counts(sink, counts);
    sink->ops->destroy(sink);
    return complete;
}

static inline void finish_whole(struct sink *sink, struct export_counts *counts)
{
    cr_assert(finish(sink, counts), "%s", error.text);
}
