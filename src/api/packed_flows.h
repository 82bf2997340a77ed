// Packed flow events (FlowEvent in flow_service.proto), each packed once for all streams that tell the same of it: callers
// without limits, by view. The latest PACKED_FLOWS of a view are kept, which is more than one stream takes before the next one
// does. Longer ones than PACKED_FLOW_BYTES are not. One thread: the one that steps streams. Memory: 4 MiB, touched as it is used.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PACKED_FLOWS = 4096, PACKED_FLOW_BYTES = 496 };

struct packed_flows;

struct packed_flows *packed_flows_create(void);         // NULL without memory
void packed_flows_destroy(struct packed_flows *packed); // takes NULL

// The bytes of the event with that sequence (1 and up), until the next one is kept; NULL = it is to be packed.
const uint8_t *packed_flows_find(const struct packed_flows *packed, uint64_t sequence, bool basic,
                                 size_t *length);
void packed_flows_keep(struct packed_flows *packed, uint64_t sequence, bool basic, const uint8_t *bytes,
                       size_t length);
