#include "aggregate/report_tcp.h"

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
        return ATTEMPT_UNANSWERED;
    bool only_reset = (answered & TCP_RST) != 0 && (answered & TCP_SYN) == 0;
    if (record->tcp_state == TCP_STATE_RESET && (asked & TCP_SYN) != 0 && only_reset)
        return ATTEMPT_REFUSED;
    return ATTEMPT_NONE;
}

int64_t report_round_trip_ns(const struct flow_record *record)
{
    int64_t smoothed = record->rtt_samples > 0 ? record->rtt_ewma_ns : -1;
    return record->handshake_rtt_ns > smoothed ? record->handshake_rtt_ns : smoothed;
}

static void count_end(struct report_tcp *tcp, const struct flow_record *record)
{
    enum report_attempt attempt = report_attempt_of(record);
    if (attempt == ATTEMPT_UNANSWERED)
        tcp->unanswered++;
    else if (attempt == ATTEMPT_REFUSED)
        tcp->refused++;
    else if (record->tcp_state == TCP_STATE_RESET)
        tcp->reset++;
    else if (record->tcp_state == TCP_STATE_CLOSED)
        tcp->closed++;
    else if (record->tcp_state == TCP_STATE_SYN_ACK || record->tcp_state == TCP_STATE_SYN_SENT)
        tcp->half_open++;
    else if (((record->tcp_flags[0] | record->tcp_flags[1]) & TCP_SYN) == 0)
        tcp->midway++;
    else
        tcp->open++;
}

static void count_loss(struct report_tcp *tcp, const struct flow_record *record)
{
    uint64_t retransmissions = record->retransmissions[0] + record->retransmissions[1];
    uint64_t packets = record->packets[0] + record->packets[1];
    tcp->packets += packets;
    tcp->retransmissions += retransmissions;
    tcp->out_of_order += record->out_of_order[0] + record->out_of_order[1];
    if (record->packets[0] == 0 || record->packets[1] == 0)
        return;
    double share = (double)retransmissions / (double)packets;
    if (share * 100 <= LOSSY_PERCENT)
        return;
    tcp->lossy++;
    if (share > tcp->worst_share)
        tcp->worst_share = share;
}

void report_tcp_add(struct report_tcp *tcp, const struct flow_record *record)
{
    tcp->flows++;
    count_end(tcp, record);
    count_loss(tcp, record);
    tcp->slow += report_round_trip_ns(record) > slow_round_trip_ns;
    tcp->zero_window += record->zero_windows[0] + record->zero_windows[1] > 0;
    uint64_t missed = record->bytes_missed[0] + record->bytes_missed[1];
    tcp->gapped += missed > 0;
    tcp->missed_bytes += missed;
}
