// ProtoJSON in, by the descriptor: each member becomes the bytes that protobuf has for it, which the gate then walks as it
// walks a binary request. Here only what has no bytes is refused.
#include <assert.h>
#include <jansson.h>
#include <math.h>
#include <protobuf-c/protobuf-c.h>
#include <string.h>

#include "api/field_path.h"
#include "api/gate.h"
#include "api/wire.h"
#include "base/strbuf.h"
#include "base/time.h"

struct encoding {
    struct status *status;
    struct field_path path;
    unsigned depth;
};

#define WRONG(encoding, ...) status_violate((encoding)->status, (encoding)->path.text, __VA_ARGS__)

static void add_fixed(struct strbuf *into, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        strbuf_add_char(into, (char)(value >> 8 * i));
}

// Whether a member's name is the field's, as it is or in camelCase.
static bool is_called(const char *field, const char *member)
{
    if (strcmp(field, member) == 0)
        return true;
    for (; *field != '\0'; field++, member++) {
        bool raised = *field == '_' && field[1] >= 'a' && field[1] <= 'z';
        field += raised;
        if (*member != (raised ? *field - 'a' + 'A' : *field))
            return false;
    }
    return *member == '\0';
}

static const ProtobufCFieldDescriptor *find_field(const ProtobufCMessageDescriptor *descriptor,
                                                  const char *member)
{
    for (unsigned i = 0; i < descriptor->n_fields; i++)
        if (is_called(descriptor->fields[i].name, member))
            return &descriptor->fields[i];
    return NULL;
}

// A whole number in [least, most], in quotes or not: 1, "1", 1.0, 1e3.
static bool read_integer(struct encoding *encoding, const json_t *json, int64_t *negative, uint64_t *positive)
{
    *negative = 0;
    *positive = 0;
    if (json_is_integer(json)) {
        json_int_t number = json_integer_value(json);
        *negative = number < 0 ? number : 0;
        *positive = number < 0 ? 0 : (uint64_t)number;
        return true;
    }
    if (json_is_real(json)) {
        double number = json_real_value(json);
        if (number != floor(number) || fabs(number) > 9007199254740991.0)
            return WRONG(encoding, "it is no whole number that a double holds: put it in quotes");
        *negative = number < 0 ? (int64_t)number : 0;
        *positive = number < 0 ? 0 : (uint64_t)number;
        return true;
    }
    const char *text = json_string_value(json);
    bool minus = text != NULL && text[0] == '-';
    if (text == NULL || text[minus] == '\0')
        return WRONG(encoding, "it is a number");
    for (const char *digit = text + minus; *digit != '\0'; digit++)
        if (*digit < '0' || *digit > '9' || __builtin_mul_overflow(*positive, 10u, positive) ||
            __builtin_add_overflow(*positive, (uint64_t)(*digit - '0'), positive))
            return WRONG(encoding, "\"%.40s\" is no whole number of 64 bits", text);
    if (!minus)
        return true;
    if (*positive > (uint64_t)INT64_MAX)
        return WRONG(encoding, "\"%.40s\" is no whole number of 64 bits", text);
    *negative = -(int64_t)*positive;
    *positive = 0;
    return true;
}

// The bits of a number of so many bits.
static bool read_bits(struct encoding *encoding, const json_t *json, unsigned bits, bool has_sign,
                      uint64_t *value)
{
    int64_t negative;
    uint64_t positive, most = UINT64_MAX >> (64 - bits + has_sign);
    if (!read_integer(encoding, json, &negative, &positive))
        return false;
    if (positive > most || (negative < 0 && (!has_sign || negative < -(int64_t)most - 1)))
        return WRONG(encoding, "it is no %s of %u bits", has_sign ? "number" : "positive number", bits);
    *value = negative < 0 ? (uint64_t)negative : positive;
    return true;
}

static bool read_enum(struct encoding *encoding, const ProtobufCEnumDescriptor *descriptor,
                      const json_t *json, uint64_t *value)
{
    const char *name = json_string_value(json);
    if (name == NULL)
        return read_bits(encoding, json, 32, true, value);
    const ProtobufCEnumValue *known = protobuf_c_enum_descriptor_get_value_by_name(descriptor, name);
    if (known == NULL)
        return WRONG(encoding, "\"%.60s\" is no %s", name, descriptor->short_name);
    *value = (uint64_t)(int64_t)known->value;
    return true;
}

static bool read_double(struct encoding *encoding, const json_t *json, double *value)
{
    if (!json_is_number(json))
        return WRONG(encoding, "it is a number");
    *value = json_number_value(json);
    return true;
}

static uint64_t zigzag(uint64_t value)
{
    return value << 1 ^ (value >> 63 != 0 ? UINT64_MAX : 0);
}

