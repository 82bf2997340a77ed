// What somebody was granted: a name, a role, limits. Counted; all but its standing is frozen, and that only falls. For the
// tables of identities (tokens.h, identity.c).
#pragma once

#include <stdatomic.h>

#include "api/caller.h"
#include "api/limits.h"

enum grant_standing { GRANT_STANDS, GRANT_CHANGED, GRANT_GONE };

struct grant {
    atomic_uint holders;
    atomic_int standing; // enum grant_standing
    enum role role;
    struct limits *limits; // held; NULL = none
    char identity[];
};

// NULL without memory.
struct grant *grant_create(const char *identity, enum role role, const struct limits *limits);
// Of the words "ROLE [limit...]". NULL with a sentence: limits are the viewer's alone, for packets and settings are not told
// apart by them.
struct grant *grant_parse(const char *identity, char *const *words, unsigned count, struct error *error);
struct grant *grant_hold(struct grant *grant);
void grant_release(struct grant *grant); // takes NULL
bool grant_is_same(const struct grant *left, const struct grant *right);

// A caller who has it; takes the hold.
struct caller caller_of(struct grant *take_grant);

// Cuts a line into its words, in place. Returns how many there are; beyond `most` they are counted only.
unsigned words_cut(char *line, char **words, unsigned most);
