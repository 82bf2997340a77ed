// A named flow as one block of bytes without pointers, for the queue and the spool: the record and its
// texts. Blocks are multiples of 8 bytes, aligned to 8, and are read in the process that wrote them.
#pragma once

#include <stddef.h>

#include "aggregate/sink.h"

// No block is larger; longer texts of a flow are cut at 255 bytes.
enum { PACKED_FLOW_MOST_BYTES = 8192 };

struct packed_flow {
    uint32_t bytes; // of the whole block
    uint8_t name_source[2];
    uint8_t direction;
    bool has_names;
    uint8_t sni_status, app;
    uint16_t tls_version, dns_type;
    int16_t dns_rcode;
    char community_id[32];
    struct flow_record record; // its `names` is NULL
    char texts[];              // in the order of packed_flow.c, each terminated
};

// A flow taken out again. `flow` points into this struct and into the block.
struct unpacked_flow {
    struct named_flow flow;
    struct flow_record record;
    struct flow_names names;
};

size_t packed_flow_bytes(const struct named_flow *flow);
// Writes packed_flow_bytes() bytes.
void packed_flow_write(void *into, const struct named_flow *flow);
void packed_flow_read(const struct packed_flow *packed, struct unpacked_flow *out);
