// Answers of methods as ProtoJSON: the plans of all responses, made once. Frozen; any thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct method;
struct proto_json;
struct strbuf;

// NULL without memory.
struct proto_json *proto_json_create(void);
void proto_json_destroy(struct proto_json *all); // takes NULL

// The bytes of a message of the method's response type. False without memory.
bool proto_json_add(const struct proto_json *plans, const struct method *method, const uint8_t *bytes,
                    size_t length, struct strbuf *into);
