#include "api/csv.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/json.h"
#include "api/scalar.h"
#include "base/strbuf.h"
#include "base/time.h"

enum { LONGEST_COLUMN_NAME = 256 };

// The separator stands before every column but the first of the line.
static void next_column(struct strbuf *into, bool *first)
{
    if (!*first)
        strbuf_add_char(into, ',');
    *first = false;
}

// Puts what stands behind `from` in quotes when it needs them.
static void quote_from(struct strbuf *into, size_t from)
{
    if (into->failed || strpbrk(into->text + from, ",\"\r\n") == NULL)
        return;
    char *column = strdup(into->text + from);
    if (column == NULL) {
        into->failed = true;
        return;
    }
    into->length = from;
    strbuf_add_char(into, '"');
    for (const char *at = column; *at != '\0'; at++) {
        if (*at == '"')
            strbuf_add_char(into, '"');
        strbuf_add_char(into, *at);
    }
    strbuf_add_char(into, '"');
    free(column);
}

static void add_value(struct strbuf *into, const struct plan_field *field, const void *value)
{
    int64_t time_ns;
    if (value == NULL)
        return;
    if (field->kind == PLAN_TIMESTAMP) {
        if (scalar_time_ns(value, &time_ns))
            time_add_decimal(into, time_ns);
    } else if (field->kind == PLAN_STRING) {
        const char *text = *(const char *const *)value;
        strbuf_add(into, text != NULL ? text : "");
    } else {
        scalar_add(into, field, value);
    }
}

static void add_time(struct strbuf *into, const void *value)
{
    int64_t time_ns;
    if (value != NULL && scalar_time_ns(value, &time_ns))
        time_add_rfc3339(into, time_ns, 9);
}

static void add_joined(struct strbuf *into, const struct plan_field *field, const void *message, bool as_time)
{
    if (field->kind == PLAN_MESSAGE) {
        json_add_array(into, field, message);
        return;
    }
    for (size_t i = 0; i < plan_count(field, message); i++) {
        if (i > 0)
            strbuf_add_char(into, ';');
        if (as_time)
            add_time(into, plan_element(field, message, i));
        else
            add_value(into, field, plan_element(field, message, i));
    }
}

static void add_column(struct strbuf *into, const struct plan_field *field, const void *message, bool *first,
                       bool as_time)
{
    next_column(into, first);
    size_t from = into->length;
    if (message == NULL)
        return;
    if (field->repeated)
        add_joined(into, field, message, as_time);
    else if (as_time)
        add_time(into, plan_value(field, message));
    else
        add_value(into, field, plan_value(field, message));
    if (field->repeated || field->kind == PLAN_STRING)
        quote_from(into, from);
}

// `message` NULL leaves every column empty.
static void add_columns(struct strbuf *into, const struct message_plan *plan, const void *message,
                        bool *first)
{
    for (unsigned i = 0; i < plan->count; i++) {
        const struct plan_field *field = &plan->fields[i];
        if (field->rare)
            continue;
        if (field->kind == PLAN_MESSAGE && !field->repeated) {
            const void *value = message != NULL ? plan_value(field, message) : NULL;
            add_columns(into, field->message, value != NULL ? *(const void *const *)value : NULL, first);
            continue;
        }
        add_column(into, field, message, first, false);
        if (field->kind == PLAN_TIMESTAMP)
            add_column(into, field, message, first, true);
    }
}

void csv_add_row(struct strbuf *into, const struct message_plan *plan, const void *message)
{
    bool first = true;
    add_columns(into, plan, message, &first);
    strbuf_add_char(into, '\n');
}

static void add_names(struct strbuf *into, const struct message_plan *plan, const char *prefix, bool *first)
{
    for (unsigned i = 0; i < plan->count; i++) {
        const struct plan_field *field = &plan->fields[i];
        if (field->rare)
            continue;
        if (field->kind == PLAN_MESSAGE && !field->repeated) {
            char nested[LONGEST_COLUMN_NAME];
            int length = snprintf(nested, sizeof nested, "%s%s.", prefix, field->name);
            assert(length > 0 && (size_t)length < sizeof nested);
            add_names(into, field->message, nested, first);
            continue;
        }
        next_column(into, first);
        strbuf_addf(into, "%s%s", prefix, field->name);
        if (field->kind == PLAN_TIMESTAMP)
            strbuf_addf(into, ",%s%s_time", prefix, field->name);
    }
}

void csv_add_header(struct strbuf *into, const struct message_plan *plan)
{
    bool first = true;
    add_names(into, plan, "", &first);
    strbuf_add_char(into, '\n');
}
