// What a flow's payload says about it: TLS names, DNS questions and answers. The table's owner only.
#pragma once

#include <stdbool.h>

#include "decode/app/dns.h"
#include "decode/app/tls.h"
#include "flow/dns_transaction.h"
#include "flow/table.h"

// Of several hellos the name is that of the last whole one (a cut one erases nothing), the offer that of the first.
void flow_note_tls(struct flow_table *table, struct flow *flow, const struct tls_hello *hello);
bool flow_has_hello(const struct flow_table *table, const struct flow *flow);

// True when the message answers a question (or is an mDNS announcement): *out is filled then. Its latency is known when
// the flow holds the question, by id, name, type and direction, of equal ones the latest; never across multicast, where
// ids mean nothing (RFC 6762 18.1).
bool flow_note_dns(struct flow_table *table, const struct flow_hit *hit, const struct packet *packet,
                   const struct dns_message *message, struct dns_transaction *out);
// A message of a stream that ended within it: it names the flow, and no more.
void flow_note_cut_dns(struct flow_table *table, struct flow *flow, const struct dns_message *message);
