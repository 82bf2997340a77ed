// Slows down who tries passwords: what failed costs an address, and all together, a part of a budget; with the budget spent
// nothing is looked at any more, but for credentials that were right from there before. Pure: time is given. One owner, one
// thread. Bounded: addresses share LOGIN_PLACES, where a new one takes the place of an old one of the same hash; those that
// were right have places of their own, so that wrong ones from elsewhere do not make them forgotten.
//
// Who has many addresses can spend the budget of all, and then no new address gets in by a password: that is the price of
// a bound on how many are tried. Tokens are no passwords (nobody guesses 128 bits) and are never held up.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "net/address.h"

// So many at once, and one more each so many milliseconds.
enum {
    LOGIN_BURST = 10,
    LOGIN_EACH_MS = 2000,
    LOGIN_BURST_ALL = 200,
    LOGIN_EACH_ALL_MS = 20,
    LOGIN_PLACES = 1024,
    LOGIN_MARKS = 4, // users behind one address that are remembered
};

struct login_place {
    struct address address; // an IPv6 one is its /48, which is one site's
    int64_t spent_ns;       // up to when the budget is
};

struct login_memory {
    struct address address;
    uint64_t
        good[LOGIN_MARKS]; // hashes of credentials that were right from there, the latest first; 0 = none
};

struct login_guard {
    uint64_t seed;
    int64_t spent_all_ns;
    struct login_place place[LOGIN_PLACES];
    struct login_memory memory[LOGIN_PLACES];
};

void login_guard_init(struct login_guard *guard, uint64_t seed);

// Whether these credentials may be looked at. Address version 0 (a unix socket) is an address as others.
bool login_may_try(const struct login_guard *guard, const struct address *address, const char *credentials,
                   int64_t now_ns);
// What came of it.
void login_tried(struct login_guard *guard, const struct address *address, const char *credentials, bool good,
                 int64_t now_ns);
