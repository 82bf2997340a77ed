// `auth.callers`, parsed: what callers may that need no token. Entries "san=NAME ROLE [limit...]", "uid=N ROLE", "gid=N ROLE".
// Pure, frozen once made; any thread.
#pragma once

#include "api/identity.h"

struct grant;
struct string_list;
struct peer_rule;

struct peer_rules {
    struct peer_rule *rules;
    unsigned count;
};

// False with a sentence that begins with the entry.
bool peer_rules_parse(const struct string_list *entries, struct peer_rules *out, struct error *error);
void peer_rules_done(struct peer_rules *rules); // safe on zeros

// The first rule that fits the peer: of its certificate's names, else of its uid, else of its gid. NULL = none. `*name` is
// the name that fitted, NULL for uid and gid.
const struct grant *peer_rules_find(const struct peer_rules *rules, const struct peer *peer,
                                    const char **name);
