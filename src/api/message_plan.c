#include "api/message_plan.h"

#include <assert.h>
#include <ctype.h>
#include <protobuf-c/protobuf-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEEPEST_MESSAGE = 16 };

static const char timestamp_name[] = "google.protobuf.Timestamp",
                  duration_name[] = "google.protobuf.Duration";
static const char unset_suffix[] = "UNSPECIFIED";

static bool plan_init(struct message_plan *plan, const ProtobufCMessageDescriptor *descriptor,
                      unsigned depth);

// ",\"name\":", or with the suffix ",\"name_time\":".
static char *key_text(const char *name, const char *suffix, size_t *length)
{
    char *key = NULL;
    int written = asprintf(&key, ",\"%s%s\":", name, suffix);
    if (written < 0)
        return NULL;
    *length = (size_t)written;
    return key;
}

static enum plan_kind kind_of(const ProtobufCFieldDescriptor *field)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_BOOL:
        return PLAN_BOOL;
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
        return PLAN_I32;
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        return PLAN_U32;
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        return PLAN_I64;
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        return PLAN_U64;
    case PROTOBUF_C_TYPE_FLOAT:
        return PLAN_FLOAT;
    case PROTOBUF_C_TYPE_DOUBLE:
        return PLAN_DOUBLE;
    case PROTOBUF_C_TYPE_ENUM:
        return PLAN_ENUM;
    case PROTOBUF_C_TYPE_STRING:
        return PLAN_STRING;
    case PROTOBUF_C_TYPE_BYTES:
        return PLAN_BYTES;
    case PROTOBUF_C_TYPE_MESSAGE:
        break;
    }
    const ProtobufCMessageDescriptor *message = field->descriptor;
    return strcmp(message->name, timestamp_name) == 0 ? PLAN_TIMESTAMP : PLAN_MESSAGE;
}

static size_t element_bytes(enum plan_kind kind)
{
    static const size_t bytes[] = {
        [PLAN_BOOL] = sizeof(protobuf_c_boolean),
        [PLAN_I32] = sizeof(int32_t),
        [PLAN_U32] = sizeof(uint32_t),
        [PLAN_I64] = sizeof(int64_t),
        [PLAN_U64] = sizeof(uint64_t),
        [PLAN_FLOAT] = sizeof(float),
        [PLAN_DOUBLE] = sizeof(double),
        [PLAN_ENUM] = sizeof(int32_t),
        [PLAN_STRING] = sizeof(char *),
        [PLAN_BYTES] = sizeof(ProtobufCBinaryData),
        [PLAN_MESSAGE] = sizeof(ProtobufCMessage *),
        [PLAN_TIMESTAMP] = sizeof(ProtobufCMessage *),
    };
    assert((size_t)kind < sizeof bytes / sizeof bytes[0]);
    return bytes[kind];
}

// The prefix that all values of an enum share is what stands before UNSPECIFIED in its value 0.
static size_t enum_prefix(const ProtobufCEnumDescriptor *descriptor)
{
    const char *name = descriptor->n_values > 0 ? descriptor->values[0].name : "";
    size_t length = strlen(name), suffix = sizeof unset_suffix - 1;
    bool has_prefix = length > suffix && strcmp(name + length - suffix, unset_suffix) == 0;
    return has_prefix ? length - suffix : 0;
}

static char *enum_text(const char *name, const char *prefix, size_t prefix_length)
{
    char *text = strdup(strncmp(name, prefix, prefix_length) == 0 ? name + prefix_length : name);
    for (char *at = text; at != NULL && *at != '\0'; at++)
        *at = (char)tolower((unsigned char)*at);
    return text;
}

static bool plan_enum_init(struct plan_enum *plan, const ProtobufCEnumDescriptor *descriptor)
{
    plan->values = calloc(descriptor->n_values, sizeof plan->values[0]);
    if (plan->values == NULL)
        return false;
    size_t prefix = enum_prefix(descriptor);
    for (unsigned i = 0; i < descriptor->n_values; i++) {
        const ProtobufCEnumValue *value = &descriptor->values[i];
        plan->values[i].value = value->value;
        plan->values[i].name = value->name;
        plan->values[i].text = enum_text(value->name, descriptor->values[0].name, prefix);
        plan->count++;
        if (plan->values[i].text == NULL)
            return false;
    }
    return true;
}

