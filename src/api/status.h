// How a call ends: a canonical status code, a sentence, a reason that programs may rely on, and for a request that is wrong
// the fields that are, with their paths ("allow[0].client.ports[1].min", from 0). A plain value on its owner's stack;
// any thread. What it renders as, google.rpc.Status, is bounded: more violations than there is room for are left out.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct strbuf;

// Numbers and names are gRPC's, and Connect's.
enum status_code {
    STATUS_OK = 0,
    STATUS_CANCELLED = 1,
    STATUS_UNKNOWN = 2,
    STATUS_INVALID_ARGUMENT = 3,
    STATUS_DEADLINE_EXCEEDED = 4,
    STATUS_NOT_FOUND = 5,
    STATUS_ALREADY_EXISTS = 6,
    STATUS_PERMISSION_DENIED = 7,
    STATUS_RESOURCE_EXHAUSTED = 8,
    STATUS_FAILED_PRECONDITION = 9,
    STATUS_ABORTED = 10,
    STATUS_OUT_OF_RANGE = 11,
    STATUS_UNIMPLEMENTED = 12,
    STATUS_INTERNAL = 13,
    STATUS_UNAVAILABLE = 14,
    STATUS_DATA_LOSS = 15,
    STATUS_UNAUTHENTICATED = 16,
    STATUS_CODES,
};

enum {
    STATUS_MESSAGE_BYTES = 1024,
    STATUS_VIOLATIONS = 16,
    STATUS_FIELD_BYTES = 128,
    STATUS_SENTENCE_BYTES = 256,
    STATUS_DETAILS_BYTES = 4096,
    STATUS_EXTRA_BYTES = 2048,
};

struct status_violation {
    char field[STATUS_FIELD_BYTES];
    char sentence[STATUS_SENTENCE_BYTES];
};

struct status {
    enum status_code code;
    const char *reason; // UPPER_SNAKE, static; NULL when all is well
    char message[STATUS_MESSAGE_BYTES];
    unsigned violation_count; // those beyond STATUS_VIOLATIONS are left out
    struct status_violation violation[STATUS_VIOLATIONS];
    // A message of ours among the details: its full name, static, and its bytes.
    const char *extra_type; // NULL = none
    size_t extra_bytes;
    uint8_t extra[STATUS_EXTRA_BYTES];
};

#define STATUS_FINE ((struct status){.code = STATUS_OK})

const char *status_code_name(enum status_code code); // "INVALID_ARGUMENT"

// These return false always, as error_set() does. Texts that are too long are cut between characters.
bool status_set(struct status *status, enum status_code code, const char *reason, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
// One more field that is wrong: the status becomes INVALID_ARGUMENT, its sentence tells of the first.
bool status_violate(struct status *status, const char *field, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
// One more field that names what the caller may not see: PERMISSION_DENIED with OUTSIDE_LIMITS, unless the request is wrong.
bool status_deny(struct status *status, const char *field, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
// What a failure is to a caller: the canonical code of its kind, and its sentence.
bool status_from_error(struct status *status, const struct error *error);

// The bytes of google.rpc.Status with ErrorInfo, BadRequest and the extra message: code and message are the trailers'.
// False without memory.
bool status_pack(const struct status *status, struct strbuf *into);

// The same as Connect has errors: {"code":"not_found","message":...,"details":[{"type":...,"value":...}]}, values in base64
// without padding; details are left out without memory. Not of STATUS_OK.
void status_add_json(const struct status *status, struct strbuf *into);
