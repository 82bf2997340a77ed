#include "report/flows.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/hash.h"
#include "report/flow_row.h"
#include "report/tcp.h"

enum { HOSTS_MAXIMUM = 65536, SERVICES_MAXIMUM = 8192, TARGETS_MAXIMUM = 16384 };
enum { HOST_SENT, HOST_RECEIVED, HOST_PACKETS, HOST_FLOWS };
enum { SERVICE_FLOWS, SERVICE_PACKETS };
enum { TARGET_REFUSED, TARGET_UNANSWERED };

// Keys of the tallies, without padding: the IP version and as many bytes as the address has, then the port.
enum { ADDRESS_KEY_BYTES = 17, PORT_KEY_BYTES = 2, SERVICE_KEY_BYTES = 3, RUN_EVENTS = FLOW_BLOCK_EVENTS };

struct tally_key {
    uint64_t hash;
    uint8_t length; // 0 = nothing to count
    uint8_t bytes[ADDRESS_KEY_BYTES + PORT_KEY_BYTES];
};

// What an event is counted under, worked out ahead.
struct event_keys {
    struct tally_key host[2], service, target;
    enum report_attempt attempt;
};

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

static uint8_t address_key(const struct address *address, uint8_t *key)
{
    size_t bytes = address->version == 4 ? 4 : sizeof address->bytes;
    key[0] = address->version;
    memcpy(key + 1, address->bytes, bytes);
    return (uint8_t)(1 + bytes);
}

// Returns what lies behind the address.
static const uint8_t *address_of_key(const uint8_t *key, struct address *address)
{
    size_t bytes = key[0] == 4 ? 4 : sizeof address->bytes;
    *address = (struct address){.version = key[0]};
    memcpy(address->bytes, key + 1, bytes);
    return key + 1 + bytes;
}

static bool talks_to_itself(const struct flow_record *record)
{
    return address_compare(&record->endpoint[0].address, &record->endpoint[1].address) == 0;
}

static uint16_t service_port(const struct flow_record *record)
{
    uint16_t first = record->endpoint[0].port, second = record->endpoint[1].port;
    if (record->client < 0 || record->client_from == CLIENT_UNKNOWN)
        return first < second ? first : second;
    return record->client == 1 ? first : second;
}

static unsigned server_of(const struct flow_record *record)
{
    return record->client == 1 ? 0 : 1;
}

static void set_hash(const struct tally *tally, struct tally_key *key, uint64_t hash)
{
    key->hash = hash;
    tally_prefetch_place(tally, hash);
}

static void make_host_key(const struct report_flows *flows, const struct address *address,
                          struct tally_key *key)
{
    key->length = address_key(address, key->bytes);
    set_hash(&flows->hosts, key, hash_16_bytes(address->bytes, flows->hosts.seed));
}

static void make_service_key(const struct report_flows *flows, const struct flow_record *record,
                             struct tally_key *key)
{
    uint16_t port = service_port(record);
    key->length = SERVICE_KEY_BYTES;
    key->bytes[0] = record->protocol;
    bytes_put_u16(key->bytes + 1, port);
    // An odd random factor spreads small numbers over the upper half.
    set_hash(&flows->services, key, ((uint64_t)record->protocol << 16 | port) * (flows->services.seed | 1));
}

static void make_target_key(const struct report_flows *flows, const struct endpoint *server,
                            const struct tally_key *host, struct tally_key *key)
{
    static const uint64_t golden = UINT64_C(0x9e3779b97f4a7c15); // spreads the ports of an address
    assert(host->length > 0 && host->length <= ADDRESS_KEY_BYTES);
    key->length = host->length + PORT_KEY_BYTES;
    memcpy(key->bytes, host->bytes, ADDRESS_KEY_BYTES);
    bytes_put_u16(key->bytes + host->length, server->port);
    set_hash(&flows->targets, key, (host->hash + server->port) * golden);
}

static void make_keys(const struct report_flows *flows, const struct flow_record *record,
                      struct event_keys *keys)
{
    bool itself = talks_to_itself(record);
    unsigned server = itself ? 0 : server_of(record);
    keys->host[1].length = keys->service.length = keys->target.length = 0;
    keys->attempt = record->protocol == IP_PROTOCOL_TCP ? report_attempt_of(record) : ATTEMPT_NONE;
    make_host_key(flows, &record->endpoint[0].address, &keys->host[0]);
    if (!itself)
        make_host_key(flows, &record->endpoint[1].address, &keys->host[1]);
    if (ip_protocol_has_ports(record->protocol))
        make_service_key(flows, record, &keys->service);
    if (keys->attempt == ATTEMPT_UNANSWERED || keys->attempt == ATTEMPT_REFUSED)
        make_target_key(flows, &record->endpoint[server_of(record)], &keys->host[server], &keys->target);
}

static void prefetch_rows(const struct report_flows *flows, const struct event_keys *keys)
{
    tally_prefetch_row(&flows->hosts, keys->host[0].hash);
    if (keys->host[1].length != 0)
        tally_prefetch_row(&flows->hosts, keys->host[1].hash);
    if (keys->target.length != 0)
        tally_prefetch_row(&flows->targets, keys->target.hash);
}

// The row of a key; NULL when there is nothing to count, or no memory.
static struct tally_row *row_of(struct tally *tally, const struct tally_key *key)
{
    return key->length != 0 ? tally_at(tally, key->hash, key->bytes, key->length) : NULL;
}

