// A message type made ready for rendering: its protobuf-c descriptor walked once, into fields with
// their keys, offsets and enum texts worked out. JSON and CSV render from it. Made once a type by
// message_plan_create(), owned by its maker, frozen after that: any thread may read.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ProtobufCMessageDescriptor;

enum plan_kind {
    PLAN_BOOL,
    PLAN_I32,
    PLAN_U32,
    PLAN_I64,
    PLAN_U64,
    PLAN_FLOAT,
    PLAN_DOUBLE,
    PLAN_ENUM,
    PLAN_STRING,
    PLAN_BYTES,
    PLAN_MESSAGE,
    PLAN_TIMESTAMP, // google.protobuf.Timestamp: two members, `<name>` and `<name>_time`
};

struct plan_enum_value {
    int32_t value;
    char *text;       // lower case, without the prefix of the type
    const char *name; // as in the proto
};

struct plan_enum {
    unsigned count;
    struct plan_enum_value *values; // ascending
};

struct plan_field {
    const char *name;
    char *key; // ",\"name\":", ready for JSON
    size_t key_length;
    char *time_key; // of a timestamp: ",\"name_time\":"
    size_t time_key_length;
    enum plan_kind kind;
    bool repeated;
    bool
        rare; // `withheld`, which only some callers get: no column of CSV, in JSON only when there is something
    bool in_oneof;
    bool is_duration;     // a message that is google.protobuf.Duration
    uint32_t number;      // what the oneof's case holds when this field is set
    size_t offset;        // of the value, or of the pointer to the elements
    size_t count_offset;  // of a repeated field's count
    size_t case_offset;   // of a oneof's case
    size_t element_bytes; // of a repeated field
    struct message_plan *message;
    struct plan_enum enumeration;
};

struct message_plan {
    unsigned count;
    unsigned columns; // of CSV, submessages flattened
    struct plan_field *fields;
};

// NULL without memory. Messages must not contain themselves.
struct message_plan *message_plan_create(const struct ProtobufCMessageDescriptor *descriptor);
void message_plan_destroy(struct message_plan *plan);

// The field's value in `message` (a pointer to the scalar or, for strings and submessages, to the
// pointer), or NULL when it is not set: a oneof that holds something else, a submessage that is not
// there. Not for repeated fields.
const void *plan_value(const struct plan_field *field, const void *message);

// The elements of a repeated field, each as plan_value() gives them.
size_t plan_count(const struct plan_field *field, const void *message);
const void *plan_element(const struct plan_field *field, const void *message, size_t index);
