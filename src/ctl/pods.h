// Names of addresses that are pods' of a cluster, as kubectl tells them once: for sensors that know no names themselves.
// Owned by the command; one thread. A look-up is a binary search.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct Netscope__V1__Flow;
struct Netscope__V1__Alert;

struct pod_name {
    const char *ip, *namespace, *name; // in `text`
};
struct pods {
    char *text;
    struct pod_name *list; // by address
    size_t count;
};

// False with a sentence: kubectl cannot be asked.
bool pods_read(struct pods *pods, struct error *error);
void pods_done(struct pods *pods); // takes a zeroed one

// Gives names to the ends, or parties, that have none. Those without memory keep none.
void pods_name_flow(const struct pods *pods, struct Netscope__V1__Flow *flow);
void pods_name_alert(const struct pods *pods, struct Netscope__V1__Alert *alert);
