// A protobuf-c message as JSON, the same everywhere (exports, HTTP, netscopectl): snake_case names in
// the order of the field numbers, every field always there; integers as numbers; enums in lower case
// without the type's prefix; null for what is unknown (an enum's value 0, a oneof that is not set, a
// missing submessage, NaN); a google.protobuf.Timestamp `t` as `t`, decimal Unix seconds with 9 digits,
// and `t_time`, RFC 3339; bytes as base64. Pure; any thread; no allocation but the buffer's growth.
#pragma once

#include <stddef.h>

#include "api/message_plan.h"

struct strbuf;

// On one line, without a newline at the end. `message` is of the plan's type.
void json_add(struct strbuf *into, const struct message_plan *plan, const void *message);

// Over several lines with two blanks a level, without a newline at the end. Empty arrays stay "[]".
void json_add_indented(struct strbuf *into, const struct message_plan *plan, const void *message);

// The same walk in the dialect that Connect's clients expect, ProtoJSON with the proto's names: what is absent or empty is
// left out, enums have their full names, times are RFC 3339, spans "1.500000000s", whole numbers past 2^53 - 1 texts.
void json_add_proto(struct strbuf *into, const struct message_plan *plan, const void *message);

// The text in quotes. Valid JSON whatever the bytes: controls and DEL are escaped, a byte that is no
// UTF-8 becomes U+FFFD (text from the wire has gone through api_text() before and has none).
void json_add_string(struct strbuf *into, const char *text, size_t length);

// The elements of a repeated field as an array on one line (a CSV column of messages).
void json_add_array(struct strbuf *into, const struct plan_field *field, const void *message);
