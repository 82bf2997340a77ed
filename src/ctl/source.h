// Where sensors are found: an address is itself, a DNS name its addresses, a cluster its pods. Borrows its texts. Looking may
// take seconds; any thread may.
#pragma once

#include <stdbool.h>

#include "base/error.h"

enum source_kind { SOURCE_ADDRESS, SOURCE_DNS, SOURCE_KUBE };

struct source {
    enum source_kind kind;
    const char *address;              // of the first two: "host:port", "dns:///name:port"
    const char *namespace, *selector; // of pods; NULL = kubectl's own, netscope's
};

struct place {
    char *label;    // what people call it: "10.0.0.1:9871", "netscope-x7k2p on worker-1"
    char *address;  // what tells it from others, and what it is reached by
    char *tls_name; // that its certificate has; NULL = as the address says
};
struct places {
    struct place *list;
    unsigned count, room;
};

// False with a sentence: nothing could be learned. There may be none: that is told by who asked.
bool source_look(const struct source *source, struct places *into, struct error *error);
void places_done(struct places *places);

// "pod:NAMESPACE/NAME" of a place: its parts go to `namespace` and `name`. False: it is no pod.
bool place_is_pod(const char *address, char namespace[256], char name[256]);
