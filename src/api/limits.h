// What a caller sees: words such as "namespace=shop", "network=10.0.0.0/8", "node=worker-1". The values of a key are
// alternatives, different keys all have to fit: an address lies inside when one of the networks holds it and its namespace is
// one of those named. Frozen once made, counted; any thread.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

#include "base/error.h"
#include "net/address.h"

enum { LIMITS_MOST = 64 }; // words

struct limits {
    atomic_uint holders;
    unsigned word_count, network_count, namespace_count, node_count;
    char **words;                     // as they were written
    struct prefix *networks;          // none = any address
    const char **namespaces, **nodes; // none = any; within `words`
};

// NULL in *out for no words. False with a sentence that names the word.
bool limits_parse(char *const *words, unsigned count, struct limits **out, struct error *error);
// Both take NULL, which lets everything be seen.
struct limits *limits_hold(const struct limits *limits);
void limits_release(const struct limits *limits);
// The same words in the same order.
bool limits_are_same(const struct limits *left, const struct limits *right);

// Whether the sensor is one of those that the caller may ask. NULL: any.
bool limits_hold_node(const struct limits *limits, const char *node);
