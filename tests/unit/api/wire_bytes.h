// Bytes of requests as a client that follows no rules would send them, and what the gate says to them.
#pragma once

#include <criterion/criterion.h>
#include <string.h>

#include "api/gate.h"
#include "netscope/v1/flow_service.pb-c.h"
#include "netscope/v1/sensor.pb-c.h"

#define BYTES(text) (const uint8_t *)(text), sizeof(text) - 1

static struct status status; // of the last call

static inline bool has_violation(const char *field, const char *part)
{
    for (unsigned i = 0; i < status.violation_count; i++)
        if (strcmp(status.violation[i].field, field) == 0 &&
            strstr(status.violation[i].sentence, part) != NULL)
            return true;
    return false;
}

static inline void expect_violation(const char *field, const char *part)
{
    cr_expect_eq(status.code, STATUS_INVALID_ARGUMENT, "%s", status.message);
    cr_expect(has_violation(field, part), "no violation of \"%s\" with \"%s\": %s: %s", field, part,
              status.violation[0].field, status.violation[0].sentence);
}
