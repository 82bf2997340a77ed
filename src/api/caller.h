// Who calls, and what he may: his role, and the limits of what he sees. A caller is a plain value that holds a grant; grants
// are counted, so a caller may outlive the table that he was found in (api/identity.h). Any thread.
#pragma once

#include <stdbool.h>

#include "config/settings.h" // enum role

struct status;
struct grant;
struct limits;

struct caller {
    const char *identity; // the name of the token, the SAN of the certificate, "uid 1000", "anonymous"
    enum role role;
    const struct limits *limits; // NULL = he sees everything
    struct grant *grant;         // held; NULL = of no table: the texts above are borrowed then
};

const char *role_name(enum role role); // "viewer"

// One more hold on the same, for whatever outlives the call.
struct caller caller_hold(const struct caller *caller);
void caller_release(struct caller *caller); // leaves zeros; takes zeros

// Whether he may still what he might: for streams, which ask at each step; one atomic load. False with UNAUTHENTICATED
// (CREDENTIALS_GONE) when his token was taken out of the file, with PERMISSION_DENIED (RIGHTS_CHANGED) when it has another
// role or other limits now.
bool caller_is_current(const struct caller *caller, struct status *status);
