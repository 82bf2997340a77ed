// What the payloads of flows held, counted since the start. Plain values.
#pragma once

#include <stdint.h>

struct payload_counts {
    uint64_t tls_hellos;
    uint64_t dns_messages;
    uint64_t answers_given_up; // of DNS: more than a tick's list has places for, told to their flows alone
    uint64_t bad_messages;     // DNS or TLS that contradict themselves
    uint64_t
        streams_given_up; // hellos and DNS messages in several segments: made room for others before they were whole
};
