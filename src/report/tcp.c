#include "report/tcp.h"

#include "base/time.h"
#include "net/protocol.h"

enum { LOSSY_PERCENT = 1 };
static const int64_t slow_round_trip_ns = 500 * NS_PER_MS;

static unsigned client_of(const struct flow_record *record)
{
    return record->client == 1 ? 1 : 0;
}

enum report_attempt report_attempt_of(const struct flow_record *record)
{
    unsigned client = client_of(record);
    uint8_t asked = record->tcp_flags[client], answered = record->tcp_flags[!client];
    if (record->tcp_state == TCP_STATE_SYN_SENT && record->packets[!client] == 0)
        return end_is_inconclusive(record->reason, record->first_seen_ns, record->end_ns)
                   ? ATTEMPT_INCONCLUSIVE
                   : ATTEMPT_UNANSWERED;
    bool only_reset = (answered & TCP_RST) != 0 && (answered & TCP_SYN) == 0;
    if (record->tcp_state == TCP_STATE_RESET && (asked & TCP_SYN) != 0 && only_reset)
        return ATTEMPT_REFUSED;
    return ATTEMPT_NONE;
}

int64_t report_round_trip_ns(const struct flow_record *record)
{
    int64_t smoothed = record->rtt_far.samples > 0 ? record->rtt_far.ewma_ns : -1;
    return record->handshake_rtt_ns > smoothed ? record->handshake_rtt_ns : smoothed;
}

// An answer whose question was not captured: nor would be what followed.
static bool is_lone_answer(const struct flow_record *record)
{
    return record->tcp_state == TCP_STATE_SYN_ACK && record->packets[client_of(record)] == 0;
}

static bool is_half_open(const struct flow_record *record)
{
    return (record->tcp_state == TCP_STATE_SYN_ACK || record->tcp_state == TCP_STATE_SYN_SENT) &&
           !is_lone_answer(record);
}

static void count_end(struct report_tcp *tcp, const struct flow_record *record, enum report_attempt attempt)
{
    if (attempt == ATTEMPT_UNANSWERED)
        tcp->unanswered++;
    else if (attempt == ATTEMPT_INCONCLUSIVE)
        tcp->inconclusive++;
    else if (attempt == ATTEMPT_REFUSED)
        tcp->refused++;
    else if (record->tcp_state == TCP_STATE_RESET)
        tcp->reset++;
    else if (record->tcp_state == TCP_STATE_CLOSED)
        tcp->closed++;
    else if (is_half_open(record))
        tcp->half_open++;
    else if (((record->tcp_flags[0] | record->tcp_flags[1]) & TCP_SYN) == 0 || is_lone_answer(record))
        tcp->midway++;
    else
        tcp->open++;
}

uint64_t report_retransmissions(const struct flow_record *record)
{
    uint64_t again = record->retransmissions[0] + record->retransmissions[1];
    return again - record->duplicate_retransmissions[0] - record->duplicate_retransmissions[1];
}

uint64_t report_packets_once(const struct flow_record *record)
{
    uint64_t packets = record->packets[0] + record->packets[1];
    return packets - record->duplicate_frames[0] - record->duplicate_frames[1];
}

// Of an answered flow; one that nobody answers repeats itself without any loss.
static double retransmitted_share(const struct flow_record *record)
{
    if (record->packets[0] == 0 || record->packets[1] == 0)
        return 0;
    return (double)report_retransmissions(record) / (double)report_packets_once(record);
}

// A connection that works though one of its directions is not in the capture.
static bool is_one_way(const struct flow_record *record)
{
    return (record->packets[0] == 0) != (record->packets[1] == 0) &&
           (record->tcp_state == TCP_STATE_ESTABLISHED || record->tcp_state == TCP_STATE_FIN_WAIT);
}

bool report_is_lossy(const struct flow_record *record)
{
    return report_retransmissions(record) > 0 && retransmitted_share(record) * 100 > LOSSY_PERCENT;
}

uint64_t report_loss_score(const struct flow_record *record)
{
    enum { ROUND_TRIP_BITS = 33 }; // microseconds: more than two hours
    static const double share_steps = 1 << 30;
    static const uint64_t round_trip_limit = (UINT64_C(1) << ROUND_TRIP_BITS) - 1;
    if (report_retransmissions(record) == 0)
        return 0;
    uint64_t steps = (uint64_t)(retransmitted_share(record) * share_steps);
    int64_t round_trip_ns = report_round_trip_ns(record);
    uint64_t round_trip_us = round_trip_ns > 0 ? (uint64_t)round_trip_ns / NS_PER_US : 0;
    round_trip_us = round_trip_us < round_trip_limit ? round_trip_us : round_trip_limit;
    return (steps << ROUND_TRIP_BITS | round_trip_us) + 1;
}

static void count_loss(struct report_tcp *tcp, const struct flow_record *record)
{
    tcp->packets += record->packets[0] + record->packets[1];
    tcp->retransmissions += report_retransmissions(record);
    tcp->duplicate_frames += record->duplicate_frames[0] + record->duplicate_frames[1];
    tcp->out_of_order += record->out_of_order[0] + record->out_of_order[1];
    if (!report_is_lossy(record))
        return;
    double share = retransmitted_share(record);
    tcp->lossy++;
    if (share > tcp->worst_share)
        tcp->worst_share = share;
}

void report_tcp_add(struct report_tcp *tcp, const struct flow_record *record, enum report_attempt attempt)
{
    tcp->flows++;
    count_end(tcp, record, attempt);
    count_loss(tcp, record);
    tcp->slow += report_round_trip_ns(record) > slow_round_trip_ns;
    tcp->zero_window += record->zero_windows[0] + record->zero_windows[1] > 0;
    uint64_t missed = record->bytes_missed[0] + record->bytes_missed[1];
    tcp->gapped += missed > 0;
    tcp->one_way += is_one_way(record);
    tcp->missed_bytes += missed;
}
