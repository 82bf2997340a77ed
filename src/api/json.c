#include "api/json.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "api/scalar.h"
#include "api/text.h"
#include "base/strbuf.h"
#include "base/time.h"
#include "google/protobuf/duration.pb-c.h"

// Where the text goes, and how deep it is: `indented` starts a line a member. `proto` is the other dialect.
struct json_writer {
    struct strbuf *into;
    unsigned depth;
    bool indented, proto;
};

static void add_message(struct json_writer *writer, const struct message_plan *plan, const void *message);

static size_t plain_run(const uint8_t *bytes, size_t left)
{
    size_t run = 0;
    while (run < left && bytes[run] >= 0x20 && bytes[run] < 0x7f && bytes[run] != '"' && bytes[run] != '\\')
        run++;
    return run;
}

static void add_control(struct strbuf *into, uint8_t byte)
{
    static const char hex[] = "0123456789abcdef";
    strbuf_add_bytes(into, (const char[]){'\\', 'u', '0', '0', hex[byte >> 4], hex[byte & 15]}, 6);
}

// One character that is not plain ASCII; returns the bytes taken.
static size_t add_special(struct strbuf *into, const uint8_t *bytes, size_t left)
{
    size_t length = utf8_sequence(bytes, left);
    if (bytes[0] == '"' || bytes[0] == '\\')
        strbuf_add_bytes(into, (const char[]){'\\', (char)bytes[0]}, 2);
    else if (length == 1)
        add_control(into, bytes[0]);
    else if (length > 1)
        strbuf_add_bytes(into, bytes, length);
    else
        strbuf_add(into, "\\ufffd");
    return length > 0 ? length : 1;
}

void json_add_string(struct strbuf *into, const char *text, size_t length)
{
    const uint8_t *at = (const uint8_t *)text;
    strbuf_add_char(into, '"');
    while (length > 0) {
        size_t taken = plain_run(at, length);
        if (taken > 0)
            strbuf_add_bytes(into, at, taken);
        else
            taken = add_special(into, at, length);
        at += taken;
        length -= taken;
    }
    strbuf_add_char(into, '"');
}

static void add_text(struct strbuf *into, const void *value)
{
    const char *text = *(const char *const *)value;
    json_add_string(into, text != NULL ? text : "", text != NULL ? strlen(text) : 0);
}

static void add_null(struct strbuf *into)
{
    strbuf_add_bytes(into, "null", 4);
}

// Enums and base64 hold nothing that needs escaping; an enum's unknown number is quoted too.
static void add_quoted(struct strbuf *into, const struct plan_field *field, const void *value)
{
    strbuf_add_char(into, '"');
    scalar_add(into, field, value);
    strbuf_add_char(into, '"');
}

static void add_seconds(struct strbuf *into, const void *value)
{
    int64_t time_ns;
    if (scalar_time_ns(value, &time_ns))
        time_add_decimal(into, time_ns);
    else
        add_null(into);
}

static void add_time(struct strbuf *into, const void *value)
{
    int64_t time_ns;
    if (!scalar_time_ns(value, &time_ns)) {
        add_null(into);
        return;
    }
    strbuf_add_char(into, '"');
    time_add_rfc3339(into, time_ns, 9);
    strbuf_add_char(into, '"');
}

// What ProtoJSON has another way. `value` is set. False: it has it as we do.

static void add_enum_name(struct strbuf *into, const struct plan_field *field, int32_t value)
{
    const char *name = scalar_enum_name(field, value);
    if (name != NULL)
        strbuf_addf(into, "\"%s\"", name);
    else
        strbuf_add_i64(into, value);
}

static void add_span(struct strbuf *into, const Google__Protobuf__Duration *span)
{
    bool negative = span->seconds < 0 || span->nanos < 0;
    strbuf_addf(into, "\"%s%llu.%09us\"", negative ? "-" : "", llabs(span->seconds),
                (unsigned)abs(span->nanos));
}

static bool is_long(const struct plan_field *field, const void *value)
{
    static const int64_t most = (INT64_C(1) << 53) - 1;
    if (field->kind == PLAN_U64)
        return *(const uint64_t *)value > (uint64_t)most;
    return field->kind == PLAN_I64 && (*(const int64_t *)value > most || *(const int64_t *)value < -most);
}

static bool add_proto_value(struct json_writer *writer, const struct plan_field *field, const void *value)
{
    if (field->kind == PLAN_ENUM)
        add_enum_name(writer->into, field, *(const int32_t *)value);
    else if (field->kind == PLAN_TIMESTAMP)
        add_time(writer->into, value);
    else if (field->is_duration)
        add_span(writer->into, *(const Google__Protobuf__Duration *const *)value);
    else if (is_long(field, value))
        add_quoted(writer->into, field, value);
    else
        return false;
    return true;
}

