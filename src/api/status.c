#include "api/status.h"

#include <assert.h>
#include <google/rpc/error_details.pb-c.h>
#include <google/rpc/status.pb-c.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/build.h"
#include "api/json.h"
#include "api/text.h"
#include "base/base64.h"
#include "base/strbuf.h"

static char domain[] = "netscope";
static char prefix_of_types[] = "type.googleapis.com/";

const char *status_code_name(enum status_code code)
{
    static const char *const names[STATUS_CODES] = {
        "OK",        "CANCELLED",       "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
        "NOT_FOUND", "ALREADY_EXISTS",  "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
        "ABORTED",   "OUT_OF_RANGE",    "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
        "DATA_LOSS", "UNAUTHENTICATED",
    };
    assert(code < STATUS_CODES);
    return names[code];
}

// Takes the start of a character back that did not fit, and what is no UTF-8: a message must be.
static void make_whole(char *text)
{
    size_t length = strlen(text), at = 0;
    while (at < length) {
        size_t bytes = utf8_sequence((const uint8_t *)text + at, length - at);
        if (bytes == 0 && length - at < 4) {
            text[at] = '\0';
            return;
        }
        if (bytes == 0)
            text[at] = '?';
        at += bytes > 0 ? bytes : 1;
    }
}

__attribute__((format(printf, 3, 0))) static void write_text(char *into, size_t bytes, const char *format,
                                                             va_list arguments)
{
    vsnprintf(into, bytes, format, arguments);
    make_whole(into);
}

bool status_set(struct status *status, enum status_code code, const char *reason, const char *format, ...)
{
    va_list arguments;
    assert(code != STATUS_OK && code < STATUS_CODES && reason != NULL);
    status->code = code;
    status->reason = reason;
    va_start(arguments, format);
    write_text(status->message, sizeof status->message, format, arguments);
    va_end(arguments);
    return false;
}

// One more violation; the first one is the status.
__attribute__((format(printf, 5, 0))) static void add_violation(struct status *status, enum status_code code,
                                                                const char *reason, const char *field,
                                                                const char *format, va_list arguments)
{
    assert(status->violation_count <= STATUS_VIOLATIONS);
    if (status->violation_count == STATUS_VIOLATIONS)
        return;
    struct status_violation *violation = &status->violation[status->violation_count++];
    snprintf(violation->field, sizeof violation->field, "%s", field);
    make_whole(violation->field);
    write_text(violation->sentence, sizeof violation->sentence, format, arguments);
    if (status->violation_count == 1)
        status_set(status, code, reason, "%s%s%s", field, field[0] != '\0' ? ": " : "", violation->sentence);
}

bool status_violate(struct status *status, const char *field, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add_violation(status, STATUS_INVALID_ARGUMENT, "INVALID_REQUEST", field, format, arguments);
    va_end(arguments);
    return false;
}

bool status_deny(struct status *status, const char *field, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add_violation(status, STATUS_PERMISSION_DENIED, "OUTSIDE_LIMITS", field, format, arguments);
    va_end(arguments);
    return false;
}

bool status_from_error(struct status *status, const struct error *error)
{
    static const struct {
        enum status_code code;
        const char *reason;
    } rows[ERROR_KINDS] = {
        [ERROR_NONE] = {STATUS_INTERNAL, "INTERNAL"}, // whoever failed did not say why
        [ERROR_INVALID_ARGUMENT] = {STATUS_INVALID_ARGUMENT, "INVALID_REQUEST"},
        [ERROR_NOT_FOUND] = {STATUS_NOT_FOUND, "NOT_FOUND"},
        [ERROR_PERMISSION] = {STATUS_PERMISSION_DENIED, "NOT_PERMITTED"},
        [ERROR_FAILED_PRECONDITION] = {STATUS_FAILED_PRECONDITION, "NOT_NOW"},
        [ERROR_EXHAUSTED] = {STATUS_RESOURCE_EXHAUSTED, "EXHAUSTED"},
        [ERROR_UNAVAILABLE] = {STATUS_UNAVAILABLE, "UNAVAILABLE"},
        [ERROR_CANCELLED] = {STATUS_CANCELLED, "CANCELLED"},
        [ERROR_DEADLINE_EXCEEDED] = {STATUS_DEADLINE_EXCEEDED, "TOO_SLOW"},
        [ERROR_DATA_LOSS] = {STATUS_DATA_LOSS, "DATA_LOSS"},
        [ERROR_INTERNAL] = {STATUS_INTERNAL, "INTERNAL"},
    };
    assert(error->kind < ERROR_KINDS);
    return status_set(status, rows[error->kind].code, rows[error->kind].reason, "%s", error->text);
}

// The details of a status, and what they take of the room that there is.
struct details {
    size_t count, bytes;
    Google__Protobuf__Any any[3], *list[3];
    char type[3][96];
};

// Adds bytes that are the caller's while the details live.
static void add_bytes(struct details *details, const char *type, uint8_t *bytes, size_t length)
{
    Google__Protobuf__Any *any = &details->any[details->count];
    assert(details->count < 3);
    google__protobuf__any__init(any);
    snprintf(details->type[details->count], sizeof details->type[0], "%s%s", prefix_of_types, type);
    any->type_url = details->type[details->count];
    any->value = (ProtobufCBinaryData){.len = length, .data = bytes};
    details->list[details->count++] = any;
    details->bytes += length;
}

