#include "api/alert_message.h"

#include <assert.h>
#include <stdlib.h>

#include "api/text.h"
#include "api/timestamp.h"
#include "base/strbuf.h"
#include "decode/packet.h"
#include "detect/allow_list.h"
#include "flow/community_id.h"
#include "net/protocol.h"
#include "netscope/v1/alert.pb-c.h"

enum { LONGEST_TEXT = 4096 };

struct party_scratch {
    Netscope__V1__AlertParty party;
    char ip[ADDRESS_TEXT_BYTES];
    struct strbuf name, name_space; // escaped
};

struct sample_scratch {
    Netscope__V1__AlertSample sample;
    Netscope__V1__Endpoint client, server;
    Google__Protobuf__Timestamp first_seen;
    char client_ip[ADDRESS_TEXT_BYTES], server_ip[ADDRESS_TEXT_BYTES];
    char protocol[16], community_id[COMMUNITY_ID_TEXT_BYTES];
};

struct alert_message {
    Netscope__V1__Alert alert;
    Google__Protobuf__Timestamp ts, first_seen, last_seen;
    struct party_scratch source[ALERT_PARTIES], target[ALERT_PARTIES];
    struct sample_scratch sample[ALERT_SAMPLES];
    Netscope__V1__AlertMeasure measure[ALERT_MEASURES];
    Netscope__V1__AlertParty *sources[ALERT_PARTIES], *targets[ALERT_PARTIES];
    Netscope__V1__AlertSample *samples[ALERT_SAMPLES];
    Netscope__V1__AlertMeasure *measures[ALERT_MEASURES];
    char protocol[16], silenced_by[ALLOW_ENTRY_BYTES];
    struct strbuf node, interface, description; // escaped
};

#define SAME(ours, message) static_assert((int)(ours) + 1 == (int)(NETSCOPE__V1__##message), #ours)
SAME(ALERT_LOW, SEVERITY__SEVERITY_LOW);
SAME(ALERT_MEDIUM, SEVERITY__SEVERITY_MEDIUM);
SAME(ALERT_HIGH, SEVERITY__SEVERITY_HIGH);
SAME(ALERT_CRITICAL, SEVERITY__SEVERITY_CRITICAL);
SAME(ALERT_STARTED, ALERT_LIFECYCLE__ALERT_LIFECYCLE_STARTED);
SAME(ALERT_UPDATED, ALERT_LIFECYCLE__ALERT_LIFECYCLE_UPDATED);
SAME(ALERT_ENDED, ALERT_LIFECYCLE__ALERT_LIFECYCLE_ENDED);
static_assert(ALERT_SEVERITIES == 4 && ALERT_LIFECYCLES == 3, "a new value needs its row in alert.proto");
#undef SAME

