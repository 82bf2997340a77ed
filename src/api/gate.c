#include "api/gate.h"

#include <assert.h>
#include <protobuf-c/protobuf-c.h>
#include <string.h>

#include "api/field_path.h"
#include "api/text.h"
#include "api/wire.h"
#include "base/strbuf.h"

struct bytes {
    const uint8_t *at, *end;
};

struct walk {
    struct status *status;
    struct field_path path;
    unsigned depth, messages;
};

// What was met of a message so far.
struct met {
    const ProtobufCMessageDescriptor *descriptor;
    uint32_t items[64]; // by field
};

// A value as it stands on the wire.
struct value {
    enum wire_type wire;
    uint64_t number;
    struct bytes bytes;
};

#define WRONG(walk, ...) status_violate((walk)->status, (walk)->path.text, __VA_ARGS__)

// Nothing can be read behind it.
static bool broken(struct walk *walk, const char *what)
{
    WRONG(walk, "the bytes are no message: %s", what);
    return false;
}

static bool read_varint(struct bytes *bytes, uint64_t *value)
{
    *value = 0;
    for (unsigned shift = 0; shift < 70 && bytes->at < bytes->end; shift += 7) {
        uint8_t byte = *bytes->at++;
        if (shift == 63 && byte > 1)
            return false;
        *value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return true;
    }
    return false;
}

static bool read_fixed(struct bytes *bytes, unsigned length, uint64_t *value)
{
    if ((size_t)(bytes->end - bytes->at) < length)
        return false;
    *value = 0;
    for (unsigned i = 0; i < length; i++)
        *value |= (uint64_t)bytes->at[i] << 8 * i;
    bytes->at += length;
    return true;
}

static bool read_span(struct bytes *bytes, struct bytes *span)
{
    uint64_t length;
    if (!read_varint(bytes, &length) || length > (uint64_t)(bytes->end - bytes->at))
        return false;
    *span = (struct bytes){bytes->at, bytes->at + length};
    bytes->at += length;
    return true;
}

static bool read_value(struct bytes *bytes, unsigned wire, struct value *value)
{
    value->wire = (enum wire_type)wire;
    switch (wire) {
    case WIRE_VARINT:
        return read_varint(bytes, &value->number);
    case WIRE_64:
        return read_fixed(bytes, 8, &value->number);
    case WIRE_32:
        return read_fixed(bytes, 4, &value->number);
    case WIRE_LENGTH:
        return read_span(bytes, &value->bytes);
    default:
        return false; // groups, and what is none
    }
}

static enum wire_type wire_of(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_FLOAT:
        return WIRE_32;
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return WIRE_64;
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
    case PROTOBUF_C_TYPE_MESSAGE:
        return WIRE_LENGTH;
    default:
        return WIRE_VARINT;
    }
}

static bool is_repeated(const ProtobufCFieldDescriptor *field)
{
    return field->label == PROTOBUF_C_LABEL_REPEATED;
}

