// Which addresses have a name, for filters by the names of endpoints, or lie in a namespace: a message to the aggregate's
// thread, which alone knows the names that DNS answers gave, and looks through names.file too. What it finds is of that moment.
#pragma once

#include "base/error.h"
#include "base/message.h"
#include "flow/filter.h"

struct namer;

struct name_search {
    struct message message;     // first
    struct filter_names *names; // NULL: namespaces are looked for
    char **namespaces;
    unsigned namespace_count;
    size_t next;        // place to be looked at
    const void *naming; // whose places these are
    // When it is finished:
    struct error error;          // kind ERROR_NONE: all of them were found
    struct prefix *prefixes;     // of names
    struct filter_place *places; // of namespaces
    unsigned count;              // of either
};

// The names are checked already (flow_filter_check()) and copied. Held by the caller; NULL without memory.
struct name_search *name_search_create(const struct filter_name *names, unsigned count, int64_t deadline_ns);

// The same of namespaces, which are copied; case matters. Only names.file has them.
struct name_search *name_search_create_places(const char *const *namespaces, unsigned count,
                                              int64_t deadline_ns);

// The aggregate's thread: does a slice; whether it was the last one. More than FILTER_NAMED_PREFIXES addresses are refused
// with a sentence; what nobody waits for any more is given up.
bool name_search_serve(struct name_search *search, const struct namer *namer);
