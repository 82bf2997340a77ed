// A record that filters are tried on, and the trying.
#pragma once

#include "flow/filter.h"
#include "packets.h"

// A TCP flow with a little of everything: 10.0.0.1:50000 -> 10.0.0.2:443.
static inline struct flow_record known(void)
{
    return (struct flow_record){
        .endpoint = {{host(1), 50000}, {host(2), 443}},
        .first_seen_ns = TEST_START_NS,
        .last_seen_ns = TEST_START_NS + 2 * NS_PER_S,
        .packets = {6, 4},
        .bytes = {600, 4000},
        .retransmissions = {1, 2},
        .rtt_far.samples = 3,
        .rtt_far.ewma_ns = 20 * NS_PER_MS,
        .interface = 2,
        .observed_at = {5, 7},
        .observed = 2,
        .vlan = 100,
        .has_vlan = true,
        .has_quality = true,
        .protocol = IP_PROTOCOL_TCP,
        .tcp_state = TCP_STATE_ESTABLISHED,
        .client = 0,
        .client_from = CLIENT_SYN,
    };
}

static inline struct flow_selection *prepare(const struct flow_filters *filters)
{
    struct error error;
    struct flow_selection *selection = flow_filter_prepare(filters, &error);
    cr_assert_not_null(selection, "%s", error.text);
    return selection;
}

static inline bool lists_fit(const struct flow_filters *filters, const struct flow_record *record)
{
    struct flow_selection *selection = prepare(filters);
    bool fits = flow_selection_fits(selection, record);
    flow_selection_release(selection);
    return fits;
}

static inline bool fits(struct flow_filter filter, const struct flow_record *record)
{
    return lists_fit(&(struct flow_filters){.allow = &filter, .allow_count = 1}, record);
}

static inline struct prefix prefix_of(const char *text)
{
    struct prefix prefix;
    cr_assert(prefix_parse(text, &prefix), "%s", text);
    return prefix;
}
