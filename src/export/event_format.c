#include "export/event_format.h"

#include <stdlib.h>

#include "api/alert_message.h"
#include "api/csv.h"
#include "api/flow_message.h"
#include "api/json.h"
#include "base/output_file.h"
#include "base/strbuf.h"

struct event_format {
    const struct event_vocabulary *vocabulary;
    enum format_kind kind;
    struct message_plan *plan;
    void *message;
    struct strbuf head, line;
};

static void *create_flow(void)
{
    return flow_message_create();
}

static void destroy_flow(void *message)
{
    flow_message_destroy(message);
}

static const void *fill_flow(void *message, const void *event)
{
    return flow_message_fill(message, event);
}

const struct event_vocabulary flow_vocabulary = {flow_message_descriptor, create_flow, destroy_flow,
                                                 fill_flow};

static void *create_alert(void)
{
    return alert_message_create();
}

static void destroy_alert(void *message)
{
    alert_message_destroy(message);
}

static const void *fill_alert(void *message, const void *event)
{
    return alert_message_fill(message, event);
}

const struct event_vocabulary alert_vocabulary = {alert_message_descriptor, create_alert, destroy_alert,
                                                  fill_alert};

static void add_head(struct event_format *format)
{
    if (format->kind == FORMAT_CSV)
        csv_add_header(&format->head, format->plan);
    else if (format->kind == FORMAT_JSON_ARRAY)
        strbuf_add(&format->head, "[\n");
}

struct event_format *event_format_create(const struct event_vocabulary *vocabulary, enum format_kind kind)
{
    struct event_format *format = calloc(1, sizeof *format);
    if (format == NULL)
        return NULL;
    format->vocabulary = vocabulary;
    format->kind = kind;
    strbuf_init(&format->head, OUTPUT_BUFFER_BYTES);
    strbuf_init(&format->line, OUTPUT_BUFFER_BYTES);
    format->plan = message_plan_create(vocabulary->descriptor());
    format->message = vocabulary->create();
    if (format->plan != NULL && format->message != NULL)
        add_head(format);
    if (format->plan == NULL || format->message == NULL || format->head.failed) {
        event_format_destroy(format);
        return NULL;
    }
    return format;
}

void event_format_destroy(struct event_format *format)
{
    if (format == NULL)
        return;
    strbuf_done(&format->head);
    strbuf_done(&format->line);
    message_plan_destroy(format->plan);
    format->vocabulary->destroy(format->message);
    free(format);
}

const char *event_format_head(const struct event_format *format)
{
    return format->head.text;
}

const char *event_format_tail(const struct event_format *format)
{
    return format->kind == FORMAT_JSON_ARRAY ? "]\n" : "";
}

static void add_json_line(struct event_format *format, const void *message)
{
    if (format->kind == FORMAT_JSON_ARRAY)
        strbuf_add_char(&format->line, ',');
    json_add(&format->line, format->plan, message);
    strbuf_add_char(&format->line, '\n');
}

const char *event_format_line(struct event_format *format, const void *event, size_t *length)
{
    const void *message = format->vocabulary->fill(format->message, event);
    strbuf_clear(&format->line);
    if (format->kind == FORMAT_CSV)
        csv_add_row(&format->line, format->plan, message);
    else
        add_json_line(format, message);
    *length = format->line.length;
    return format->line.failed ? NULL : format->line.text;
}

size_t event_format_separator(const struct event_format *format)
{
    return format->kind == FORMAT_JSON_ARRAY ? 1 : 0;
}
