#include "api/caller.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "api/grant.h"
#include "api/status.h"

static const char *const roles[] = {"viewer", "packets", "operator"};

const char *role_name(enum role role)
{
    assert(role <= ROLE_OPERATOR);
    return roles[role];
}

struct grant *grant_create(const char *identity, enum role role, const struct limits *limits)
{
    size_t bytes = strlen(identity) + 1;
    struct grant *grant = calloc(1, sizeof *grant + bytes);
    if (grant == NULL)
        return NULL;
    atomic_init(&grant->holders, 1);
    atomic_init(&grant->standing, GRANT_STANDS);
    grant->role = role;
    grant->limits = limits_hold(limits);
    memcpy(grant->identity, identity, bytes);
    return grant;
}

static bool find_role(const char *word, enum role *role)
{
    for (unsigned i = 0; i < sizeof roles / sizeof roles[0]; i++) {
        *role = (enum role)i;
        if (strcmp(word, roles[i]) == 0)
            return true;
    }
    return false;
}

struct grant *grant_parse(const char *identity, char *const *words, unsigned count, struct error *error)
{
    enum role role;
    struct limits *limits;
    struct grant *grant = NULL;
    if (count == 0 || !find_role(words[0], &role)) {
        error_set(error, ERROR_INVALID_ARGUMENT, "\"%.60s\" is no role: viewer, packets and operator are",
                  count > 0 ? words[0] : "");
        return NULL;
    }
    if (!limits_parse(words + 1, count - 1, &limits, error))
        return NULL;
    if (limits != NULL && role != ROLE_VIEWER)
        error_set(error, ERROR_INVALID_ARGUMENT,
                  "the role %s takes no limits, for packets and settings are not told apart by them: make it "
                  "viewer, or leave \"%.60s\" out",
                  words[0], words[1]);
    else if ((grant = grant_create(identity, role, limits)) == NULL)
        error_set(error, ERROR_EXHAUSTED, "no memory for callers");
    limits_release(limits);
    return grant;
}

struct grant *grant_hold(struct grant *grant)
{
    unsigned before = atomic_fetch_add_explicit(&grant->holders, 1, memory_order_relaxed);
    assert(before > 0);
    (void)before;
    return grant;
}

void grant_release(struct grant *grant)
{
    if (grant == NULL || atomic_fetch_sub_explicit(&grant->holders, 1, memory_order_acq_rel) != 1)
        return;
    limits_release(grant->limits);
    free(grant);
}

bool grant_is_same(const struct grant *left, const struct grant *right)
{
    return strcmp(left->identity, right->identity) == 0 && left->role == right->role &&
           limits_are_same(left->limits, right->limits);
}

struct caller caller_of(struct grant *take_grant)
{
    return (struct caller){take_grant->identity, take_grant->role, take_grant->limits, take_grant};
}

struct caller caller_hold(const struct caller *caller)
{
    if (caller->grant != NULL)
        grant_hold(caller->grant);
    return *caller;
}

void caller_release(struct caller *caller)
{
    grant_release(caller->grant);
    *caller = (struct caller){0};
}

bool caller_is_current(const struct caller *caller, struct status *status)
{
    int standing = caller->grant != NULL
                       ? atomic_load_explicit(&caller->grant->standing, memory_order_relaxed)
                       : GRANT_STANDS;
    if (standing == GRANT_GONE)
        return status_set(status, STATUS_UNAUTHENTICATED, "CREDENTIALS_GONE",
                          "the token of %.100s was withdrawn: ask for a new one", caller->identity);
    return standing == GRANT_STANDS ||
           status_set(status, STATUS_PERMISSION_DENIED, "RIGHTS_CHANGED",
                      "what %.100s may was changed: open the stream again to see what he may now",
                      caller->identity);
}

unsigned words_cut(char *line, char **words, unsigned most)
{
    static const char blanks[] = " \t\r";
    unsigned count = 0;
    char *rest = line;
    for (char *word = strsep(&rest, blanks); word != NULL; word = strsep(&rest, blanks)) {
        if (word[0] == '\0')
            continue;
        if (count < most)
            words[count] = word;
        count++;
    }
    return count;
}
