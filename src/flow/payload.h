// What a TCP flow's payload says, read as the stream that it is: a ClientHello or a DNS message may come in several
// segments and in any order, several messages in one. Most segments begin with neither and cost a few compares. What is in
// several segments is put together in streams (assembly.h), of which each partition has a bounded pool: the oldest makes
// room and is told as far as it came.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "decode/app/dns.h"
#include "decode/app/tls.h"
#include "flow/assembly.h"
#include "flow/dns_transaction.h"
#include "flow/payload_counts.h"
#include "flow/store.h"

enum { MORE_ANSWERS = 1024 }; // of flow_table.more_answers, where nobody says how many packets a tick has

struct flow_table;
struct flow_hit;
struct flow_partition;

// Where a segment with data lies in its side's stream, as far as quality is measured (else every one is the next).
enum segment_place {
    SEGMENT_NEXT,  // the next, or nobody knows
    SEGMENT_OLD,   // all of it was there before: sent again, or a keep-alive
    SEGMENT_AHEAD, // the first that was seen of a stream whose beginning is still to come
};

// Before the segment is measured. *first: of SEGMENT_AHEAD, the sequence number at which the stream begins.
enum segment_place flow_place_segment(const struct flow_store *store, const struct flow *flow,
                                      const struct packet *packet, uint8_t sender, uint32_t *first);

// A segment that its flow counted and that has data at hand. Answers go to the list: one a segment, and as many more as
// the partition may list in a tick (flow_table.more_answers). The others are told to their flows alone, and counted.
void flow_read_segment(struct flow_table *table, const struct flow_hit *hit, const struct packet *packet,
                       uint64_t hash, struct dns_list *answers);

// The flow ends: what its streams hold is told as far as it came.
void flow_end_streams(struct flow_table *table, struct flow_partition *partition, uint32_t id);

// Forgets all streams of a partition, without a word.
void flow_drop_streams(struct flow_table *table, struct flow_partition *partition);
