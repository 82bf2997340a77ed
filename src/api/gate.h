// The gate through which every request passes, whatever its transport: bytes of a protobuf message are walked by their
// descriptor before anything is allocated for them, JSON is turned into such bytes first. What protobuf-c lets pass is
// refused here: fields that are not known (ignoring a filter would widen the answer), too many or too deep messages
// (64 KiB of empty filters take 10 MB unpacked, 42 KB of nested ones the stack), text that is no UTF-8 or holds a NUL, values
// of an enum that are not known, a field or members of a oneof given twice.
// Pure; any thread. Cost: one pass, then protobuf-c's.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/status.h"

struct ProtobufCMessage;
struct ProtobufCMessageDescriptor;
struct strbuf;

enum {
    GATE_BYTES = 65536,   // of a request
    GATE_DEPTH = 8,       // messages within messages, the request included
    GATE_ITEMS = 256,     // of a repeated field
    GATE_MESSAGES = 2048, // in all
};

// Walks only. False with a violation for each field that is wrong, as far as it can be read.
bool gate_check(const struct ProtobufCMessageDescriptor *descriptor, const uint8_t *bytes, size_t length,
                struct status *status);
// The request, to be freed with gate_free(). NULL with the status.
struct ProtobufCMessage *gate_open(const struct ProtobufCMessageDescriptor *descriptor, const uint8_t *bytes,
                                   size_t length, struct status *status);
// The same of ProtoJSON: names as in the proto or in camelCase, enums by name or number, 64 bit numbers as such or in
// quotes, times as RFC 3339, spans as "1.5s", null is absent. Members that are no field are refused.
struct ProtobufCMessage *gate_open_json(const struct ProtobufCMessageDescriptor *descriptor, const char *text,
                                        size_t length, struct status *status);
void gate_free(struct ProtobufCMessage *request); // takes NULL

// gate_json.c: the bytes of a request in JSON, not walked yet. False with the status.
bool gate_encode_json(const struct ProtobufCMessageDescriptor *descriptor, const char *text, size_t length,
                      struct strbuf *into, struct status *status);
