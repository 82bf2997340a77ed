#include "flow/names.h"

#include <assert.h>
#include <string.h>

#include "base/hash.h"
#include "base/time.h"

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

enum { DNS_NAME_BITS = (1 << 30) - 1 };

// Of the name, capitals or not (RFC 4343; a few marks that hosts' names do not have are taken for others too), of as many
// bits as are kept.
static uint32_t hash_of_name(const struct dns_name *name)
{
    enum { WORDS = DNS_NAME_BYTES / sizeof(uint64_t) };
    static const uint64_t small_letters = UINT64_C(0x2020202020202020);
    uint64_t folded[WORDS];
    size_t words = (name->length + sizeof folded[0] - 1) / sizeof folded[0];
    folded[words > 0 ? words - 1 : 0] = 0; // behind the name
    memcpy(folded, name->text, name->length);
    for (size_t i = 0; i < words; i++)
        folded[i] |= small_letters;
    uint64_t hash = hash_bytes(folded, words * sizeof folded[0], name->length);
    return (uint32_t)hash & DNS_NAME_BITS;
}

static void forget(struct flow_extra *extra, unsigned i)
{
    assert(i < extra->dns_known && extra->dns_known <= DNS_PENDING);
    extra->dns_known--;
    memmove(&extra->dns[i], &extra->dns[i + 1], (extra->dns_known - i) * sizeof extra->dns[0]);
}

static bool is_alike(const struct dns_pending *one, const struct dns_pending *other)
{
    return one->answered == other->answered && one->id == other->id && one->type == other->type &&
           one->name == other->name && one->side == other->side;
}

// With all places taken the oldest that was answered is given up; else, for a question, the oldest.
static bool make_place(struct flow_extra *extra, bool for_answer)
{
    unsigned oldest = 0;
    while (oldest < extra->dns_known && !extra->dns[oldest].answered)
        oldest++;
    if (extra->dns_known < DNS_PENDING)
        return true;
    if (oldest == DNS_PENDING && for_answer)
        return false;
    forget(extra, oldest < DNS_PENDING ? oldest : 0);
    return true;
}

// Equal ones before it are over.
static void remember_question(struct flow_extra *extra, const struct packet *packet,
                              const struct dns_message *message, uint8_t side)
{
    struct dns_pending question = {
        .at_ns = packet->time_ns,
        .id = message->id,
        .type = message->type,
        .name = hash_of_name(&message->name) & DNS_NAME_BITS,
        .side = side & 1u,
    };
    for (unsigned i = extra->dns_known; i-- > 0;)
        if (is_alike(&extra->dns[i], &question))
            forget(extra, i);
    make_place(extra, false);
    extra->dns[extra->dns_known++] = question;
}

// Of an answer: what knows its frame again, in the place of the name.
static uint32_t mark_of_answer(const struct packet *packet, const struct dns_message *message)
{
    return (hash_of_name(&message->name) ^ packet->tcp.ip_id * 40503u) & DNS_NAME_BITS;
}

// Whether the frame of an answer was there already: with the same IP id within a second, or without one within a
// millisecond, where it answered a question: servers do so once. Remembers it.
static bool is_captured_twice(struct flow_extra *extra, const struct packet *packet,
                              const struct dns_message *message, uint8_t sender, bool settled)
{
    int64_t within_ns = packet->tcp.ip_id != 0 ? NS_PER_S : NS_PER_MS;
    struct dns_pending seen = {
        .at_ns = packet->time_ns,
        .id = message->id,
        .type = message->type,
        .name = mark_of_answer(packet, message) & DNS_NAME_BITS,
        .side = !sender,
        .answered = true,
    };
    for (unsigned i = 0; i < extra->dns_known; i++) {
        const struct dns_pending *known = &extra->dns[i];
        int64_t since_ns = packet->time_ns - known->at_ns;
        if (is_alike(known, &seen) && since_ns >= 0 && since_ns < within_ns)
            return true;
    }
    if ((settled || packet->tcp.ip_id != 0) && make_place(extra, true))
        extra->dns[extra->dns_known++] = seen;
    return false;
}

// An answer that repeats no question (RFC 5452 9.1 asks for it, some servers that fail leave it out), or one that is
// damaged, has but its id.
static bool answers(const struct dns_pending *question, const struct dns_message *message, uint8_t sender)
{
    if (question->answered || question->id != message->id || question->side == sender)
        return false;
    return message->questions == 0 || (message->damaged && message->name.length == 0) ||
           (question->type == message->type && question->name == hash_of_name(&message->name));
}

// The time between question and answer; -1 when the question was not seen. The latest of equal ones is answered, and
// the others are over with it.
static int64_t settle(struct flow_extra *extra, const struct packet *packet,
                      const struct dns_message *message, uint8_t sender)
{
    int64_t latency_ns = -1;
    for (unsigned i = extra->dns_known; i-- > 0;) {
        if (!answers(&extra->dns[i], message, sender))
            continue;
        if (latency_ns < 0)
            latency_ns = packet->time_ns - extra->dns[i].at_ns;
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

// Whether the message tells what its flow asks for: a question, or an answer to one that was not seen.
static bool names_flow(const struct flow_names *names, const struct dns_message *message)
{
    return names == NULL ||
           (message->name.length > 0 && (!message->response || names->text[FLOW_TEXT_DNS_QUERY][0] == '\0'));
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
    if (names_flow(names, message)) {
        names = note_question(&table->store, flow, message);
        if (names == NULL)
            return false;
        names->facts.dns_type = message->type;
        extra = flow_extra(&table->store, flow);
    }
    names->facts.app = FLOW_APP_DNS;
    if (!message->response && !is_to_many(packet))
        remember_question(extra, packet, message, hit->sender);
    if (!message->response)
        return false;
    names->facts.dns_rcode = (int16_t)message->rcode;
    int64_t latency_ns = is_to_many(packet) ? -1 : settle(extra, packet, message, hit->sender);
    if (flow->protocol == IP_PROTOCOL_UDP &&
        is_captured_twice(extra, packet, message, hit->sender, latency_ns >= 0))
        return false;
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
