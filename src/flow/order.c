#include "flow/order.h"

#include <string.h>

#include "flow/face.h"

// Known values lie above 0, the rank of unknown ones.
static uint64_t rank_known(struct flow_ordering ordering, uint64_t value)
{
    uint64_t shifted = value < UINT64_MAX ? value + 1 : value;
    return ordering.ascending ? UINT64_MAX - shifted + 1 : shifted;
}

static uint64_t rank_time(struct flow_ordering ordering, int64_t time_ns)
{
    return rank_known(ordering, (uint64_t)time_ns ^ (UINT64_C(1) << 63));
}

// Numbers of floating point that are not negative are ordered as their bits are.
static uint64_t rank_rate(struct flow_ordering ordering, uint64_t bytes, uint64_t span_ns)
{
    if (span_ns == 0)
        return 0;
    double rate = (double)bytes / (double)span_ns;
    uint64_t bits;
    memcpy(&bits, &rate, sizeof bits);
    return rank_known(ordering, bits);
}

uint64_t flow_rank(struct flow_ordering ordering, const struct flow_record *record)
{
    uint64_t bytes = record->bytes[0] + record->bytes[1];
    uint64_t span_ns = flow_span_ns(record->first_seen_ns, record->last_seen_ns);
    switch (ordering.by) {
    case FLOWS_BY_BYTES:
        return rank_known(ordering, bytes);
    case FLOWS_BY_PACKETS:
        return rank_known(ordering, record->packets[0] + record->packets[1]);
    case FLOWS_BY_RECENCY:
        return rank_time(ordering, record->last_seen_ns);
    case FLOWS_BY_FIRST_SEEN:
        return rank_time(ordering, record->first_seen_ns);
    case FLOWS_BY_DURATION:
        return rank_known(ordering, span_ns);
    case FLOWS_BY_RETRANSMISSIONS:
        if (record->protocol != IP_PROTOCOL_TCP || !record->has_quality)
            return 0;
        return rank_known(ordering, record->retransmissions[0] + record->retransmissions[1]);
    case FLOWS_BY_RTT:
        return record->rtt_samples > 0 ? rank_known(ordering, (uint64_t)record->rtt_ewma_ns) : 0;
    case FLOWS_BY_RATE:
    case FLOW_ORDERS:
        break;
    }
    return rank_rate(ordering, bytes, span_ns);
}

bool flow_rank_of_face(struct flow_ordering ordering, const struct flow_face *face, uint64_t *rank)
{
    switch (ordering.by) {
    case FLOWS_BY_BYTES:
        *rank = rank_known(ordering, face->bytes);
        return true;
    case FLOWS_BY_PACKETS:
        *rank = rank_known(ordering, face->packets);
        return !face->has_extra;
    case FLOWS_BY_RECENCY:
        *rank = rank_time(ordering, face->last_ns);
        return !face->has_extra;
    case FLOWS_BY_FIRST_SEEN:
        *rank = rank_time(ordering, face->first_ns);
        return !face->has_extra;
    case FLOWS_BY_DURATION:
        *rank = rank_known(ordering, flow_span_ns(face->first_ns, face->last_ns));
        return true;
    case FLOWS_BY_RETRANSMISSIONS:
        *rank = 0;
        return face->protocol != IP_PROTOCOL_TCP;
    case FLOWS_BY_RTT:
        *rank = 0;
        return !face->has_quality;
    case FLOWS_BY_RATE:
    case FLOW_ORDERS:
        break;
    }
    *rank = rank_rate(ordering, face->bytes, flow_span_ns(face->first_ns, face->last_ns));
    return true;
}

bool flow_order_needs_ends(enum flow_order order)
{
    return order == FLOWS_BY_FIRST_SEEN || order == FLOWS_BY_DURATION || order == FLOWS_BY_RATE;
}

bool flow_order_needs_parts(enum flow_order order)
{
    return order == FLOWS_BY_RETRANSMISSIONS || order == FLOWS_BY_RTT;
}

int flow_order_compare(struct flow_ordering ordering, const struct flow_record *left,
                       const struct flow_record *right)
{
    uint64_t first = flow_rank(ordering, left), second = flow_rank(ordering, right);
    if (first != second)
        return first > second ? -1 : 1;
    return flow_record_compare_keys(left, right);
}
