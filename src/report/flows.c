#include "report/flows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static void drop_list(struct report_top *top)
{
    for (unsigned i = 0; i < top->room; i++)
        report_flow_done(top->rows[i]);
    report_top_done(top);
}

void report_flows_done(struct report_flows *flows)
{
    tally_done(&flows->hosts);
    tally_done(&flows->services);
    tally_done(&flows->targets);
    drop_list(&flows->largest);
    drop_list(&flows->retransmitting);
    drop_list(&flows->slow);
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

static void count_host(struct report_flows *flows, const struct flow_event *event, unsigned side)
{
    const struct flow_record *record = &event->record;
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
    tally_label(row, flow_event_text(event, EVENT_TEXT_NAME + side));
}

static bool has_ports(uint8_t protocol)
{
    return protocol == IP_PROTOCOL_TCP || protocol == IP_PROTOCOL_UDP || protocol == IP_PROTOCOL_SCTP;
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
    if (!has_ports(record->protocol))
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

static void count_failure(struct report_flows *flows, const struct flow_event *event,
                          enum report_attempt attempt)
{
    unsigned server = event->record.client == 1 ? 0 : 1;
    const struct endpoint *endpoint = &event->record.endpoint[server];
    uint8_t key[ADDRESS_KEY_BYTES + PORT_KEY_BYTES];
    address_key(&endpoint->address, key);
    key[ADDRESS_KEY_BYTES] = (uint8_t)(endpoint->port >> 8);
    key[ADDRESS_KEY_BYTES + 1] = (uint8_t)endpoint->port;
    struct tally_row *row = tally_at(&flows->targets, key, sizeof key);
    if (row == NULL)
        return;
    row->weight++;
    row->counts[attempt == ATTEMPT_REFUSED ? TARGET_REFUSED : TARGET_UNANSWERED]++;
    tally_label(row, flow_event_text(event, EVENT_TEXT_NAME + server));
}

// Nearly all flows are turned away by one comparison of scores.
static void offer(struct report_top *top, uint64_t score, const struct flow_event *event)
{
    struct report_flow_candidate candidate = {.score = score, .event = event};
    struct report_flow *row = score > 0 ? report_top_place(top, &candidate) : NULL;
    if (row != NULL)
        report_flow_fill(row, &candidate);
}

static void add_tcp(struct report_flows *flows, const struct flow_event *event)
{
    const struct flow_record *record = &event->record;
    report_tcp_add(&flows->tcp, record);
    enum report_attempt attempt = report_attempt_of(record);
    if (attempt != ATTEMPT_NONE)
        count_failure(flows, event, attempt);
    offer(&flows->retransmitting, report_loss_score(record), event);
    int64_t round_trip_ns = report_round_trip_ns(record);
    offer(&flows->slow, round_trip_ns > 0 ? (uint64_t)round_trip_ns : 0, event);
}

static void count_application(struct report_flows *flows, const struct flow_record *record)
{
    uint8_t app = record->facts.app;
    if (app == FLOW_APP_NONE || app >= FLOW_APPS)
        return;
    struct report_application *application = &flows->applications[app];
    application->name = flow_app_name(app);
    application->flows++;
    application->packets += record->packets[0] + record->packets[1];
    application->bytes += record->bytes[0] + record->bytes[1];
}

void report_flows_add(struct report_flows *flows, const struct flow_event *event)
{
    const struct flow_record *record = &event->record;
    flows->protocol_flows[record->protocol]++;
    count_host(flows, event, 0);
    if (!talks_to_itself(record))
        count_host(flows, event, 1);
    count_service(flows, record);
    count_application(flows, record);
    offer(&flows->largest, record->bytes[0] + record->bytes[1], event);
    if (record->protocol == IP_PROTOCOL_TCP)
        add_tcp(flows, event);
}

static unsigned rows_of(struct tally *tally, unsigned top)
{
    tally_sort(tally);
    return tally->count < top ? (unsigned)tally->count : top;
}

static bool list_hosts(struct report_flows *flows, struct report_summary *summary)
{
    unsigned count = rows_of(&flows->hosts, flows->top);
    summary->hosts = calloc(count + 1, sizeof *summary->hosts);
    if (summary->hosts == NULL)
        return false;
    for (; summary->host_count < count; summary->host_count++) {
        const struct tally_row *row = flows->hosts.places[summary->host_count];
        summary->hosts[summary->host_count] = (struct report_host){
            .address = address_of_key(row->key),
            .name = row->label,
            .sent_bytes = row->counts[HOST_SENT],
            .received_bytes = row->counts[HOST_RECEIVED],
            .packets = row->counts[HOST_PACKETS],
            .flows = row->counts[HOST_FLOWS],
        };
    }
    summary->host_total = flows->hosts.count;
    return true;
}

static bool list_services(struct report_flows *flows, struct report_summary *summary)
{
    unsigned count = rows_of(&flows->services, flows->top);
    summary->services = calloc(count + 1, sizeof *summary->services);
    if (summary->services == NULL)
        return false;
    for (; summary->service_count < count; summary->service_count++) {
        const struct tally_row *row = flows->services.places[summary->service_count];
        summary->services[summary->service_count] = (struct report_service){
            .protocol = row->key[0],
            .port = (uint16_t)(row->key[1] << 8 | row->key[2]),
            .flows = row->counts[SERVICE_FLOWS],
            .packets = row->counts[SERVICE_PACKETS],
            .bytes = row->weight,
        };
    }
    return true;
}

static bool list_targets(struct report_flows *flows, struct report_summary *summary)
{
    unsigned count = rows_of(&flows->targets, flows->top);
    summary->targets = calloc(count + 1, sizeof *summary->targets);
    if (summary->targets == NULL)
        return false;
    for (; summary->target_count < count; summary->target_count++) {
        const struct tally_row *row = flows->targets.places[summary->target_count];
        const uint8_t *port = row->key + ADDRESS_KEY_BYTES;
        summary->targets[summary->target_count] = (struct report_target){
            .server = {.address = address_of_key(row->key), .port = (uint16_t)(port[0] << 8 | port[1])},
            .name = row->label,
            .refused = row->counts[TARGET_REFUSED],
            .unanswered = row->counts[TARGET_UNANSWERED],
        };
    }
    return true;
}

static struct report_flow_list flow_list(const struct report_top *top)
{
    for (unsigned i = 0; i < top->count; i++)
        report_flow_finish(top->rows[i]);
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
    return list_hosts(flows, summary) && list_services(flows, summary) && list_targets(flows, summary);
}

void report_flows_free(struct report_summary *summary)
{
    free(summary->hosts);
    free(summary->services);
    free(summary->targets);
}