static bool add_message(struct details *details, const ProtobufCMessage *message, uint8_t **packed)
{
    size_t length = protobuf_c_message_get_packed_size(message);
    *packed = malloc(length + 1);
    if (*packed == NULL)
        return false;
    protobuf_c_message_pack(message, *packed);
    add_bytes(details, message->descriptor->name, *packed, length);
    return true;
}

static bool add_info(struct details *details, const struct status *status, uint8_t **packed)
{
    Google__Rpc__ErrorInfo info;
    google__rpc__error_info__init(&info);
    info.reason = build_borrowed(status->reason);
    info.domain = domain;
    return add_message(details, &info.base, packed);
}

// As many violations as have room.
static bool add_violations(struct details *details, const struct status *status, uint8_t **packed)
{
    Google__Rpc__BadRequest bad;
    Google__Rpc__BadRequest__FieldViolation row[STATUS_VIOLATIONS], *list[STATUS_VIOLATIONS];
    google__rpc__bad_request__init(&bad);
    bad.field_violations = list;
    for (unsigned i = 0; i < status->violation_count; i++) {
        google__rpc__bad_request__field_violation__init(&row[i]);
        row[i].field = build_borrowed(status->violation[i].field);
        row[i].description = build_borrowed(status->violation[i].sentence);
        list[i] = &row[i];
        bad.n_field_violations = i + 1;
        if (details->bytes + google__rpc__bad_request__get_packed_size(&bad) <= STATUS_DETAILS_BYTES / 2)
            continue;
        bad.n_field_violations = i;
        break;
    }
    return bad.n_field_violations == 0 || add_message(details, &bad.base, packed);
}

// What the details hold, and the memory that they stand in.
struct packed_details {
    struct details details;
    uint8_t *info, *violations;
};

static bool make_details(struct packed_details *packed, const struct status *status)
{
    struct details *details = &packed->details;
    *packed = (struct packed_details){0};
    bool good = status->code == STATUS_OK || (add_info(details, status, &packed->info) &&
                                              add_violations(details, status, &packed->violations));
    if (status->extra_type != NULL && details->bytes + status->extra_bytes <= STATUS_DETAILS_BYTES)
        add_bytes(details, status->extra_type, (uint8_t *)(uintptr_t)status->extra, status->extra_bytes);
    return good;
}

static void free_details(struct packed_details *packed)
{
    free(packed->violations);
    free(packed->info);
}

bool status_pack(const struct status *status, struct strbuf *into)
{
    Google__Rpc__Status message;
    struct packed_details made;
    google__rpc__status__init(&message);
    message.code = (int32_t)status->code;
    message.message = build_borrowed(status->message);
    bool good = make_details(&made, status);
    message.details = made.details.list;
    message.n_details = made.details.count;
    size_t length = google__rpc__status__get_packed_size(&message);
    uint8_t *packed = good ? malloc(length + 1) : NULL;
    if (packed != NULL) {
        google__rpc__status__pack(&message, packed);
        strbuf_add_bytes(into, packed, length);
    }
    free(packed);
    free_details(&made);
    return packed != NULL && !into->failed;
}

// "canceled" with one l is Connect's.
static void add_code_name(struct strbuf *into, enum status_code code)
{
    if (code == STATUS_CANCELLED) {
        strbuf_add(into, "canceled");
        return;
    }
    for (const char *at = status_code_name(code); *at != '\0'; at++)
        strbuf_add_char(into, *at >= 'A' && *at <= 'Z' ? (char)(*at - 'A' + 'a') : *at);
}

// Without padding, and in pieces that need none.
static void add_base64(struct strbuf *into, const uint8_t *bytes, size_t length)
{
    enum { PIECE = 3 * 64 };
    char text[BASE64_TEXT_BYTES(PIECE)];
    for (size_t at = 0; at < length; at += PIECE) {
        base64_encode(bytes + at, length - at < PIECE ? length - at : PIECE, text);
        text[strcspn(text, "=")] = '\0';
        strbuf_add(into, text);
    }
}

static void add_detail(struct strbuf *into, const Google__Protobuf__Any *any)
{
    strbuf_addf(into, "{\"type\":\"%s\",\"value\":\"", any->type_url + sizeof prefix_of_types - 1);
    add_base64(into, any->value.data, any->value.len);
    strbuf_add(into, "\"}");
}

void status_add_json(const struct status *status, struct strbuf *into)
{
    struct packed_details made;
    assert(status->code != STATUS_OK);
    bool good = make_details(&made, status);
    strbuf_add(into, "{\"code\":\"");
    add_code_name(into, status->code);
    strbuf_add(into, "\",\"message\":");
    json_add_string(into, status->message, strlen(status->message));
    strbuf_add(into, ",\"details\":[");
    for (size_t i = 0; good && i < made.details.count; i++) {
        if (i > 0)
            strbuf_add_char(into, ',');
        add_detail(into, made.details.list[i]);
    }
    strbuf_add(into, "]}");
    free_details(&made);
}
