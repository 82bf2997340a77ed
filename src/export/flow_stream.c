// Flows streamed as they end: --expired-flows-jsonl and --expired-flows-csv.
#include <stdlib.h>

#include "export/compressor.h"
#include "export/flow_format.h"
#include "export/flow_writer.h"

struct flow_stream {
    struct flow_writer writer;
    struct flow_format *format;
    struct output_file *file; // NULL once closed
    struct compressor compressor;
};

static struct flow_stream *stream_of(struct flow_writer *writer)
{
    return (struct flow_stream *)writer;
}

static void stream_take(struct flow_writer *writer, const struct flow_event *event, int64_t now_ns)
{
    struct flow_stream *stream = stream_of(writer);
    size_t length;
    if (event->record.event == FLOW_BEGAN)
        return;
    const char *line = flow_format_line(stream->format, event, &length);
    if (line != NULL)
        output_file_add(stream->file, line, length, now_ns);
    else
        output_file_lose(stream->file, 1, "no memory");
}

static void stream_idle(struct flow_writer *writer, int64_t now_ns)
{
    output_file_flush(stream_of(writer)->file, now_ns);
}

static void stream_reopen(struct flow_writer *writer, int64_t now_ns)
{
    output_file_follow(stream_of(writer)->file, now_ns);
}

static bool stream_close(struct flow_writer *writer, struct error *error)
{
    struct flow_stream *stream = stream_of(writer);
    struct output_file *file = stream->file;
    stream->file = NULL;
    bool complete = output_file_close(file, error);
    compressor_wait(&stream->compressor);
    return complete;
}

static void stream_destroy(struct flow_writer *writer)
{
    struct flow_stream *stream = stream_of(writer);
    struct error ignored;
    flow_writer_done(writer);
    if (stream->file != NULL)
        output_file_close(stream->file, &ignored);
    compressor_wait(&stream->compressor);
    flow_format_destroy(stream->format);
    free(stream);
}

static const struct flow_writer_ops stream_rows = {
    .take = stream_take,
    .idle = stream_idle,
    .reopen = stream_reopen,
    .close = stream_close,
    .destroy = stream_destroy,
};

static void compress(void *owner, const char *path)
{
    struct flow_stream *stream = owner;
    compressor_start(&stream->compressor, path);
}

static struct output_file *open_output(struct flow_stream *stream, const char *path,
                                       const struct export_options *options, struct error *error)
{
    struct output_options output = {
        .component = "export",
        .unit = "records",
        .mode = OUTPUT_MODE,
        .append = options->append,
        .rotate_bytes = options->rotate_bytes,
        .max_files = options->max_files,
        .min_free_bytes = options->min_free_bytes,
        .gives_up = options->gives_up,
        .keep_trying = options->live,
        .head = flow_format_head(stream->format),
        .tail = flow_format_tail(stream->format),
        .owner = stream,
        .completed = options->compress && options->max_files != 1 ? compress : NULL,
    };
    return output_file_open(path, &output, &stream->writer.counts, error);
}

static struct sink *create(enum flow_format_kind kind, const char *path, const struct export_options *options,
                           struct error *error)
{
    struct flow_stream *stream = calloc(1, sizeof *stream);
    struct flow_format *format = flow_format_create(kind);
    if (stream == NULL || format == NULL) {
        error_set(error, ERROR_EXHAUSTED, "no memory to write %s", path);
        flow_format_destroy(format);
        free(stream);
        return NULL;
    }
    stream->format = format;
    stream->file = open_output(stream, path, options, error);
    if (stream->file == NULL) {
        flow_format_destroy(format);
        free(stream);
        return NULL;
    }
    if (!flow_writer_start(&stream->writer, path, &stream_rows, options, error)) {
        stream_destroy(&stream->writer);
        return NULL;
    }
    return &stream->writer.sink;
}

struct sink *stream_jsonl_create(const char *path, const struct export_options *options, struct error *error)
{
    return create(FORMAT_JSONL, path, options, error);
}

struct sink *stream_csv_create(const char *path, const struct export_options *options, struct error *error)
{
    return create(FORMAT_CSV, path, options, error);
}
