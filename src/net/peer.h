// Who is at the other end of a connection, as whoever accepted it verified: a value, made by the door, judged by the API.
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "net/address.h"

enum { PEER_NAMES = 8, PEER_NAME_BYTES = 256 };

struct peer {
    bool local_socket; // through a unix socket: uid, gid (the primary one) and pid are the kernel's word
    uid_t uid;
    gid_t gid;
    pid_t pid;
    bool loopback, tls;       // of TCP
    struct endpoint endpoint; // of TCP; version 0 = none
    struct endpoint here;     // our end of it
    // The names in the client's certificate, which was verified: "dns:shop.example", "uri:spiffe://x/y",
    // "ip:10.0.0.1", "email:a@b.c". Names too long for their place, or with other than printable ASCII, are left out.
    unsigned name_count;
    char names[PEER_NAMES][PEER_NAME_BYTES];
};
