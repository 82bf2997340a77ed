// All flows of the run in one sorted file: --export-json and --export-csv.
#include <stdlib.h>
#include <string.h>

#include "capture/clock.h"
#include "export/event_format.h"
#include "export/event_writer.h"
#include "export/flow_spool.h"

enum { FLOWS_A_CLOCK = 256 }; // the time is asked for once in so many flows

struct flow_export {
    struct event_writer writer;
    struct event_format *format;
    struct flow_spool spool;
    struct output_file *file; // NULL once closed
    char *path;
};

static struct flow_export *export_of(struct event_writer *writer)
{
    return (struct flow_export *)writer;
}

static void export_take(struct event_writer *writer, const void *taken, int64_t now_ns)
{
    struct flow_export *export = export_of(writer);
    const struct flow_event *event = taken;
    size_t length;
    (void)now_ns;
    if (!event->record.final)
        return; // interim records of long flows are not for this output
    const char *line = event_format_line(export->format, event, &length);
    if (line != NULL)
        flow_spool_add(&export->spool, &event->record, line, length);
    else
        output_file_lose(export->file, 1, "no memory");
}

// Nothing to do before the end.
static void export_rest(struct event_writer *writer, int64_t now_ns)
{
    (void)writer;
    (void)now_ns;
}

static void write_sorted(struct flow_export *export)
{
    int64_t now_ns = clock_now_ns();
    size_t skipped = event_format_separator(export->format); // of the first line
    size_t length, count = 0;
    const char *line = flow_spool_next(&export->spool, &length);
    if (line != NULL)
        output_file_set_aside(export->file);
    for (; line != NULL; line = flow_spool_next(&export->spool, &length)) {
        if (++count % FLOWS_A_CLOCK == 0)
            now_ns = clock_now_ns();
        output_file_add(export->file, line + skipped, length - skipped, now_ns);
        skipped = 0;
    }
    if (export->spool.lost > 0)
        output_file_lose(export->file, export->spool.lost, export->spool.reason);
}

static bool export_close(struct event_writer *writer, struct error *error)
{
    struct flow_export *export = export_of(writer);
    struct output_file *file = export->file;
    flow_spool_sort(&export->spool);
    write_sorted(export);
    export->file = NULL;
    return output_file_close(file, error);
}

static void export_destroy(struct event_writer *writer)
{
    struct flow_export *export = export_of(writer);
    struct error ignored;
    event_writer_done(writer);
    if (export->file != NULL)
        output_file_close(export->file, &ignored);
    flow_spool_done(&export->spool);
    event_format_destroy(export->format);
    free(export->path);
    free(export);
}

static const struct event_writer_ops export_rows = {
    .take = export_take,
    .idle = export_rest,
    .reopen = export_rest,
    .close = export_close,
    .destroy = export_destroy,
};

static bool open_files(struct flow_export *export, const char *path, const struct export_options *options,
                       struct error *error)
{
    struct output_options output = {
        .component = "export",
        .unit = "records",
        .mode = EXPORT_FILE_MODE,
        .min_free_bytes = options->min_free_bytes,
        .gives_up = options->gives_up,
        .aside = true,
        .head = event_format_head(export->format),
        .tail = event_format_tail(export->format),
    };
    size_t sort_bytes = options->sort_bytes != 0 ? options->sort_bytes : EXPORT_BYTES;
    export->file = output_file_open(path, &output, &export->writer.counts, error);
    return export->file != NULL &&
           flow_spool_init(&export->spool, export->path, sort_bytes, options->min_free_bytes, error);
}

static struct flow_export *create_empty(enum format_kind kind, const char *path, struct error *error)
{
    struct flow_export *export = calloc(1, sizeof *export);
    struct event_format *format = event_format_create(&flow_vocabulary, kind);
    char *copy = strdup(path);
    if (export == NULL || format == NULL || copy == NULL) {
        error_set(error, ERROR_EXHAUSTED, "no memory to write %s", path);
        event_format_destroy(format);
        free(copy);
        free(export);
        return NULL;
    }
    export->format = format;
    export->path = copy;
    export->spool.fd = -1;
    return export;
}

static struct sink *create(enum format_kind kind, const char *path, const struct export_options *options,
                           struct error *error)
{
    struct flow_export *export = create_empty(kind, path, error);
    if (export == NULL)
        return NULL;
    struct event_writer_setup setup = {
        .name = path,
        .ops = &export_rows,
        .layout = &flow_events_layout,
        .events = options->events,
        .policy = event_writer_policy(options),
    };
    if (!open_files(export, path, options, error) || !event_writer_start(&export->writer, &setup, error)) {
        export_destroy(&export->writer);
        return NULL;
    }
    return &export->writer.sink;
}

struct sink *export_json_create(const char *path, const struct export_options *options, struct error *error)
{
    return create(FORMAT_JSON_ARRAY, path, options, error);
}

struct sink *export_csv_create(const char *path, const struct export_options *options, struct error *error)
{
    return create(FORMAT_CSV, path, options, error);
}
