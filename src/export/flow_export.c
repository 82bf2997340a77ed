// All flows of the run in one sorted file: --export-json and --export-csv.
#include <stdlib.h>
#include <string.h>

#include "capture/clock.h"
#include "export/flow_format.h"
#include "export/flow_spool.h"
#include "export/flow_writer.h"

enum { FLOWS_A_CLOCK = 256 }; // the time is asked for once in so many flows

struct flow_export {
    struct flow_writer writer;
    struct flow_format *format;
    struct flow_spool spool;
    struct output_file *file; // NULL once closed
    char *path;
};

static struct flow_export *export_of(struct flow_writer *writer)
{
    return (struct flow_export *)writer;
}

static void export_take(struct flow_writer *writer, const struct flow_event *event, int64_t now_ns)
{
    struct flow_export *export = export_of(writer);
    size_t length;
    (void)now_ns;
    if (!event->record.final)
        return; // interim records of long flows are not for this output
    const char *line = flow_format_line(export->format, event, &length);
    if (line != NULL)
        flow_spool_add(&export->spool, &event->record, line, length);
    else
        output_file_lose(export->file, 1, "no memory");
}

// Nothing to do before the end.
static void export_rest(struct flow_writer *writer, int64_t now_ns)
{
    (void)writer;
    (void)now_ns;
}

static void write_sorted(struct flow_export *export)
{
    int64_t now_ns = clock_now_ns();
    size_t skipped = flow_format_separator(export->format); // of the first line
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

static bool export_close(struct flow_writer *writer, struct error *error)
{
    struct flow_export *export = export_of(writer);
    struct output_file *file = export->file;
    flow_spool_sort(&export->spool);
    write_sorted(export);
    export->file = NULL;
    return output_file_close(file, error);
}

static void export_destroy(struct flow_writer *writer)
{
    struct flow_export *export = export_of(writer);
    struct error ignored;
    flow_writer_done(writer);
    if (export->file != NULL)
        output_file_close(export->file, &ignored);
    flow_spool_done(&export->spool);
    flow_format_destroy(export->format);
    free(export->path);
    free(export);
}

static const struct flow_writer_ops export_rows = {
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
        .mode = OUTPUT_MODE,
        .min_free_bytes = options->min_free_bytes,
        .gives_up = options->gives_up,
        .aside = true,
        .head = flow_format_head(export->format),
        .tail = flow_format_tail(export->format),
    };
    export->file = output_file_open(path, &output, &export->writer.counts, error);
    return export->file != NULL &&
           flow_spool_init(&export->spool, export->path, EXPORT_BYTES, options->min_free_bytes, error);
}

static struct flow_export *create_empty(enum flow_format_kind kind, const char *path, struct error *error)
{
    struct flow_export *export = calloc(1, sizeof *export);
    struct flow_format *format = flow_format_create(kind);
    char *copy = strdup(path);
    if (export == NULL || format == NULL || copy == NULL) {
        error_set(error, ERROR_EXHAUSTED, "no memory to write %s", path);
        flow_format_destroy(format);
        free(copy);
        free(export);
        return NULL;
    }
    export->format = format;
    export->path = copy;
    export->spool.fd = -1;
    return export;
}

static struct sink *create(enum flow_format_kind kind, const char *path, const struct export_options *options,
                           struct error *error)
{
    struct flow_export *export = create_empty(kind, path, error);
    if (export == NULL)
        return NULL;
    if (!open_files(export, path, options, error) ||
        !flow_writer_start(&export->writer, path, &export_rows, options, error)) {
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
