// Options that several commands share, and words that they take. Frozen tables.
#pragma once

#include "ctl/command.h"

extern const struct option_group connection_options;
extern const struct option_group text_output_options;  // text, json
extern const struct option_group list_output_options;  // table, wide, json, jsonl, csv
extern const struct option_group flow_filter_options;  // ctl/flow_filters.c
extern const struct option_group alert_filter_options; // ctl/alert_filters.c

// enum HintField of the API: what values of flows the sensor knows.
enum hint_field {
    HINT_NONE,
    HINT_PROTOCOL,
    HINT_APP,
    HINT_INTERFACE,
    HINT_NAME,
    HINT_NAMESPACE,
    HINT_SERVER_PORT,
    HINT_ADDRESS,
    HINT_VLAN,
};

// Values of Flow.conn_state, ended by NULL.
extern const char *const conn_state_words[];
// Words of enums of the API, in the order of their values behind 0, ended by NULL.
extern const char *const flow_order_words[];
extern const char *const tcp_state_words[];
extern const char *const sni_status_words[];
extern const char *const tunnel_kind_words[];
extern const char *const severity_words[];
extern const char *const lifecycle_words[];
// The place of a word that is in the list: 1 for the first.
int word_place(const char *const *words, const char *word);
