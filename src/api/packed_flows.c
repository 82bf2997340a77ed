#include "api/packed_flows.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct packed_flow {
    uint64_t sequence; // 0 = none
    uint32_t length;
    uint8_t bytes[PACKED_FLOW_BYTES];
};

struct packed_flows {
    struct packed_flow view[2][PACKED_FLOWS];
};

struct packed_flows *packed_flows_create(void)
{
    return calloc(1, sizeof(struct packed_flows));
}

void packed_flows_destroy(struct packed_flows *packed)
{
    free(packed);
}

const uint8_t *packed_flows_find(const struct packed_flows *packed, uint64_t sequence, bool basic,
                                 size_t *length)
{
    const struct packed_flow *flow = &packed->view[basic][sequence % PACKED_FLOWS];
    assert(sequence > 0);
    if (flow->sequence != sequence)
        return NULL;
    *length = flow->length;
    return flow->bytes;
}

void packed_flows_keep(struct packed_flows *packed, uint64_t sequence, bool basic, const uint8_t *bytes,
                       size_t length)
{
    struct packed_flow *flow = &packed->view[basic][sequence % PACKED_FLOWS];
    assert(sequence > 0);
    if (length > PACKED_FLOW_BYTES)
        return;
    flow->sequence = sequence;
    flow->length = (uint32_t)length;
    memcpy(flow->bytes, bytes, length);
}
