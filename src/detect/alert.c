#include "detect/alert.h"

#include <assert.h>
#include <string.h>

#define KIND_NAME(NAME, text, technique)      text,
#define KIND_TECHNIQUE(NAME, text, technique) technique,
static const char *const kind_names[] = {ALERT_KIND_ROWS(KIND_NAME)};
static const char *const techniques[] = {ALERT_KIND_ROWS(KIND_TECHNIQUE)};
static const char *const severity_names[] = {"low", "medium", "high", "critical"};

const char *alert_kind_name(enum alert_kind kind)
{
    assert(kind < ALERT_KINDS);
    return kind_names[kind];
}

const char *alert_technique(enum alert_kind kind)
{
    assert(kind < ALERT_KINDS);
    return techniques[kind];
}

const char *alert_severity_name(enum alert_severity severity)
{
    assert(severity < ALERT_SEVERITIES);
    return severity_names[severity];
}

enum alert_kind alert_kind_find(const char *name)
{
    for (unsigned kind = 0; kind < ALERT_KINDS; kind++)
        if (strcmp(kind_names[kind], name) == 0)
            return (enum alert_kind)kind;
    return ALERT_KINDS;
}
