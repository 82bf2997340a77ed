// One DNS answer as a shard reports it in the tick in which it was seen:
// the report counts failures and slow answers with it, and aggregate names addresses. Plain values.
#pragma once

#include <stdint.h>

#include "decode/app/dns.h"
#include "net/address.h"

struct dns_transaction {
    uint64_t number;    // of the packet
    int64_t time_ns;    // of the answer
    int64_t latency_ns; // answer - query; < 0 = the query was not seen
    struct address client, server;
    struct dns_name name;
    uint16_t type;
    uint16_t rcode;
    uint8_t addresses;
    struct dns_answer answer[4]; // those with an address
};

// The transactions of a tick, in the order of their packets; one packet may bring several, all of a tick at most
// as many more as packets.
struct dns_list {
    struct dns_transaction *items; // owned
    unsigned count, room;
};

// A place for one more, which counts once `count` says so; NULL without memory.
struct dns_transaction *dns_list_place(struct dns_list *list);
