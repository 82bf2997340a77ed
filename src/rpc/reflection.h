// Server reflection: which services there are, and the descriptors of all protos, for clients that have none (grpcurl). The
// versions v1 and v1alpha have the same bytes. Read-only once made; any thread.
// https://github.com/grpc/grpc/blob/master/doc/server-reflection.md
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reflection;
struct strbuf;
struct status;

struct reflection *reflection_create(void); // NULL without memory
void reflection_destroy(struct reflection *reflection);

// Answers a ServerReflectionRequest by a ServerReflectionResponse. False with the status when it is none, or without memory;
// what is not there is an answer.
bool reflection_answer(const struct reflection *reflection, const uint8_t *request, size_t length,
                       struct strbuf *into, struct status *status);
