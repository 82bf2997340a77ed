// What is known above flow/ of what leaves the shards: names of addresses (names.file first, then those that DNS answers
// gave), direction by networks.local, node and interfaces. One namer for events, alerts and the rows of answers, so that
// all of them say the same. Embedded in aggregate; its thread. A name costs a look into two hashed tables.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "aggregate/alert_event.h"
#include "aggregate/flow_event.h"
#include "aggregate/name_cache.h"
#include "aggregate/name_loader.h"
#include "aggregate/sink.h"
#include "base/error.h"
#include "capture/source.h"

struct namer {
    const char *node;            // borrowed, as the next one
    const struct source *source; // knows its interfaces
    struct name_cache *cache;
    struct name_loader *loader;
    struct naming *naming; // taken from the loader
    char interface[1 + OBSERVED_INTERFACES][SINK_INTERFACE_BYTES];
};

struct namer_setup {
    const char *node;
    const struct source *source;
    const struct names_settings *settings;
    unsigned entries; // of the names that DNS gives
    uint64_t hash_seed;
};

// False with a sentence: a names.file that cannot be read, a networks.local that is no CIDR. It is done all the same.
bool namer_init(struct namer *namer, const struct namer_setup *setup, struct error *error);
void namer_done(struct namer *namer); // safe on zeros

// Between two ticks: takes the newest that the settings say of addresses.
void namer_refresh(struct namer *namer);
// The names that a DNS answer gives.
void namer_learn(struct namer *namer, const struct dns_transaction *transaction);

// What is known of a record, all of it but the Community ID. The texts are borrowed from the record's names and from the
// namer until its next call; flow_block_keep() copies them.
void namer_name_record(struct namer *namer, const struct flow_record *record, struct flow_event *event);
// The names of an alert's sources and targets; copied.
void namer_name_alert(const struct namer *namer, struct alert_event *event);

// What addresses and networks are called, by places: those of names.file, then those that DNS gave. NULL where a place
// holds none. `naming` tells which names.file it is: places of another one mean something else.
size_t namer_places(const struct namer *namer, const void **naming);
const char *namer_name_at(const struct namer *namer, size_t place, struct prefix *prefix);
// The row of names.file at a place, and the one around it, NULL = none. NULL behind the last row,
// and where the row means nothing.
const struct name_row *namer_row_at(const struct namer *namer, size_t place, const struct name_row **outer);
