// Options that are filters, made into those of a request. Pure; the messages live as long as the build.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct build;
struct invocation;
struct Netscope__V1__FlowFilter;
struct Netscope__V1__AlertFilter;

struct flow_filters {
    struct Netscope__V1__FlowFilter **allow, **deny;
    size_t allow_count, deny_count;
};
struct alert_filters {
    struct Netscope__V1__AlertFilter **allow, **deny;
    size_t allow_count, deny_count;
};

// Options without --not are one filter that has to fit, each one behind --not a filter of its own in deny. --ip, --port and
// --namespace mean any end each: together they are several filters, for they may be met by the same end or by different ones.
// False with a sentence: a port that is none.
bool flow_filters_build(struct build *build, const struct invocation *given, struct flow_filters *into,
                        struct error *error);
bool alert_filters_build(struct build *build, const struct invocation *given, struct alert_filters *into,
                         struct error *error);

// Of a request that has such filters.
#define FILTERS_PUT(request, filters)                                                                        \
    do {                                                                                                     \
        (request)->allow = (filters)->allow;                                                                 \
        (request)->n_allow = (filters)->allow_count;                                                         \
        (request)->deny = (filters)->deny;                                                                   \
        (request)->n_deny = (filters)->deny_count;                                                           \
    } while (0)
