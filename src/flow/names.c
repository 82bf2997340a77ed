// What a flow's payload says about it: TLS names, DNS questions and answers.
#include <string.h>

#include "flow/table.h"

static const struct flow_names *names_of(const struct flow_store *store, const struct flow *flow)
{
    const struct flow_extra *extra = flow_extra(store, flow);
    return extra != NULL && extra->names != NULL ? extra->names : &flow_names_none;
}

void flow_note_tls(struct flow_table *table, struct flow *flow, const struct tls_hello *hello)
{
    struct flow_names names = *names_of(&table->store, flow);
    names.facts.app = FLOW_APP_TLS;
    names.facts.tls_version = hello->version;
    names.facts.sni_status = hello->sni_status;
    names.text[FLOW_TEXT_SNI] = hello->sni;
    names.text[FLOW_TEXT_ALPN] = hello->alpn;
    names.text[FLOW_TEXT_JA3] = hello->ja3;
    names.text[FLOW_TEXT_JA4] = hello->ja4;
    flow_set_names(&table->store, flow, &names);
}

// A question waits for its answer; with all places taken the oldest is given up.
static void ask(struct flow_extra *extra, const struct packet *packet, const struct dns_message *message)
{
    if (extra->dns_waiting == DNS_PENDING) {
        memmove(extra->dns, extra->dns + 1, sizeof extra->dns - sizeof extra->dns[0]);
        extra->dns_waiting--;
    }
    extra->dns[extra->dns_waiting++] =
        (struct dns_pending){.asked_ns = packet->time_ns, .id = message->id, .type = message->type};
}

// The time between question and answer; -1 when the question was not seen.
static int64_t settle(struct flow_extra *extra, const struct packet *packet, uint16_t id)
{
    for (unsigned i = 0; i < extra->dns_waiting; i++) {
        if (extra->dns[i].id != id)
            continue;
        int64_t latency_ns = packet->time_ns - extra->dns[i].asked_ns;
        extra->dns_waiting--;
        memmove(&extra->dns[i], &extra->dns[i + 1], (extra->dns_waiting - i) * sizeof extra->dns[0]);
        return latency_ns < 0 ? -1 : latency_ns;
    }
    return -1;
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

bool flow_note_dns(struct flow_table *table, struct flow *flow, const struct packet *packet,
                   const struct dns_message *message, struct dns_transaction *out)
{
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
    if (!message->response) {
        ask(extra, packet, message);
        return false;
    }
    names->facts.dns_rcode = (int16_t)message->rcode;
    fill_transaction(packet, message, settle(extra, packet, message->id), out);
    return true;
}
