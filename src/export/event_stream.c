// Events streamed as they come: --expired-flows-jsonl, --expired-flows-csv, --alerts-jsonl.
#include <stdlib.h>

#include "export/compressor.h"
#include "export/event_format.h"
#include "export/event_writer.h"

struct event_stream {
    struct event_writer writer;
    struct event_format *format;
    struct output_file *file; // NULL once closed
    struct compressor compressor;
};

static struct event_stream *stream_of(struct event_writer *writer)
{
    return (struct event_stream *)writer;
}

static void stream_take(struct event_writer *writer, const void *event, int64_t now_ns)
{
    struct event_stream *stream = stream_of(writer);
    size_t length;
    const char *line = event_format_line(stream->format, event, &length);
    if (line != NULL)
        output_file_add(stream->file, line, length, now_ns);
    else
        output_file_lose(stream->file, 1, "no memory");
}

static void stream_take_flow(struct event_writer *writer, const void *event, int64_t now_ns)
{
    const struct flow_event *flow = event;
    if (flow->record.event != FLOW_BEGAN)
        stream_take(writer, event, now_ns);
}

static void stream_idle(struct event_writer *writer, int64_t now_ns)
{
    output_file_flush(stream_of(writer)->file, now_ns);
}

static void stream_reopen(struct event_writer *writer, int64_t now_ns)
{
    output_file_follow(stream_of(writer)->file, now_ns);
}

static bool stream_close(struct event_writer *writer, struct error *error)
{
    struct event_stream *stream = stream_of(writer);
    struct output_file *file = stream->file;
    stream->file = NULL;
    bool complete = output_file_close(file, error);
    compressor_wait(&stream->compressor);
    return complete;
}

static void stream_destroy(struct event_writer *writer)
{
    struct event_stream *stream = stream_of(writer);
    struct error ignored;
    event_writer_done(writer);
    if (stream->file != NULL)
        output_file_close(stream->file, &ignored);
    compressor_wait(&stream->compressor);
    event_format_destroy(stream->format);
    free(stream);
}

#define STREAM_OPS(take_one)                                                                                 \
    {                                                                                                        \
        .take = (take_one), .idle = stream_idle, .reopen = stream_reopen, .close = stream_close,             \
        .destroy = stream_destroy                                                                            \
    }
static const struct event_writer_ops flow_ops = STREAM_OPS(stream_take_flow),
                                     alert_ops = STREAM_OPS(stream_take);

struct stream_row {
    const struct event_writer_ops *ops;
    const struct event_layout *layout;
    const struct event_vocabulary *vocabulary;
    enum format_kind kind;
};
static const struct stream_row flows_jsonl = {&flow_ops, &flow_events_layout, &flow_vocabulary, FORMAT_JSONL},
                               flows_csv = {&flow_ops, &flow_events_layout, &flow_vocabulary, FORMAT_CSV},
                               alerts_jsonl = {&alert_ops, &alert_events_layout, &alert_vocabulary,
                                               FORMAT_JSONL};

static void compress(void *owner, const char *path)
{
    struct event_stream *stream = owner;
    compressor_start(&stream->compressor, path);
}

static struct output_file *open_output(struct event_stream *stream, const char *path,
                                       const struct export_options *options, struct error *error)
{
    struct output_options output = {
        .component = "export",
        .unit = "records",
        .mode = EXPORT_FILE_MODE,
        .append = options->append,
        .rotate_bytes = options->rotate_bytes,
        .max_files = options->max_files,
        .min_free_bytes = options->min_free_bytes,
        .gives_up = options->gives_up,
        .keep_trying = options->live,
        .head = event_format_head(stream->format),
        .tail = event_format_tail(stream->format),
        .owner = stream,
        .completed = options->compress && options->max_files != 1 ? compress : NULL,
    };
    return output_file_open(path, &output, &stream->writer.counts, error);
}

static bool start(struct event_stream *stream, const struct stream_row *row, const char *path,
                  const struct export_options *options, struct error *error)
{
    struct event_writer_setup setup = {
        .name = path,
        .ops = row->ops,
        .layout = row->layout,
        .events = options->events,
        .policy = event_writer_policy(options),
    };
    return event_writer_start(&stream->writer, &setup, error);
}

static struct sink *create(const struct stream_row *row, const char *path,
                           const struct export_options *options, struct error *error)
{
    struct event_stream *stream = calloc(1, sizeof *stream);
    struct event_format *format = event_format_create(row->vocabulary, row->kind);
    if (stream == NULL || format == NULL) {
        error_set(error, ERROR_EXHAUSTED, "no memory to write %s", path);
        event_format_destroy(format);
        free(stream);
        return NULL;
    }
    stream->format = format;
    stream->file = open_output(stream, path, options, error);
    if (stream->file == NULL) {
        event_format_destroy(format);
        free(stream);
        return NULL;
    }
    if (!start(stream, row, path, options, error)) {
        stream_destroy(&stream->writer);
        return NULL;
    }
    return &stream->writer.sink;
}

struct sink *stream_jsonl_create(const char *path, const struct export_options *options, struct error *error)
{
    return create(&flows_jsonl, path, options, error);
}

struct sink *stream_csv_create(const char *path, const struct export_options *options, struct error *error)
{
    return create(&flows_csv, path, options, error);
}

struct sink *stream_alerts_create(const char *path, const struct export_options *options, struct error *error)
{
    return create(&alerts_jsonl, path, options, error);
}
