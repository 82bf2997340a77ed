#include "report/flows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "report/flow_row.h"
#include "report/tcp.h"

enum { HOSTS_MAXIMUM = 65536, SERVICES_MAXIMUM = 8192, TARGETS_MAXIMUM = 16384 };
enum { HOST_SENT, HOST_RECEIVED, HOST_PACKETS, HOST_FLOWS };
enum { SERVICE_FLOWS, SERVICE_PACKETS };
enum { TARGET_REFUSED, TARGET_UNANSWERED };

// Keys of the tallies: endpoints and services as bytes without padding.
enum { ADDRESS_KEY_BYTES = 17, PORT_KEY_BYTES = 2, SERVICE_KEY_BYTES = 3 };

bool report_flows_init(struct report_flows *flows, unsigned top)
{
    flows->top = top;
    tally_init(&flows->hosts, HOSTS_MAXIMUM);
    tally_init(&flows->services, SERVICES_MAXIMUM);
    tally_init(&flows->targets, TARGETS_MAXIMUM);
    return report_top_init(&flows->largest, top, sizeof(struct report_flow), report_flow_compare) &&
           report_top_init(&flows->retransmitting, top, sizeof(struct report_flow), report_flow_compare) &&
           report_top_init(&flows->slow, top, sizeof(struct report_flow), report_flow_compare);
}

void report_flows_done(struct report_flows *flows)
{
    tally_done(&flows->hosts);
    tally_done(&flows->services);
    tally_done(&flows->targets);
    report_top_done(&flows->largest);
    report_top_done(&flows->retransmitting);
    report_top_done(&flows->slow);
}

static size_t address_key(const struct address *address, uint8_t key[ADDRESS_KEY_BYTES])
{
    key[0] = address->version;
    memcpy(key + 1, address->bytes, sizeof address->bytes);
    return ADDRESS_KEY_BYTES;
}

static struct address address_of_key(const uint8_t *key)
{
    struct address address = {.version = key[0]};
    memcpy(address.bytes, key + 1, sizeof address.bytes);
    return address;
}

static bool talks_to_itself(const struct flow_record *record)
{
    return address_compare(&record->endpoint[0].address, &record->endpoint[1].address) == 0;
}

static void count_host(struct report_flows *flows, const struct named_flow *flow, unsigned side)
{
    const struct flow_record *record = flow->record;
    uint8_t key[ADDRESS_KEY_BYTES];
    struct tally_row *row = tally_at(&flows->hosts, key, address_key(&record->endpoint[side].address, key));
    if (row == NULL)
        return;
    row->weight += record->bytes[0] + record->bytes[1];
    bool itself = talks_to_itself(record);
    row->counts[HOST_SENT] += record->bytes[side] + (itself ? record->bytes[!side] : 0);
    row->counts[HOST_RECEIVED] += record->bytes[!side] + (itself ? record->bytes[side] : 0);
    row->counts[HOST_PACKETS] += record->packets[0] + record->packets[1];
    row->counts[HOST_FLOWS]++;
    tally_label(row, flow->name[side]);
}

static uint16_t service_port(const struct flow_record *record)
{
    uint16_t first = record->endpoint[0].port, second = record->endpoint[1].port;
    if (record->client < 0 || record->client_from == CLIENT_UNKNOWN)
        return first < second ? first : second;
    return record->client == 1 ? first : second;
}

static void count_service(struct report_flows *flows, const struct flow_record *record)
{
    if (!ip_protocol_has_ports(record->protocol))
        return;
    uint16_t port = service_port(record);
    const uint8_t key[SERVICE_KEY_BYTES] = {record->protocol, (uint8_t)(port >> 8), (uint8_t)port};
    struct tally_row *row = tally_at(&flows->services, key, sizeof key);
    if (row == NULL)
        return;
    row->weight += record->bytes[0] + record->bytes[1];
    row->counts[SERVICE_FLOWS]++;
    row->counts[SERVICE_PACKETS] += record->packets[0] + record->packets[1];
}

static void count_failure(struct report_flows *flows, const struct named_flow *flow,
                          enum report_attempt attempt)
{
    unsigned server = flow->record->client == 1 ? 0 : 1;
    const struct endpoint *endpoint = &flow->record->endpoint[server];
    uint8_t key[ADDRESS_KEY_BYTES + PORT_KEY_BYTES];
    address_key(&endpoint->address, key);
    bytes_put_u16(key + ADDRESS_KEY_BYTES, endpoint->port);
    struct tally_row *row = tally_at(&flows->targets, key, sizeof key);
    if (row == NULL)
        return;
    row->weight++;
    row->counts[attempt == ATTEMPT_REFUSED ? TARGET_REFUSED : TARGET_UNANSWERED]++;
    tally_label(row, flow->name[server]);
}