static void count_host(struct report_flows *flows, const struct flow_event *event,
                       const struct event_keys *keys, unsigned side)
{
    const struct flow_record *record = &event->record;
    struct tally_row *row = row_of(&flows->hosts, &keys->host[side]);
    if (row == NULL)
        return;
    bool itself = keys->host[1].length == 0;
    uint64_t bytes = record->bytes[0] + record->bytes[1];
    row->weight += bytes;
    row->counts[HOST_SENT] += itself ? bytes : record->bytes[side];
    row->counts[HOST_RECEIVED] += itself ? bytes : record->bytes[!side];
    row->counts[HOST_PACKETS] += record->packets[0] + record->packets[1];
    row->counts[HOST_FLOWS]++;
    tally_label(&flows->hosts, row, flow_event_text(event, EVENT_TEXT_NAME + side));
}

static void count_service(struct report_flows *flows, const struct flow_record *record,
                          const struct tally_key *key)
{
    struct tally_row *row = row_of(&flows->services, key);
    if (row == NULL)
        return;
    row->weight += record->bytes[0] + record->bytes[1];
    row->counts[SERVICE_FLOWS]++;
    row->counts[SERVICE_PACKETS] += record->packets[0] + record->packets[1];
}

static void count_failure(struct report_flows *flows, const struct flow_event *event,
                          const struct event_keys *keys)
{
    struct tally_row *row = row_of(&flows->targets, &keys->target);
    if (row == NULL)
        return;
    row->weight++;
    row->counts[keys->attempt == ATTEMPT_REFUSED ? TARGET_REFUSED : TARGET_UNANSWERED]++;
    tally_label(&flows->targets, row, flow_event_text(event, EVENT_TEXT_NAME + server_of(&event->record)));
}

// Nearly all flows are turned away by one comparison of scores.
static void offer(struct report_top *top, uint64_t score, const struct flow_event *event)
{
    struct report_flow_candidate candidate = {.score = score, .event = event};
    struct report_flow *row = score > 0 ? report_top_place(top, &candidate) : NULL;
    if (row != NULL)
        report_flow_fill(row, &candidate);
}

static void add_tcp(struct report_flows *flows, const struct flow_event *event, enum report_attempt attempt)
{
    const struct flow_record *record = &event->record;
    report_tcp_add(&flows->tcp, record, attempt);
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

static void add_event(struct report_flows *flows, const struct flow_event *event,
                      const struct event_keys *keys)
{
    const struct flow_record *record = &event->record;
    flows->protocol_flows[record->protocol]++;
    count_host(flows, event, keys, 0);
    count_host(flows, event, keys, 1);
    count_service(flows, record, &keys->service);
    count_failure(flows, event, keys);
    count_application(flows, record);
    offer(&flows->largest, record->bytes[0] + record->bytes[1], event);
    if (record->protocol == IP_PROTOCOL_TCP)
        add_tcp(flows, event, keys->attempt);
}

void report_flows_run(struct report_flows *flows, const struct flow_event *events, unsigned count)
{
    struct event_keys keys[RUN_EVENTS];
    assert(count <= RUN_EVENTS);
    for (unsigned i = 0; i < count; i++)
        make_keys(flows, &events[i].record, &keys[i]);
    for (unsigned i = 0; i < count; i++)
        prefetch_rows(flows, &keys[i]);
    for (unsigned i = 0; i < count; i++)
        if (events[i].record.final) // interim records are cumulative: the last one tells all
            add_event(flows, &events[i], &keys[i]);
}

static void fill_host(const struct tally *tally, const struct tally_row *row, void *into)
{
    struct report_host *host = into;
    size_t length;
    address_of_key(tally_key(row, &length), &host->address);
    host->name = tally_label_of(tally, row);
    host->sent_bytes = row->counts[HOST_SENT];
    host->received_bytes = row->counts[HOST_RECEIVED];
    host->packets = row->counts[HOST_PACKETS];
    host->flows = row->counts[HOST_FLOWS];
}

static void fill_service(const struct tally *tally, const struct tally_row *row, void *into)
{
    size_t length;
    const uint8_t *key = tally_key(row, &length);
    (void)tally;
    *(struct report_service *)into = (struct report_service){
        .protocol = key[0],
        .port = bytes_u16(key + 1),
        .flows = row->counts[SERVICE_FLOWS],
        .packets = row->counts[SERVICE_PACKETS],
        .bytes = row->weight,
    };
}

static void fill_target(const struct tally *tally, const struct tally_row *row, void *into)
{
    struct report_target *target = into;
    size_t length;
    const uint8_t *port = address_of_key(tally_key(row, &length), &target->server.address);
    target->server.port = bytes_u16(port);
    target->name = tally_label_of(tally, row);
    target->refused = row->counts[TARGET_REFUSED];
    target->unanswered = row->counts[TARGET_UNANSWERED];
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
    assert(summary->application_count == 0);
    for (unsigned app = 0; app < FLOW_APPS; app++)
        if (flows->applications[app].flows > 0)
            summary->applications[summary->application_count++] = flows->applications[app];
    summary->overflow.hosts = flows->hosts.given_up;
    summary->overflow.services = flows->services.given_up;
    summary->overflow.targets = flows->targets.given_up;
    summary->host_total = flows->hosts.count;
    summary->hosts =
        tally_list(&flows->hosts, flows->top, sizeof *summary->hosts, fill_host, &summary->host_count);
    summary->services = tally_list(&flows->services, flows->top, sizeof *summary->services, fill_service,
                                   &summary->service_count);
    summary->targets = tally_list(&flows->targets, flows->top, sizeof *summary->targets, fill_target,
                                  &summary->target_count);
    return summary->hosts != NULL && summary->services != NULL && summary->targets != NULL;
}

void report_flows_free(struct report_summary *summary)
{
    free(summary->hosts);
    free(summary->services);
    free(summary->targets);
}
