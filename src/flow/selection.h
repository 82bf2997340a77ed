// What filters become when they are prepared, and how it is evaluated in two steps. Internal to flow/.
#pragma once

#include <stdatomic.h>

#include "flow/community_id.h"
#include "flow/face.h"
#include "flow/filter.h"

struct address_set {
    struct number_set v4, v6;
};

struct prepared_end {
    struct address_set networks;
    struct number_set ports;
    bool asks_networks, asks_ports;
};

struct prepared_name {
    char text[FILTER_NAME_BYTES + 1]; // lower case
    uint8_t length;
    bool suffix;
};

struct prepared_filter {
    bool pair, roles; // one of the ends without, or with a role is asked for
    bool asks_parts;  // of the flow: some field that a face does not decide alone
    struct prepared_end end[FILTER_ROLES];
    struct number_set field[FILTER_FIELDS];     // empty: not asked for
    struct filter_range figure[FILTER_FIGURES]; // bounds that were not given are the type's
    bool asks_figure[FILTER_FIGURES];
    struct prepared_name *names;
    unsigned name_count;
    struct address_set named;
    uint8_t (*community)[COMMUNITY_ID_DIGEST_BYTES];
    unsigned community_count;
};

struct flow_selection {
    atomic_uint holders;
    unsigned allow_count, deny_count;
    bool needs_ends;                 // a face with them
    bool needs_parts;                // looks at the parts of many flows
    bool needs_digest;               // may cost a Community ID a flow
    struct prepared_filter filter[]; // `allow`, then `deny`
};

enum flow_fit { FLOW_FIT_NO, FLOW_FIT_MAYBE, FLOW_FIT_YES };

// First step: what the node tells. Never wrong; MAYBE where its parts decide.
enum flow_fit flow_selection_fits_face(const struct flow_selection *selection, const struct flow_face *face);
// Second step: whether `face` and `record` of a flow are selected.
bool flow_selection_fits_both(const struct flow_selection *selection, const struct flow_face *face,
                              const struct flow_record *record);
