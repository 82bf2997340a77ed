#include "export/flow_format.h"

#include <stdlib.h>

#include "api/csv.h"
#include "api/flow_message.h"
#include "api/json.h"
#include "base/output_file.h"
#include "base/strbuf.h"

struct flow_format {
    enum flow_format_kind kind;
    struct message_plan *plan;
    struct flow_message *message;
    struct strbuf head, line;
};

static void add_head(struct flow_format *format)
{
    if (format->kind == FORMAT_CSV)
        csv_add_header(&format->head, format->plan);
    else if (format->kind == FORMAT_JSON_ARRAY)
        strbuf_add(&format->head, "[\n");
}

struct flow_format *flow_format_create(enum flow_format_kind kind)
{
    struct flow_format *format = calloc(1, sizeof *format);
    if (format == NULL)
        return NULL;
    format->kind = kind;
    strbuf_init(&format->head, OUTPUT_BUFFER_BYTES);
    strbuf_init(&format->line, OUTPUT_BUFFER_BYTES);
    format->plan = message_plan_create(flow_message_descriptor());
    format->message = flow_message_create();
    if (format->plan != NULL && format->message != NULL)
        add_head(format);
    if (format->plan == NULL || format->message == NULL || format->head.failed) {
        flow_format_destroy(format);
        return NULL;
    }
    return format;
}

void flow_format_destroy(struct flow_format *format)
{
    if (format == NULL)
        return;
    strbuf_done(&format->head);
    strbuf_done(&format->line);
    message_plan_destroy(format->plan);
    flow_message_destroy(format->message);
    free(format);
}

const char *flow_format_head(const struct flow_format *format)
{
    return format->head.text;
}

const char *flow_format_tail(const struct flow_format *format)
{
    return format->kind == FORMAT_JSON_ARRAY ? "]\n" : "";
}

static void add_json_line(struct flow_format *format, const void *message)
{
    if (format->kind == FORMAT_JSON_ARRAY)
        strbuf_add_char(&format->line, ',');
    json_add(&format->line, format->plan, message);
    strbuf_add_char(&format->line, '\n');
}

const char *flow_format_line(struct flow_format *format, const struct flow_event *event, size_t *length)
{
    const void *message = flow_message_fill(format->message, event);
    strbuf_clear(&format->line);
    if (format->kind == FORMAT_CSV)
        csv_add_row(&format->line, format->plan, message);
    else
        add_json_line(format, message);
    *length = format->line.length;
    return format->line.failed ? NULL : format->line.text;
}

size_t flow_format_separator(const struct flow_format *format)
{
    return format->kind == FORMAT_JSON_ARRAY ? 1 : 0;
}
