// Filters of flows: which flows somebody wants to see. A filter is plain values that are borrowed from whoever asks;
// what is evaluated is a selection, made of filters once and then read by any number of threads.
//
// The values of a field are alternatives, the fields of a filter all have to fit, and several filters are alternatives
// again: a flow is selected when one of `allow` fits it (none given: every flow) and none of `deny` does. What is not
// known of a flow fits no value. What is left zero asks for nothing.
//
// Cost: some 5 ns a flow that its columns decide (addresses, ports, protocol, state, VLAN, figures); fields that lie in rare
// parts (names, tunnels) are looked at only where all others fit; ids and Community IDs cost 0.3 us, so they come last.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "flow/record.h"
#include "net/address.h"

// Bounds: more of it is refused with a sentence.
enum {
    FILTER_ALTERNATIVES = 16,     // filters of an allow list, and of a deny list
    FILTER_VALUES = 64,           // of a field
    FILTER_NAMED_PREFIXES = 4096, // that the names of endpoints stand for, in a filter
    FILTER_NAME_BYTES = 253,
    FILTER_SELECTION_BYTES = 1 << 20, // of all filters together, prepared
};

struct filter_prefixes {
    const struct prefix *items;
    unsigned count;
};

// Both belong to it; a single port is both. A port is one of TCP, UDP or SCTP, never a type of ICMP.
struct filter_ports {
    uint16_t first, last;
};

// Addresses as networks with holes, and islands in these: the narrowest that holds an address says whether it is one of them.
struct filter_place {
    struct prefix prefix;
    bool hole;
};
struct filter_places {
    const struct filter_place *items; // each network once, in any order
    unsigned count;
};

// What one end of a flow has to meet, all of it.
struct filter_end {
    struct filter_prefixes networks;
    const struct filter_places
        *places; // of namespaces: whoever knows where these lie says so here; NULL = anywhere
    const struct filter_ports *ports;
    unsigned port_count;
};

enum filter_role {
    FILTER_ONE_END,   // either end,
    FILTER_OTHER_END, // and the one across from it
    FILTER_CLIENT,
    FILTER_SERVER,
    FILTER_ROLES,
};

struct filter_numbers {
    const uint32_t *items;
    unsigned count;
};

// Fields of numbers.
enum filter_field {
    FILTER_PROTOCOL,    // of IP
    FILTER_TCP_STATE,   // enum tcp_state; TCP_STATE_NONE: what is not TCP
    FILTER_VLAN,        // the outer one; what is untagged fits none
    FILTER_INTERFACE,   // that counted it, or that saw it too; from here on a column does not decide alone
    FILTER_TUNNEL_KIND, // enum tunnel_kind; TUNNEL_NONE: outside of any
    FILTER_TUNNEL_ID,
    FILTER_APP,         // enum flow_app; FLOW_APP_NONE: not recognised
    FILTER_CONN_STATE,  // enum conn_state; CONN_STATE_UNKNOWN: neither TCP nor UDP, or not measured
    FILTER_SNI_STATUS,  // enum sni_status; SNI_UNKNOWN: no hello seen
    FILTER_TLS_VERSION, // as on the wire, the highest offered; 0: none told
    FILTER_FIELDS,
};

// Inclusive; a bound that is not there bounds nothing.
struct filter_range {
    uint64_t min, max;
    bool has_min, has_max;
};

// Figures of a flow, both directions together.
enum filter_figure {
    FILTER_BYTES,
    FILTER_PACKETS,
    FILTER_DURATION_NS,
    FILTER_RETRANSMISSIONS, // of TCP where quality is measured
    FILTER_RTT_NS,          // the moving average; of flows that have a sample
    FILTER_FIGURES,
};

// A name as users write it, whatever its case: `suffix`: it and all below it, by whole labels.
struct filter_name {
    const char *text;
    bool suffix;
};

struct flow_filter {
    struct filter_end end[FILTER_ROLES];
    struct filter_numbers field[FILTER_FIELDS];
    struct filter_range figure[FILTER_FIGURES];
    // Of the TLS server, of the DNS question, or of either end: whoever knows which addresses have such a name says so
    // in `named`, without which names mean what the payload told.
    const struct filter_name *names;
    unsigned name_count;
    struct filter_prefixes named;
    // Where an end has to lie for what it is called (`named`, `places`) to count, by networks and places; of zeros: anywhere.
    struct filter_end inside;
    const char *const *community_ids; // version 1, seed 0, as in outputs
    unsigned community_id_count;
    const char *const *ids; // of flows, as flow_record_id() writes them
    unsigned id_count;
};

// Names by themselves, prepared once: for whoever looks up which addresses `named` are. NULL without memory; the names are
// not needed afterwards.
struct filter_names;
struct filter_names *filter_names_prepare(const struct filter_name *names, unsigned count);
void filter_names_destroy(struct filter_names *names); // takes NULL
unsigned filter_names_count(const struct filter_names *names);
// Whether a text is one of them.
bool filter_names_fit(const struct filter_names *names, const char *text);

struct flow_selection;

struct flow_filters {
    const struct flow_filter *allow, *deny;
    unsigned allow_count, deny_count;
    struct flow_selection *within; // only flows that it selects, too; held by what is prepared. NULL = all
};

// False with a sentence that begins with the first field that is wrong: "allow[0].client.ports[1]: ...".
bool flow_filter_check(const struct flow_filters *filters, struct error *error);

// A selection, held once; NULL when a filter is wrong or memory is short. Nothing of the filters is needed afterwards.
struct flow_selection *flow_filter_prepare(const struct flow_filters *filters, struct error *error);
// Any thread; both take NULL, which selects all flows.
struct flow_selection *flow_selection_hold(struct flow_selection *selection);
void flow_selection_release(struct flow_selection *selection);

// Whether a flow is selected, as its record tells; NULL selects all.
bool flow_selection_fits(const struct flow_selection *selection, const struct flow_record *record);
