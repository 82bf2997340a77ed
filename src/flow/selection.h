// What filters become when they are prepared, and how it is evaluated in two steps. Internal to flow/.
#pragma once

#include <stdatomic.h>

#include "flow/community_id.h"
#include "flow/faces.h"
#include "flow/filter.h"

struct address_set {
    struct number_set v4, v6;
};

struct prepared_end {
    struct address_set networks, places;
    struct number_set ports;
    bool asks_networks, asks_ports, asks_places;
};

struct prepared_name {
    char text[FILTER_NAME_BYTES + 1]; // lower case
    uint8_t length;
    bool suffix;
};

struct filter_names {
    unsigned count;
    struct prepared_name name[];
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
    struct prepared_end inside; // for `named` and places to count; without ports
    uint8_t (*community)[COMMUNITY_ID_DIGEST_BYTES];
    unsigned community_count;
    uint8_t (*id)[FLOW_ID_BYTES];
    unsigned id_count;
};

struct flow_selection {
    atomic_uint holders;
    unsigned allow_count, deny_count;
    unsigned parts;                  // of faces, enum flow_face_part
    bool needs_parts;                // looks at the parts of many flows
    bool needs_digest;               // may cost an id or a Community ID a flow
    struct flow_selection *within;   // held; has none itself. NULL = all
    struct prepared_filter filter[]; // `allow`, then `deny`
};

// What is known of flows, as bits by their places: those that may fit, and of these those that do.
struct flow_fit {
    uint64_t may, does;
};

// First step: what faces tell. Never wrong; where a flow's parts decide it may fit, and flow_selection_fits() asks its
// record.
struct flow_fit flow_selection_fits_faces(const struct flow_selection *selection,
                                          const struct flow_faces *faces);
