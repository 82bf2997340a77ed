// The allow list (analysis.anomalies.allow): who never raises an alert. An entry is
//   CIDR [port=N or N-M] [side=source|target|any] [expires=DATE or time of RFC 3339] [comment=the rest of the entry]
// The network is that of the source unless `side` says otherwise. The port is the service's: the target's, or, where the
// target has none, the source's (a reflection). An entry without a port covers all ports, one with a port never a
// finding about many. A date holds until its end in UTC. Read once; then constant but for what was said of expiry.
// Cost of a look, which each contact that failed takes as well as each finding: a binary search for each length of network
// that the list has, then an entry a step of those for this very network.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "detect/alert.h"

struct allow_list;
struct string_list;

// NULL with a sentence that names the entry, or without memory.
struct allow_list *allow_list_create(const struct string_list *entries, struct error *error);
void allow_list_destroy(struct allow_list *list); // takes NULL

// Whether an entry that has not expired at `now_ns` (a packet's stamp) covers a finding. An address of version 0 stands
// for many, a port of 0 for any.
bool allow_list_covers(const struct allow_list *list, const struct endpoint *source,
                       const struct endpoint *target, int64_t now_ns);

// For the log, by the list's owner: the next entry, as it was written, that has expired by now and was not told before;
// NULL when there is none.
const char *allow_list_expired(struct allow_list *list, int64_t now_ns);

// The entry that would have silenced this alert and as little else as can be; "" for one about many on both sides.
enum { ALLOW_ENTRY_BYTES = 96 };
void allow_list_entry_for(const struct alert *alert, char into[ALLOW_ENTRY_BYTES]);
