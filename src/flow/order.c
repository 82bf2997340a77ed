#include "flow/order.h"

#include <string.h>

#include "flow/faces.h"

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
        return flow_counts_retransmissions(record)
                   ? rank_known(ordering, record->retransmissions[0] + record->retransmissions[1])
                   : 0;
    case FLOWS_BY_RTT:
        return record->rtt_far.samples > 0 ? rank_known(ordering, (uint64_t)record->rtt_far.ewma_ns) : 0;
    case FLOWS_BY_RATE:
    case FLOW_ORDERS:
        break;
    }
    return rank_rate(ordering, bytes, span_ns);
}

// rank_known() of a column whose values are known where `known` has bits.
static void rank_column(struct flow_ordering ordering, const uint64_t values[], uint64_t known,
                        uint64_t ranks[])
{
    uint64_t turn = ordering.ascending ? UINT64_MAX : 0; // to the number that is as far from the other end
    for (unsigned i = 0; i < FLOW_FACES; i++) {
        uint64_t shifted = values[i] + (values[i] != UINT64_MAX);
        ranks[i] = ((shifted ^ turn) - turn) & (0 - (known >> i & 1));
    }
}

static void rank_times(struct flow_ordering ordering, const int64_t times_ns[], uint64_t ranks[])
{
    for (unsigned i = 0; i < FLOW_FACES; i++)
        ranks[i] = rank_time(ordering, times_ns[i]);
}

// These cost a division each, or nearly as much.
static void rank_spans(struct flow_ordering ordering, const struct flow_faces *faces, uint64_t of,
                       uint64_t ranks[])
{
    memset(ranks, 0, FLOW_FACES * sizeof ranks[0]);
    while (of != 0) {
        unsigned i = column_take_place(&of);
        uint64_t span_ns = flow_span_ns(faces->first_ns[i], faces->last_ns[i]);
        ranks[i] = ordering.by == FLOWS_BY_DURATION ? rank_known(ordering, span_ns)
                                                    : rank_rate(ordering, faces->bytes[i], span_ns);
    }
}

uint64_t flow_ranks_of_faces(struct flow_ordering ordering, const struct flow_faces *faces, uint64_t of,
                             uint64_t ranks[])
{
    switch (ordering.by) {
    case FLOWS_BY_BYTES:
        rank_column(ordering, faces->bytes, UINT64_MAX, ranks);
        return of;
    case FLOWS_BY_PACKETS:
        rank_column(ordering, faces->packets, UINT64_MAX, ranks);
        return of & ~faces->extra;
    case FLOWS_BY_RECENCY:
        rank_times(ordering, faces->last_ns, ranks);
        return of & ~faces->extra;
    case FLOWS_BY_FIRST_SEEN:
        rank_times(ordering, faces->first_ns, ranks);
        return of & ~faces->extra;
    case FLOWS_BY_RETRANSMISSIONS:
        rank_column(ordering, faces->retransmissions, faces->counted, ranks);
        return of;
    case FLOWS_BY_RTT:
        rank_column(ordering, faces->rtt_ns, faces->rtt, ranks);
        return of;
    case FLOWS_BY_DURATION:
    case FLOWS_BY_RATE:
    case FLOW_ORDERS:
        break;
    }
    rank_spans(ordering, faces, of, ranks);
    return of;
}

unsigned flow_order_parts(enum flow_order order)
{
    switch (order) {
    case FLOWS_BY_FIRST_SEEN:
    case FLOWS_BY_DURATION:
    case FLOWS_BY_RATE:
        return FLOW_FACE_ENDS;
    case FLOWS_BY_RETRANSMISSIONS:
    case FLOWS_BY_RTT:
        return FLOW_FACE_QUALITY;
    default:
        return 0;
    }
}

int flow_order_compare(struct flow_ordering ordering, const struct flow_record *left,
                       const struct flow_record *right)
{
    uint64_t first = flow_rank(ordering, left), second = flow_rank(ordering, right);
    if (first != second)
        return first > second ? -1 : 1;
    return flow_record_compare_keys(left, right);
}
