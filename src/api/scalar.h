// Scalars of a message as text, alike in JSON and CSV: numbers, booleans, enums, bytes, times.
// Strings are each format's own, because they escape differently. Pure; any thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "api/message_plan.h"

struct strbuf;

// False and nothing written when the value is unknown: an enum's value 0, a double that is no number
// or infinite. Not for PLAN_STRING, PLAN_MESSAGE and PLAN_TIMESTAMP.
bool scalar_add(struct strbuf *into, const struct plan_field *field, const void *value);

// The enum's value by its name in the proto; NULL when it is not known.
const char *scalar_enum_name(const struct plan_field *field, int32_t value);

// Nanoseconds of the google.protobuf.Timestamp that `value` (as of plan_value()) points to; false when
// they do not fit 64 bits or the message contradicts itself.
bool scalar_time_ns(const void *value, int64_t *time_ns);