static bool is_one_of(const ProtobufCFieldDescriptor *field)
{
    return (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
}

static void check_text(struct walk *walk, struct bytes text)
{
    while (text.at < text.end) {
        size_t length = utf8_sequence(text.at, (size_t)(text.end - text.at));
        if (length == 0) {
            WRONG(walk, "the text is no UTF-8");
            return;
        }
        if (*text.at == '\0') {
            WRONG(walk, "the text holds a NUL");
            return;
        }
        text.at += length;
    }
}

static void check_number(struct walk *walk, const ProtobufCFieldDescriptor *field, uint64_t number)
{
    bool fits_int32 = number <= INT32_MAX || number >= UINT64_MAX - INT32_MAX;
    switch (field->type) {
    case PROTOBUF_C_TYPE_ENUM:
        if (!fits_int32 || protobuf_c_enum_descriptor_get_value(field->descriptor, (int)number) == NULL)
            WRONG(walk, "%lld is no value of it that is known here", (long long)number);
        break;
    case PROTOBUF_C_TYPE_INT32:
        if (!fits_int32)
            WRONG(walk, "the number has more than 32 bits");
        break;
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_SINT32:
        if (number > UINT32_MAX)
            WRONG(walk, "the number has more than 32 bits");
        break;
    case PROTOBUF_C_TYPE_BOOL:
        if (number > 1)
            WRONG(walk, "it is true or false, not %llu", (unsigned long long)number);
        break;
    default:
        break;
    }
}

static bool walk_message(struct walk *walk, const ProtobufCMessageDescriptor *descriptor, struct bytes bytes);

// One value of a field, where the path stands on it. False when nothing can be read behind it.
static bool check_value(struct walk *walk, const ProtobufCFieldDescriptor *field, const struct value *value)
{
    if (field->type == PROTOBUF_C_TYPE_MESSAGE)
        return walk_message(walk, field->descriptor, value->bytes);
    if (field->type == PROTOBUF_C_TYPE_STRING)
        check_text(walk, value->bytes);
    else if (value->wire == WIRE_VARINT)
        check_number(walk, field, value->number);
    return true;
}

static bool is_given_once(const struct met *met, unsigned index)
{
    const ProtobufCFieldDescriptor *field = &met->descriptor->fields[index];
    if (met->items[index] > 0)
        return false;
    for (unsigned i = 0; is_one_of(field) && i < met->descriptor->n_fields; i++)
        if (met->items[i] > 0 && is_one_of(&met->descriptor->fields[i]) &&
            met->descriptor->fields[i].quantifier_offset == field->quantifier_offset)
            return false;
    return true;
}

static bool visit(struct walk *walk, struct met *met, unsigned index, const struct value *value)
{
    const ProtobufCFieldDescriptor *field = &met->descriptor->fields[index];
    bool list = is_repeated(field), fits = list ? met->items[index] < GATE_ITEMS : is_given_once(met, index);
    size_t before =
        field_path_enter(&walk->path, field->name, list ? (int)met->items[index] : FIELD_PATH_WHOLE);
    bool good = true;
    if (fits)
        good = check_value(walk, field, value);
    else if (list && met->items[index] == GATE_ITEMS)
        WRONG(walk, "it has more than %d items", GATE_ITEMS);
    else if (!list)
        WRONG(walk, "it is given twice, or with another one that stands for the same");
    met->items[index]++;
    field_path_leave(&walk->path, before);
    return good;
}

// Numbers in one span.
static bool visit_packed(struct walk *walk, struct met *met, unsigned index, struct bytes bytes)
{
    enum wire_type wire = wire_of(met->descriptor->fields[index].type);
    struct value value;
    while (bytes.at < bytes.end) {
        if (!read_value(&bytes, wire, &value))
            return broken(walk, "a list of numbers ends in the middle");
        if (!visit(walk, met, index, &value))
            return false;
    }
    return true;
}

static bool visit_field(struct walk *walk, struct met *met, uint64_t number, const struct value *value)
{
    const ProtobufCFieldDescriptor *field =
        number <= UINT32_MAX ? protobuf_c_message_descriptor_get_field(met->descriptor, (unsigned)number)
                             : NULL;
    if (field == NULL) {
        WRONG(walk, "field %llu of %s is not known here: the client is newer than this sensor",
              (unsigned long long)number, met->descriptor->short_name);
        return true;
    }
    unsigned index = (unsigned)(field - met->descriptor->fields);
    if (value->wire == wire_of(field->type))
        return visit(walk, met, index, value);
    if (value->wire == WIRE_LENGTH && is_repeated(field))
        return visit_packed(walk, met, index, value->bytes);
    size_t before = field_path_enter(&walk->path, field->name, FIELD_PATH_WHOLE);
    WRONG(walk, "it is of another type");
    field_path_leave(&walk->path, before);
    return true;
}

static bool walk_fields(struct walk *walk, const ProtobufCMessageDescriptor *descriptor, struct bytes bytes)
{
    struct met met = {.descriptor = descriptor};
    struct value value;
    uint64_t key;
    assert(descriptor->n_fields <= sizeof met.items / sizeof met.items[0]);
    while (bytes.at < bytes.end) {
        if (!read_varint(&bytes, &key) || key >> 3 == 0)
            return broken(walk, "a field has no number");
        if (!read_value(&bytes, (unsigned)(key & 7), &value))
            return broken(walk, "a field ends in the middle");
        if (!visit_field(walk, &met, key >> 3, &value))
            return false;
    }
    return true;
}

static bool walk_message(struct walk *walk, const ProtobufCMessageDescriptor *descriptor, struct bytes bytes)
{
    if (walk->depth == GATE_DEPTH)
        return WRONG(walk, "it lies deeper than %d messages", GATE_DEPTH);
    if (walk->messages == GATE_MESSAGES)
        return WRONG(walk, "the request has more than %d parts", GATE_MESSAGES);
    walk->depth++;
    walk->messages++;
    bool good = walk_fields(walk, descriptor, bytes);
    walk->depth--;
    return good;
}

bool gate_check(const struct ProtobufCMessageDescriptor *descriptor, const uint8_t *bytes, size_t length,
                struct status *status)
{
    struct walk walk = {.status = status};
    *status = STATUS_FINE;
    if (length > GATE_BYTES)
        return status_set(status, STATUS_RESOURCE_EXHAUSTED, "REQUEST_TOO_LARGE",
                          "the request has %zu bytes, and %d is the most", length, GATE_BYTES);
    walk_message(&walk, descriptor, (struct bytes){bytes, bytes + length});
    assert(walk.depth == 0 && walk.path.length == 0);
    return status->code == STATUS_OK;
}

struct ProtobufCMessage *gate_open(const struct ProtobufCMessageDescriptor *descriptor, const uint8_t *bytes,
                                   size_t length, struct status *status)
{
    if (!gate_check(descriptor, bytes, length, status))
        return NULL;
    ProtobufCMessage *request = protobuf_c_message_unpack(descriptor, NULL, length, bytes);
    if (request == NULL)
        status_set(status, STATUS_RESOURCE_EXHAUSTED, "EXHAUSTED", "no memory for the request");
    return request;
}

struct ProtobufCMessage *gate_open_json(const struct ProtobufCMessageDescriptor *descriptor, const char *text,
                                        size_t length, struct status *status)
{
    struct ProtobufCMessage *request = NULL;
    struct strbuf bytes;
    strbuf_init(&bytes, GATE_BYTES);
    if (gate_encode_json(descriptor, text, length, &bytes, status))
        request = gate_open(descriptor, (const uint8_t *)bytes.text, bytes.length, status);
    strbuf_done(&bytes);
    return request;
}

void gate_free(struct ProtobufCMessage *request)
{
    if (request != NULL)
        protobuf_c_message_free_unpacked(request, NULL);
}