static void add_value(struct json_writer *writer, const struct plan_field *field, const void *value)
{
    struct strbuf *into = writer->into;
    if (value != NULL && writer->proto && add_proto_value(writer, field, value))
        return;
    if (value == NULL || (field->kind == PLAN_ENUM && *(const int32_t *)value == 0))
        add_null(into);
    else if (field->kind == PLAN_STRING)
        add_text(into, value);
    else if (field->kind == PLAN_MESSAGE)
        add_message(writer, field->message, *(const void *const *)value);
    else if (field->kind == PLAN_TIMESTAMP)
        add_seconds(into, value);
    else if (field->kind == PLAN_ENUM || field->kind == PLAN_BYTES)
        add_quoted(into, field, value);
    else if (!scalar_add(into, field, value))
        add_null(into);
}

static void add_line_break(struct json_writer *writer)
{
    if (!writer->indented)
        return;
    strbuf_add_char(writer->into, '\n');
    strbuf_add_repeat(writer->into, ' ', (size_t)writer->depth * 2);
}

static void add_array(struct json_writer *writer, const struct plan_field *field, const void *message,
                      bool as_time)
{
    size_t count = plan_count(field, message);
    strbuf_add_char(writer->into, '[');
    writer->depth++;
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            strbuf_add_char(writer->into, ',');
        add_line_break(writer);
        const void *element = plan_element(field, message, i);
        if (as_time)
            add_time(writer->into, element);
        else
            add_value(writer, field, element);
    }
    writer->depth--;
    if (count > 0)
        add_line_break(writer);
    strbuf_add_char(writer->into, ']');
}

// A plan's key begins with the comma that separates it from the member before.
static void add_key(struct json_writer *writer, const char *key, size_t length, bool first)
{
    size_t comma = first ? 1 : 0;
    assert(length > 1 && key[0] == ',');
    if (!writer->indented) {
        strbuf_add_bytes(writer->into, key + comma, length - comma);
        return;
    }
    strbuf_add_bytes(writer->into, ",", 1 - comma);
    add_line_break(writer);
    strbuf_add_bytes(writer->into, key + 1, length - 1);
    strbuf_add_char(writer->into, ' ');
}

// The second member of a timestamp.
static void add_time_member(struct json_writer *writer, const struct plan_field *field, const void *message)
{
    add_key(writer, field->time_key, field->time_key_length, false);
    if (field->repeated) {
        add_array(writer, field, message, true);
        return;
    }
    const void *value = plan_value(field, message);
    if (value != NULL)
        add_time(writer->into, value);
    else
        add_null(writer->into);
}

static bool is_left_out(const struct json_writer *writer, const struct plan_field *field, const void *message)
{
    if (field->repeated)
        return (field->rare || writer->proto) && plan_count(field, message) == 0;
    if (!writer->proto)
        return false;
    const void *value = plan_value(field, message);
    return value == NULL || (field->kind == PLAN_ENUM && *(const int32_t *)value == 0);
}

static void add_message(struct json_writer *writer, const struct message_plan *plan, const void *message)
{
    bool first = true;
    strbuf_add_char(writer->into, '{');
    writer->depth++;
    for (unsigned i = 0; i < plan->count; i++) {
        const struct plan_field *field = &plan->fields[i];
        if (is_left_out(writer, field, message))
            continue;
        add_key(writer, field->key, field->key_length, first);
        first = false;
        if (field->repeated)
            add_array(writer, field, message, false);
        else
            add_value(writer, field, plan_value(field, message));
        if (field->kind == PLAN_TIMESTAMP && !writer->proto)
            add_time_member(writer, field, message);
    }
    writer->depth--;
    if (!first)
        add_line_break(writer);
    strbuf_add_char(writer->into, '}');
}

void json_add(struct strbuf *into, const struct message_plan *plan, const void *message)
{
    add_message(&(struct json_writer){.into = into}, plan, message);
}

void json_add_indented(struct strbuf *into, const struct message_plan *plan, const void *message)
{
    add_message(&(struct json_writer){.into = into, .indented = true}, plan, message);
}

void json_add_proto(struct strbuf *into, const struct message_plan *plan, const void *message)
{
    add_message(&(struct json_writer){.into = into, .proto = true}, plan, message);
}

void json_add_array(struct strbuf *into, const struct plan_field *field, const void *message)
{
    add_array(&(struct json_writer){.into = into}, field, message, false);
}