static bool read_varint_of(struct encoding *encoding, const ProtobufCFieldDescriptor *field,
                           const json_t *json, uint64_t *value)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_BOOL:
        *value = json_is_true(json);
        return json_is_boolean(json) || WRONG(encoding, "it is true or false");
    case PROTOBUF_C_TYPE_ENUM:
        return read_enum(encoding, field->descriptor, json, value);
    case PROTOBUF_C_TYPE_INT32:
        return read_bits(encoding, json, 32, true, value);
    case PROTOBUF_C_TYPE_UINT32:
        return read_bits(encoding, json, 32, false, value);
    case PROTOBUF_C_TYPE_INT64:
        return read_bits(encoding, json, 64, true, value);
    case PROTOBUF_C_TYPE_UINT64:
        return read_bits(encoding, json, 64, false, value);
    default: {
        bool good = read_bits(encoding, json, field->type == PROTOBUF_C_TYPE_SINT32 ? 32 : 64, true, value);
        *value = field->type == PROTOBUF_C_TYPE_SINT32 ? (uint32_t)zigzag(*value) : zigzag(*value);
        return good;
    }
    }
}

static void encode_fixed(struct encoding *encoding, const ProtobufCFieldDescriptor *field, const json_t *json,
                         struct strbuf *into)
{
    bool wide = field->type == PROTOBUF_C_TYPE_FIXED64 || field->type == PROTOBUF_C_TYPE_SFIXED64 ||
                field->type == PROTOBUF_C_TYPE_DOUBLE;
    bool has_sign = field->type == PROTOBUF_C_TYPE_SFIXED32 || field->type == PROTOBUF_C_TYPE_SFIXED64;
    uint64_t bits = 0;
    double number = 0;
    float narrow;
    if (field->type == PROTOBUF_C_TYPE_DOUBLE || field->type == PROTOBUF_C_TYPE_FLOAT) {
        if (!read_double(encoding, json, &number))
            return;
        narrow = (float)number;
        if (wide)
            memcpy(&bits, &number, sizeof number);
        else
            memcpy(&bits, &narrow, sizeof narrow);
    } else if (!read_bits(encoding, json, wide ? 64 : 32, has_sign, &bits)) {
        return;
    }
    wire_add_key(into, field->id, wide ? WIRE_64 : WIRE_32);
    add_fixed(into, bits, wide ? 8 : 4);
}

// Seconds and nanoseconds, which Timestamp and Duration have as fields 1 and 2.
static void add_seconds(struct strbuf *into, uint32_t number, int64_t seconds, int64_t nanos)
{
    struct strbuf inner;
    strbuf_init(&inner, 64);
    wire_add_key(&inner, 1, WIRE_VARINT);
    wire_add_varint(&inner, (uint64_t)seconds);
    wire_add_key(&inner, 2, WIRE_VARINT);
    wire_add_varint(&inner, (uint64_t)nanos);
    wire_add_span(into, number, inner.text, inner.length);
    strbuf_done(&inner);
}

// Nanoseconds of the digits at the start of a text, nine at most; what is behind them.
static const char *read_fraction(const char *text, int64_t *nanos)
{
    int64_t unit = NS_PER_S;
    for (*nanos = 0; *text >= '0' && *text <= '9' && unit > 1; text++)
        *nanos += (*text - '0') * (unit /= 10);
    return text;
}

static void encode_timestamp(struct encoding *encoding, uint32_t number, const json_t *json,
                             struct strbuf *into)
{
    const char *text = json_string_value(json);
    int64_t time_ns, nanos;
    if (text == NULL || strchr(text, 'T') == NULL || !time_parse_rfc3339(text, &time_ns)) {
        WRONG(encoding, "it is a time as \"2026-05-01T12:00:00Z\"");
        return;
    }
    const char *point = strchr(text, '.'); // what time_parse_rfc3339() cuts
    read_fraction(point != NULL ? point + 1 : "", &nanos);
    add_seconds(into, number, time_ns / NS_PER_S, nanos);
}

// "1.5s": digits, at most nine of them behind a point.
static bool parse_duration(const char *text, int64_t *seconds, int64_t *nanos)
{
    bool minus = *text == '-';
    text += minus;
    if (*text < '0' || *text > '9')
        return false;
    for (*seconds = 0; *text >= '0' && *text <= '9'; text++)
        if ((*seconds = *seconds * 10 + (*text - '0')) > INT64_C(315576000000)) // what Duration allows
            return false;
    text = read_fraction(text + (*text == '.'), nanos);
    *seconds = minus ? -*seconds : *seconds;
    *nanos = minus ? -*nanos : *nanos;
    return strcmp(text, "s") == 0;
}

static void encode_duration(struct encoding *encoding, uint32_t number, const json_t *json,
                            struct strbuf *into)
{
    const char *text = json_string_value(json);
    int64_t seconds, nanos;
    if (text != NULL && parse_duration(text, &seconds, &nanos))
        add_seconds(into, number, seconds, nanos);
    else
        WRONG(encoding, "it is a span as \"1.5s\"");
}

