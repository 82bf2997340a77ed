#include "api/scalar.h"

#include <math.h>
#include <stdlib.h>

#include "api/decimal.h"
#include "base/base64.h"
#include "base/strbuf.h"
#include "base/time.h"
#include "netscope/v1/flow.pb-c.h"

static bool add_real(struct strbuf *into, double value)
{
    if (!isfinite(value))
        return false;
    decimal_add(into, value);
    return true;
}

static const struct plan_enum_value *find_enum(const struct plan_enum *plan, int32_t value)
{
    if (value >= 0 && (unsigned)value < plan->count && plan->values[value].value == value)
        return &plan->values[value];
    for (unsigned i = 0; i < plan->count; i++)
        if (plan->values[i].value == value)
            return &plan->values[i];
    return NULL;
}

const char *scalar_enum_name(const struct plan_field *field, int32_t value)
{
    const struct plan_enum_value *found = find_enum(&field->enumeration, value);
    return found != NULL ? found->name : NULL;
}

// A number that the enum does not know (a newer peer's) stays a number.
static bool add_enum(struct strbuf *into, const struct plan_enum *plan, int32_t value)
{
    if (value == 0)
        return false;
    const struct plan_enum_value *found = find_enum(plan, value);
    if (found != NULL)
        strbuf_add(into, found->text);
    else
        strbuf_add_i64(into, value);
    return true;
}

static bool add_bytes(struct strbuf *into, const ProtobufCBinaryData *bytes)
{
    char *text = malloc(BASE64_TEXT_BYTES(bytes->len));
    if (text == NULL) {
        into->failed = true;
        return true;
    }
    strbuf_add(into, base64_encode(bytes->data, bytes->len, text));
    free(text);
    return true;
}

static void add_integer(struct strbuf *into, enum plan_kind kind, const void *value)
{
    if (kind == PLAN_I32)
        strbuf_add_i64(into, *(const int32_t *)value);
    else if (kind == PLAN_U32)
        strbuf_add_u64(into, *(const uint32_t *)value);
    else if (kind == PLAN_I64)
        strbuf_add_i64(into, *(const int64_t *)value);
    else
        strbuf_add_u64(into, *(const uint64_t *)value);
}

bool scalar_add(struct strbuf *into, const struct plan_field *field, const void *value)
{
    switch (field->kind) {
    case PLAN_BOOL:
        strbuf_add(into, *(const protobuf_c_boolean *)value != 0 ? "true" : "false");
        return true;
    case PLAN_FLOAT:
        return add_real(into, (double)*(const float *)value);
    case PLAN_DOUBLE:
        return add_real(into, *(const double *)value);
    case PLAN_ENUM:
        return add_enum(into, &field->enumeration, *(const int32_t *)value);
    case PLAN_BYTES:
        return add_bytes(into, value);
    default:
        add_integer(into, field->kind, value);
        return true;
    }
}

bool scalar_time_ns(const void *value, int64_t *time_ns)
{
    const Google__Protobuf__Timestamp *time = *(const Google__Protobuf__Timestamp *const *)value;
    int64_t whole;
    return time->nanos >= 0 && time->nanos < NS_PER_S &&
           !__builtin_mul_overflow(time->seconds, NS_PER_S, &whole) &&
           !__builtin_add_overflow(whole, (int64_t)time->nanos, time_ns);
}