static bool field_init_keys(struct plan_field *plan)
{
    plan->key = key_text(plan->name, "", &plan->key_length);
    if (plan->kind == PLAN_TIMESTAMP)
        plan->time_key = key_text(plan->name, "_time", &plan->time_key_length);
    return plan->key != NULL && (plan->kind != PLAN_TIMESTAMP || plan->time_key != NULL);
}

static bool field_init(struct plan_field *plan, const ProtobufCFieldDescriptor *field, unsigned depth)
{
    plan->name = field->name;
    plan->kind = kind_of(field);
    plan->repeated = field->label == PROTOBUF_C_LABEL_REPEATED;
    plan->rare = strcmp(field->name, "withheld") == 0;
    assert(!plan->rare || plan->repeated);
    plan->in_oneof = (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
    plan->number = field->id;
    plan->offset = field->offset;
    plan->count_offset = plan->case_offset = field->quantifier_offset;
    plan->element_bytes = element_bytes(plan->kind);
    if (!field_init_keys(plan))
        return false;
    if (plan->kind == PLAN_ENUM)
        return plan_enum_init(&plan->enumeration, field->descriptor);
    if (plan->kind != PLAN_MESSAGE)
        return true;
    plan->is_duration =
        strcmp(((const ProtobufCMessageDescriptor *)field->descriptor)->name, duration_name) == 0;
    plan->message = calloc(1, sizeof *plan->message);
    return plan->message != NULL && plan_init(plan->message, field->descriptor, depth + 1);
}

static unsigned field_columns(const struct plan_field *field)
{
    if (field->rare)
        return 0;
    if (field->kind == PLAN_TIMESTAMP)
        return 2;
    return field->kind == PLAN_MESSAGE && !field->repeated ? field->message->columns : 1;
}

static bool plan_init(struct message_plan *plan, const ProtobufCMessageDescriptor *descriptor, unsigned depth)
{
    assert(depth < DEEPEST_MESSAGE); // a message that contains itself
    plan->fields = calloc(descriptor->n_fields > 0 ? descriptor->n_fields : 1, sizeof plan->fields[0]);
    if (plan->fields == NULL)
        return false;
    for (unsigned i = 0; i < descriptor->n_fields; i++) {
        struct plan_field *field = &plan->fields[i];
        plan->count++;
        if (!field_init(field, &descriptor->fields[i], depth))
            return false;
        plan->columns += field_columns(field);
    }
    return true;
}

struct message_plan *message_plan_create(const struct ProtobufCMessageDescriptor *descriptor)
{
    struct message_plan *plan = calloc(1, sizeof *plan);
    if (plan != NULL && !plan_init(plan, descriptor, 0)) {
        message_plan_destroy(plan);
        return NULL;
    }
    return plan;
}

static void field_done(struct plan_field *field)
{
    free(field->key);
    free(field->time_key);
    for (unsigned i = 0; i < field->enumeration.count; i++)
        free(field->enumeration.values[i].text);
    free(field->enumeration.values);
    message_plan_destroy(field->message);
}

void message_plan_destroy(struct message_plan *plan)
{
    if (plan == NULL)
        return;
    for (unsigned i = 0; i < plan->count; i++)
        field_done(&plan->fields[i]);
    free(plan->fields);
    free(plan);
}

static const void *at_offset(const void *message, size_t offset)
{
    return (const char *)message + offset;
}

static bool is_submessage(const struct plan_field *field)
{
    return field->kind == PLAN_MESSAGE || field->kind == PLAN_TIMESTAMP;
}

const void *plan_value(const struct plan_field *field, const void *message)
{
    if (field->in_oneof && *(const uint32_t *)at_offset(message, field->case_offset) != field->number)
        return NULL;
    const void *value = at_offset(message, field->offset);
    bool missing = is_submessage(field) && *(const void *const *)value == NULL;
    return missing ? NULL : value;
}

size_t plan_count(const struct plan_field *field, const void *message)
{
    return *(const size_t *)at_offset(message, field->count_offset);
}

const void *plan_element(const struct plan_field *field, const void *message, size_t index)
{
    assert(field->repeated && index < plan_count(field, message));
    const char *elements = *(const char *const *)at_offset(message, field->offset);
    return elements + index * field->element_bytes;
}
