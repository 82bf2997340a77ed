// How options become members of a filter's message: a row a member, beside the row of its option. For ctl/filters.c and the
// tables.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "ctl/command.h"

struct build;
struct invocation;
struct ProtobufCMessage;
struct ProtobufCMessageDescriptor;

// How a value of an option gets into its member.
enum filter_kind {
    FILTER_NETWORK, // of an EndpointFilter
    FILTER_PORT,    // likewise
    FILTER_NAMESPACE,
    FILTER_TEXT,
    FILTER_NAME,
    FILTER_WORD, // of a closed list
    FILTER_NUMBER,
    FILTER_NUMBER_MIN,
    FILTER_NUMBER_MAX,
    FILTER_SPAN_MIN,
    FILTER_SPAN_MAX,
};

struct filter_member {
    enum filter_kind kind;
    size_t offset, count_offset; // of the member, and of a list's count
};

// A kind of filters.
struct filter_kinds {
    const struct ProtobufCMessageDescriptor *message;
    const struct option_row *rows;       // ended by a row without a name
    const struct filter_member *members; // in the order of the rows
};

// Filters of a request: lists of pointers to the kind's messages. `allow` holds one at most, and has room for more.
enum { FILTER_ALLOW_ROOM = 4 };
struct filter_lists {
    struct ProtobufCMessage **allow, **deny;
    size_t allow_count, deny_count;
};

// False with a sentence. NULL lists are none given.
bool filter_lists_build(const struct filter_kinds *kinds, struct build *build, const struct invocation *given,
                        struct filter_lists *into, struct error *error);
// A copy of a filter, to be changed; NULL without memory.
struct ProtobufCMessage *filter_copy(const struct filter_kinds *kinds, struct build *build,
                                     const struct ProtobufCMessage *filter);
