#include "flow/names.h"

#include <string.h>

static const struct flow_names *names_of(const struct flow_store *store, const struct flow *flow)
{
    const struct flow_extra *extra = flow_extra(store, flow);
    return extra != NULL && extra->names != NULL ? extra->names : &flow_names_none;
}

bool flow_has_hello(const struct flow_table *table, const struct flow *flow)
{
    return names_of(&table->store, flow)->facts.app == FLOW_APP_TLS;
}

// Whether the name of this hello is to be told instead of that of one before. A version is told by whole ones only.
static bool supersedes(const struct tls_hello *hello, const struct flow_names *before)
{
    if (hello->complete || before->facts.sni_status == SNI_UNKNOWN)
        return true;
    return before->facts.tls_version == 0 && hello->sni_length > 0;
}

void flow_note_tls(struct flow_table *table, struct flow *flow, const struct tls_hello *hello)
{
    struct flow_names names = *names_of(&table->store, flow);
    if (supersedes(hello, &names)) {
        names.facts.tls_version = hello->version;
        names.facts.sni_status = hello->sni_status & 0x7fu;
        names.facts.ech_offered = hello->ech_offered;
        names.text[FLOW_TEXT_SNI] = hello->sni;
        names.text[FLOW_TEXT_ALPN] = hello->alpn;
    }
    names.facts.app = FLOW_APP_TLS;
    if (names.text[FLOW_TEXT_OFFER][0] == '\0')
        names.text[FLOW_TEXT_OFFER] = hello->offer;
    flow_set_names(&table->store, flow, &names);
}

// Of the name without case (RFC 4343), and who asked.
static uint32_t asked_by(const struct dns_name *name, uint8_t side)
{
    uint32_t hash = 2166136261u; // FNV-1a
    for (unsigned i = 0; i < name->length; i++) {
        uint8_t byte = (uint8_t)name->text[i];
        hash = (hash ^ (byte >= 'A' && byte <= 'Z' ? byte + 32u : byte)) * 16777619u;
    }
    return (hash & ~1u) | side;
}

static void forget(struct flow_extra *extra, unsigned i)
{
    extra->dns_waiting--;
    memmove(&extra->dns[i], &extra->dns[i + 1], (extra->dns_waiting - i) * sizeof extra->dns[0]);
}

// A question waits for its answer; with all places taken the oldest is given up.
static void ask(struct flow_extra *extra, const struct packet *packet, const struct dns_message *message,
                uint8_t sender)
{
    if (extra->dns_waiting == DNS_PENDING)
        forget(extra, 0);
    extra->dns[extra->dns_waiting++] = (struct dns_pending){
        .asked_ns = packet->time_ns,
        .id = message->id,
        .type = message->type,
        .asked = asked_by(&message->name, sender),
    };
}

// An answer that repeats no question (RFC 5452 9.1 asks for it, some servers that fail leave it out) has but its id.
static bool answers(const struct dns_pending *question, const struct dns_message *message, uint8_t sender)
{
    if (question->id != message->id || (question->asked & 1) == sender)
        return false;
    return message->questions == 0 ||
           (question->type == message->type && question->asked == asked_by(&message->name, !sender));
}

// The time between question and answer; -1 when the question was not seen. The latest of equal ones is answered, and
// the others are over with it.
static int64_t settle(struct flow_extra *extra, const struct packet *packet,
                      const struct dns_message *message, uint8_t sender)
{
    int64_t latency_ns = -1;
    for (unsigned i = extra->dns_waiting; i-- > 0;) {
        if (!answers(&extra->dns[i], message, sender))
            continue;
        if (latency_ns < 0)
            latency_ns = packet->time_ns - extra->dns[i].asked_ns;
        forget(extra, i);
    }
    return latency_ns < 0 ? -1 : latency_ns;
}

static void fill_transaction(const struct packet *packet, const struct dns_message *message,
                             int64_t latency_ns, struct dns_transaction *out)
{
    *out = (struct dns_transaction){
        .number = packet->number,
        .time_ns = packet->time_ns,
        .latency_ns = latency_ns,
        .client = packet->target,
        .server = packet->source,
        .name = message->name,
        .type = message->type,
        .rcode = message->rcode,
    };
    enum { KEPT = sizeof out->answer / sizeof out->answer[0] };
    for (unsigned i = 0; i < message->addresses && out->addresses < KEPT; i++)
        if (message->answer[i].address.version != 0)
            out->answer[out->addresses++] = message->answer[i];
}

// The flow's names with the message's question. The same question again, as in its answer, costs no memory.
static struct flow_names *note_question(struct flow_store *store, struct flow *flow,
                                        const struct dns_message *message)
{
    const struct flow_names *before = names_of(store, flow);
    if (before != &flow_names_none && strcmp(before->text[FLOW_TEXT_DNS_QUERY], message->name.text) == 0)
        return flow_extra(store, flow)->names;
    struct flow_names names = *before;
    names.text[FLOW_TEXT_DNS_QUERY] = message->name.text;
    return flow_set_names(store, flow, &names);
}

static bool is_to_many(const struct packet *packet)
{
    return address_is_multicast(&packet->target) || address_is_broadcast(&packet->target);
}

bool flow_note_dns(struct flow_table *table, const struct flow_hit *hit, const struct packet *packet,
                   const struct dns_message *message, struct dns_transaction *out)
{
    struct flow *flow = hit->flow;
    struct flow_extra *extra = flow_extra(&table->store, flow);
    struct flow_names *names = extra != NULL ? extra->names : NULL;
    if (names == NULL || !message->response || names->text[FLOW_TEXT_DNS_QUERY][0] == '\0') {
        names = note_question(&table->store, flow, message);
        if (names == NULL)
            return false;
        names->facts.dns_type = message->type;
        extra = flow_extra(&table->store, flow);
    }
    names->facts.app = FLOW_APP_DNS;
    if (!message->response && !is_to_many(packet))
        ask(extra, packet, message, hit->sender);
    if (!message->response)
        return false;
    names->facts.dns_rcode = (int16_t)message->rcode;
    int64_t latency_ns = is_to_many(packet) ? -1 : settle(extra, packet, message, hit->sender);
    fill_transaction(packet, message, latency_ns, out);
    return true;
}

void flow_note_cut_dns(struct flow_table *table, struct flow *flow, const struct dns_message *message)
{
    struct flow_names *names = note_question(&table->store, flow, message);
    if (names == NULL)
        return;
    names->facts.app = FLOW_APP_DNS;
    names->facts.dns_type = message->type;
    if (message->response)
        names->facts.dns_rcode = (int16_t)message->rcode;
}