static void encode_members(struct encoding *encoding, const ProtobufCMessageDescriptor *descriptor,
                           const json_t *object, struct strbuf *into);

static void encode_message(struct encoding *encoding, const ProtobufCFieldDescriptor *field,
                           const json_t *json, struct strbuf *into)
{
    const ProtobufCMessageDescriptor *descriptor = field->descriptor;
    if (strcmp(descriptor->name, "google.protobuf.Timestamp") == 0) {
        encode_timestamp(encoding, field->id, json, into);
        return;
    }
    if (strcmp(descriptor->name, "google.protobuf.Duration") == 0) {
        encode_duration(encoding, field->id, json, into);
        return;
    }
    struct strbuf inner;
    strbuf_init(&inner, GATE_BYTES);
    encode_members(encoding, descriptor, json, &inner);
    wire_add_span(into, field->id, inner.text, inner.length);
    into->failed |= inner.failed;
    strbuf_done(&inner);
}

static void encode_value(struct encoding *encoding, const ProtobufCFieldDescriptor *field, const json_t *json,
                         struct strbuf *into)
{
    uint64_t value;
    switch (field->type) {
    case PROTOBUF_C_TYPE_MESSAGE:
        encode_message(encoding, field, json, into);
        break;
    case PROTOBUF_C_TYPE_STRING:
        if (json_is_string(json))
            wire_add_span(into, field->id, json_string_value(json), json_string_length(json));
        else
            WRONG(encoding, "it is a text");
        break;
    case PROTOBUF_C_TYPE_BYTES:
        WRONG(encoding, "bytes are not taken in JSON");
        break;
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        encode_fixed(encoding, field, json, into);
        break;
    default:
        if (!read_varint_of(encoding, field, json, &value))
            break;
        wire_add_key(into, field->id, WIRE_VARINT);
        wire_add_varint(into, value);
    }
}

static void encode_field(struct encoding *encoding, const ProtobufCFieldDescriptor *field, const json_t *json,
                         struct strbuf *into)
{
    if (field->label != PROTOBUF_C_LABEL_REPEATED) {
        size_t before = field_path_enter(&encoding->path, field->name, FIELD_PATH_WHOLE);
        encode_value(encoding, field, json, into);
        field_path_leave(&encoding->path, before);
        return;
    }
    for (size_t i = 0; i < json_array_size(json); i++) {
        size_t before = field_path_enter(&encoding->path, field->name, (int)i);
        encode_value(encoding, field, json_array_get(json, i), into);
        field_path_leave(&encoding->path, before);
    }
}

static void encode_member(struct encoding *encoding, const ProtobufCMessageDescriptor *descriptor,
                          const char *member, const json_t *json, struct strbuf *into)
{
    const ProtobufCFieldDescriptor *field = find_field(descriptor, member);
    if (field == NULL)
        WRONG(encoding, "%s has no \"%.60s\"", descriptor->short_name, member);
    else if (field->label == PROTOBUF_C_LABEL_REPEATED && !json_is_array(json) && !json_is_null(json))
        WRONG(encoding, "\"%.60s\" is a list", member);
    else if (!json_is_null(json))
        encode_field(encoding, field, json, into);
}

static void encode_members(struct encoding *encoding, const ProtobufCMessageDescriptor *descriptor,
                           const json_t *object, struct strbuf *into)
{
    const char *member;
    json_t *json, *members = (json_t *)(uintptr_t)object; // the macro wants it so
    if (!json_is_object(object)) {
        WRONG(encoding, "it is an object");
        return;
    }
    if (encoding->depth == GATE_DEPTH) {
        WRONG(encoding, "it lies deeper than %d messages", GATE_DEPTH);
        return;
    }
    encoding->depth++;
    json_object_foreach(members, member, json) encode_member(encoding, descriptor, member, json, into);
    encoding->depth--;
}

bool gate_encode_json(const struct ProtobufCMessageDescriptor *descriptor, const char *text, size_t length,
                      struct strbuf *into, struct status *status)
{
    struct encoding encoding = {.status = status};
    json_error_t reason;
    *status = STATUS_FINE;
    if (length > GATE_BYTES)
        return status_set(status, STATUS_RESOURCE_EXHAUSTED, "REQUEST_TOO_LARGE",
                          "the request has %zu bytes, and %d is the most", length, GATE_BYTES);
    json_t *root = json_loadb(text, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &reason);
    if (root == NULL)
        return status_violate(status, "", "the request is no JSON: line %d, column %d: %s", reason.line,
                              reason.column, reason.text);
    encode_members(&encoding, descriptor, root, into);
    json_decref(root);
    if (status->code == STATUS_OK && into->failed)
        status_set(status, STATUS_RESOURCE_EXHAUSTED, "REQUEST_TOO_LARGE",
                   "the request has more than %d bytes", GATE_BYTES);
    return status->code == STATUS_OK;
}