static void offer(struct report_top *top, struct report_flow *candidate, uint64_t score,
                  const struct named_flow *flow)
{
    candidate->score = score;
    struct report_flow *row = score > 0 ? report_top_place(top, candidate) : NULL;
    if (row != NULL)
        report_flow_fill(row, score, flow);
}

static void add_tcp(struct report_flows *flows, struct report_flow *candidate, const struct named_flow *flow)
{
    const struct flow_record *record = flow->record;
    report_tcp_add(&flows->tcp, record);
    enum report_attempt attempt = report_attempt_of(record);
    if (attempt != ATTEMPT_NONE)
        count_failure(flows, flow, attempt);
    offer(&flows->retransmitting, candidate, report_loss_score(record), flow);
    int64_t round_trip_ns = report_round_trip_ns(record);
    offer(&flows->slow, candidate, round_trip_ns > 0 ? (uint64_t)round_trip_ns : 0, flow);
}

static void count_application(struct report_flows *flows, const struct flow_record *record)
{
    uint8_t app = record->names != NULL ? record->names->app : FLOW_APP_NONE;
    if (app == FLOW_APP_NONE || app >= FLOW_APPS)
        return;
    struct report_application *application = &flows->applications[app];
    application->name = flow_app_name(app);
    application->flows++;
    application->packets += record->packets[0] + record->packets[1];
    application->bytes += record->bytes[0] + record->bytes[1];
}

void report_flows_add(struct report_flows *flows, const struct named_flow *flow)
{
    const struct flow_record *record = flow->record;
    flows->protocol_flows[record->protocol]++;
    count_host(flows, flow, 0);
    if (!talks_to_itself(record))
        count_host(flows, flow, 1);
    count_service(flows, record);
    count_application(flows, record);

    struct report_flow candidate; // only what report_flow_compare() looks at is filled
    candidate.record = *record;
    offer(&flows->largest, &candidate, record->bytes[0] + record->bytes[1], flow);
    if (record->protocol == IP_PROTOCOL_TCP)
        add_tcp(flows, &candidate, flow);
}

static void fill_host(void *element, const struct tally_row *row)
{
    *(struct report_host *)element = (struct report_host){
        .address = address_of_key(row->key),
        .name = row->label,
        .sent_bytes = row->counts[HOST_SENT],
        .received_bytes = row->counts[HOST_RECEIVED],
        .packets = row->counts[HOST_PACKETS],
        .flows = row->counts[HOST_FLOWS],
    };
}

static void fill_service(void *element, const struct tally_row *row)
{
    *(struct report_service *)element = (struct report_service){
        .protocol = row->key[0],
        .port = bytes_u16(row->key + 1),
        .flows = row->counts[SERVICE_FLOWS],
        .packets = row->counts[SERVICE_PACKETS],
        .bytes = row->weight,
    };
}

static void fill_target(void *element, const struct tally_row *row)
{
    *(struct report_target *)element = (struct report_target){
        .server = {.address = address_of_key(row->key), .port = bytes_u16(row->key + ADDRESS_KEY_BYTES)},
        .name = row->label,
        .refused = row->counts[TARGET_REFUSED],
        .unanswered = row->counts[TARGET_UNANSWERED],
    };
}

static bool list_rows(struct report_flows *flows, struct report_summary *summary)
{
    unsigned top = flows->top;
    summary->host_total = flows->hosts.count;
    summary->hosts = tally_list(&flows->hosts, top, fill_host, sizeof *summary->hosts, &summary->host_count);
    summary->services =
        tally_list(&flows->services, top, fill_service, sizeof *summary->services, &summary->service_count);
    summary->targets =
        tally_list(&flows->targets, top, fill_target, sizeof *summary->targets, &summary->target_count);
    return summary->hosts != NULL && summary->services != NULL && summary->targets != NULL;
}

static struct report_flow_list flow_list(const struct report_top *top)
{
    return (struct report_flow_list){
        .count = top->count,
        .rows = (const struct report_flow *const *)(const void *)top->rows,
    };
}

bool report_flows_finish(struct report_flows *flows, struct report_summary *summary)
{
    summary->tcp = flows->tcp;
    summary->top_flows = flow_list(&flows->largest);
    summary->retransmitting_flows = flow_list(&flows->retransmitting);
    summary->slow_flows = flow_list(&flows->slow);
    for (unsigned app = 0; app < FLOW_APPS; app++)
        if (flows->applications[app].flows > 0)
            summary->applications[summary->application_count++] = flows->applications[app];
    summary->overflow.hosts = flows->hosts.given_up;
    summary->overflow.services = flows->services.given_up;
    summary->overflow.targets = flows->targets.given_up;
    return list_rows(flows, summary);
}

void report_flows_free(struct report_summary *summary)
{
    free(summary->hosts);
    free(summary->services);
    free(summary->targets);
}