// Sets a value that can be unknown: the member and the case of its one-member oneof.
#define SET_KNOWN(part, TYPE, FIELD, field, known)                                                           \
    ((part)->field##_value_case = NETSCOPE__V1__##TYPE##__##FIELD##_VALUE_##FIELD, (part)->field = (known))

// All texts that are escaped, walked over alike.
static void each_text(struct alert_message *message, void (*visit)(struct strbuf *text))
{
    visit(&message->node);
    visit(&message->interface);
    visit(&message->description);
    for (unsigned i = 0; i < ALERT_PARTIES; i++) {
        visit(&message->source[i].name);
        visit(&message->source[i].name_space);
        visit(&message->target[i].name);
        visit(&message->target[i].name_space);
    }
}

static void init_text(struct strbuf *text)
{
    strbuf_init(text, LONGEST_TEXT);
}

struct alert_message *alert_message_create(void)
{
    struct alert_message *message = calloc(1, sizeof *message);
    if (message != NULL)
        each_text(message, init_text);
    return message;
}

void alert_message_destroy(struct alert_message *message)
{
    if (message != NULL)
        each_text(message, strbuf_done);
    free(message);
}

const struct ProtobufCMessageDescriptor *alert_message_descriptor(void)
{
    return &netscope__v1__alert__descriptor;
}

// protobuf-c's strings are not const, but nobody writes to a message that is only rendered.
static char *borrowed(const char *text)
{
    return (char *)(uintptr_t)text;
}

static char *escaped(struct strbuf *scratch, const char *text)
{
    return borrowed(api_text(scratch, text));
}

static Netscope__V1__AlertParty *fill_party(struct party_scratch *into, const struct alert_party *from,
                                            const struct alert_name *name)
{
    Netscope__V1__AlertParty *party = &into->party;
    netscope__v1__alert_party__init(party);
    party->ip = address_format(&from->endpoint.address, into->ip);
    party->name_source = (Netscope__V1__NameSource)name->name_source;
    if (from->endpoint.port != 0)
        SET_KNOWN(party, ALERT_PARTY, PORT, port, from->endpoint.port);
    if (name->name[0] != '\0')
        SET_KNOWN(party, ALERT_PARTY, NAME, name, escaped(&into->name, name->name));
    if (name->name_space[0] != '\0') {
        party->namespace_value_case = NETSCOPE__V1__ALERT_PARTY__NAMESPACE_VALUE_NAMESPACE;
        party->namespace_ = escaped(&into->name_space, name->name_space);
    }
    if (from->packets != 0)
        SET_KNOWN(party, ALERT_PARTY, PACKETS, packets, from->packets);
    return party;
}

static void fill_parties(struct alert_message *message, const struct alert_event *event)
{
    Netscope__V1__Alert *into = &message->alert;
    const struct alert *alert = &event->alert;
    assert(alert->source_count <= ALERT_PARTIES && alert->target_count <= ALERT_PARTIES);
    for (unsigned i = 0; i < alert->source_count; i++)
        message->sources[i] = fill_party(&message->source[i], &alert->source[i], &event->source_name[i]);
    for (unsigned i = 0; i < alert->target_count; i++)
        message->targets[i] = fill_party(&message->target[i], &alert->target[i], &event->target_name[i]);
    into->sources = message->sources;
    into->n_sources = alert->source_count;
    into->sources_total = alert->sources_total;
    into->targets = message->targets;
    into->n_targets = alert->target_count;
    into->targets_total = alert->targets_total;
}

static Netscope__V1__Endpoint *fill_end(Netscope__V1__Endpoint *into, char ip[ADDRESS_TEXT_BYTES],
                                        const struct endpoint *from)
{
    netscope__v1__endpoint__init(into);
    into->ip = address_format(&from->address, ip);
    into->port = from->port;
    return into;
}

static Netscope__V1__AlertSample *fill_sample(struct sample_scratch *into, const struct alert_sample *from)
{
    Netscope__V1__AlertSample *sample = &into->sample;
    netscope__v1__alert_sample__init(sample);
    sample->protocol = borrowed(ip_protocol_text(from->protocol, into->protocol));
    sample->client = fill_end(&into->client, into->client_ip, &from->client);
    sample->server = fill_end(&into->server, into->server_ip, &from->server);
    timestamp_fill(&into->first_seen, from->first_seen_ns);
    sample->first_seen = &into->first_seen;
    if (community_id_of(&from->client, &from->server, from->protocol, into->community_id))
        SET_KNOWN(sample, ALERT_SAMPLE, COMMUNITY_ID, community_id, into->community_id);
    sample->tunnel_kind = (Netscope__V1__TunnelKind)from->tunnel_kind;
    if (from->tunnel_kind != TUNNEL_NONE)
        SET_KNOWN(sample, ALERT_SAMPLE, TUNNEL_ID, tunnel_id, from->tunnel_id);
    return sample;
}

static Netscope__V1__AlertMeasure *fill_measure(Netscope__V1__AlertMeasure *into,
                                                const struct alert_measure *from)
{
    netscope__v1__alert_measure__init(into);
    into->what = borrowed(from->what);
    into->observed = from->observed;
    into->threshold = from->threshold;
    into->group = from->group;
    if (from->setting[0] != '\0')
        SET_KNOWN(into, ALERT_MEASURE, SETTING, setting, borrowed(from->setting));
    return into;
}

// What visibility.c leaves out for a caller with limits. Always all of it: whether there was anything tells of others.
static const char *const withheld_paths[] = {
    "sources",    "targets",      "sources_total",    "targets_total", "observed",    "measures",
    "confidence", "sample_flows", "suppressed_count", "loss_ratio",    "description", "silenced_by"};

static void fill_evidence(struct alert_message *message, const struct alert_event *event)
{
    const struct alert *alert = &event->alert;
    Netscope__V1__Alert *into = &message->alert;
    assert(alert->sample_count <= ALERT_SAMPLES && alert->measure_count <= ALERT_MEASURES);
    for (unsigned i = 0; i < alert->sample_count; i++)
        message->samples[i] = fill_sample(&message->sample[i], &alert->sample[i]);
    for (unsigned i = 0; i < alert->measure_count; i++)
        message->measures[i] = fill_measure(&message->measure[i], &alert->measure[i]);
    into->sample_flows = message->samples;
    into->n_sample_flows = alert->sample_count;
    into->measures = message->measures;
    into->n_measures = alert->measure_count;
    into->observed = alert->observed;
    into->threshold = alert->threshold;
    into->loss_ratio = alert->loss_ratio;
    into->confidence = alert->confidence;
    if (alert->window_secs != 0)
        SET_KNOWN(into, ALERT, WINDOW_SECS, window_secs, alert->window_secs);
    message->silenced_by[0] = '\0';
    if (!event->limited)
        allow_list_entry_for(alert, message->silenced_by);
    if (message->silenced_by[0] != '\0')
        SET_KNOWN(into, ALERT, SILENCED_BY, silenced_by, message->silenced_by);
}

static void fill_times(struct alert_message *message, const struct alert *alert)
{
    timestamp_fill(&message->ts, alert->ts_ns);
    timestamp_fill(&message->first_seen, alert->first_seen_ns);
    timestamp_fill(&message->last_seen, alert->last_seen_ns);
    message->alert.ts = &message->ts;
    message->alert.first_seen = &message->first_seen;
    message->alert.last_seen = &message->last_seen;
}

static void fill_kind(struct alert_message *message, const struct alert *alert)
{
    Netscope__V1__Alert *into = &message->alert;
    const char *technique = alert_technique((enum alert_kind)alert->kind);
    into->id = borrowed(alert->id);
    into->fingerprint = borrowed(alert->fingerprint);
    into->kind = borrowed(alert_kind_name((enum alert_kind)alert->kind));
    into->severity = (Netscope__V1__Severity)(alert->severity + 1);
    into->lifecycle = (Netscope__V1__AlertLifecycle)(alert->lifecycle + 1);
    into->revision = alert->revision;
    into->suppressed_count = alert->suppressed_count;
    if (technique[0] != '\0')
        SET_KNOWN(into, ALERT, TECHNIQUE, technique, borrowed(technique));
    if (alert->protocol != 0)
        SET_KNOWN(into, ALERT, PROTOCOL, protocol,
                  borrowed(ip_protocol_text(alert->protocol, message->protocol)));
}

const struct Netscope__V1__Alert *alert_message_fill(struct alert_message *message,
                                                     const struct alert_event *event)
{
    Netscope__V1__Alert *into = &message->alert;
    netscope__v1__alert__init(into);
    fill_kind(message, &event->alert);
    fill_times(message, &event->alert);
    fill_parties(message, event);
    fill_evidence(message, event);
    if (event->limited) {
        into->withheld = (char **)(uintptr_t)withheld_paths;
        into->n_withheld = sizeof withheld_paths / sizeof withheld_paths[0];
    }
    into->description = escaped(&message->description, event->alert.description);
    into->node = escaped(&message->node, event->node);
    if (event->interface[0] != '\0')
        SET_KNOWN(into, ALERT, INTERFACE, interface, escaped(&message->interface, event->interface));
    return into;
}
