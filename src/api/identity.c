#include "api/identity.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/grant.h"
#include "api/password.h"
#include "api/peers.h"
#include "api/secret_file.h"
#include "api/status.h"
#include "api/tokens.h"
#include "base/digest.h"
#include "base/file_version.h"
#include "base/log.h"
#include "base/metric.h"
#include "config/settings.h"

enum { TOKEN_BYTES = 4096, IDENTITY_BYTES = 300, KEY_BYTES = 64 };

// Why a caller was refused.
enum refusal {
    REFUSED_TOKEN,
    REFUSED_PASSWORD,
    REFUSED_MALFORMED,
    REFUSED_MISSING,
    REFUSED_CERTIFICATE,
    REFUSED_NODE,
    REFUSED_SLOWED,
    REFUSALS
};

struct identities {
    const struct listener_settings *settings;
    const char *section, *node;
    struct peer_rules peers;
    struct file_version tokens_version, password_version; // read last, or refused. Of whoever reloads
    pthread_mutex_t lock; // of both tables, which whoever reloads exchanges, and nobody else
    struct token_table tokens, passwords;
    struct identities *beside; // whose rows are told with ours
    atomic_uint_fast64_t refused[REFUSALS], files_refused;
};

// The tokens file.

static bool load_tokens(const struct identities *identities, struct token_table *out, struct error *error)
{
    const char *path = identities->settings->auth.tokens_file;
    char key[KEY_BYTES], *bytes;
    size_t length;
    *out = (struct token_table){0};
    snprintf(key, sizeof key, "%s.auth.tokens_file", identities->section);
    if (!secret_file_read(path, key, TOKENS_FILE_BYTES, &bytes, &length, error))
        return false;
    bool good = tokens_parse(bytes, length, path, out, error);
    secret_file_done(bytes, length);
    return good;
}

// Tokens that are the same keep their grants, so that their callers stay current.
static void keep_grants(const struct token_table *old, struct token_table *table)
{
    for (size_t i = 0; i < old->count; i++) {
        struct token *now = tokens_find(table, old->tokens[i].digest);
        if (now == NULL || !grant_is_same(now->grant, old->tokens[i].grant))
            continue;
        grant_release(now->grant);
        now->grant = grant_hold(old->tokens[i].grant);
    }
}

// What became of the others, once nobody finds them any more.
static void end_grants(const struct token_table *old, const struct token_table *table)
{
    for (size_t i = 0; i < old->count; i++) {
        const struct token *now = tokens_find(table, old->tokens[i].digest);
        if (now == NULL || now->grant != old->tokens[i].grant)
            atomic_store(&old->tokens[i].grant->standing, now != NULL ? GRANT_CHANGED : GRANT_GONE);
    }
}

// Callers wait for nothing but the exchange: to compare two large tables takes a while.
static void take_table(struct identities *identities, struct token_table *table, struct token_table *take_new)
{
    keep_grants(table, take_new);
    pthread_mutex_lock(&identities->lock);
    struct token_table old = *table;
    *table = *take_new;
    pthread_mutex_unlock(&identities->lock);
    end_grants(&old, take_new);
    tokens_done(&old);
}

// What is read off a file that may change, and how.
struct kept_file {
    const char *path, *what, *stays; // in sentences: "tokens are", "the tokens that were read before stay"
    struct file_version *version;
    struct token_table *table;
    bool (*load)(const struct identities *identities, struct token_table *out, struct error *error);
};

static void reload(struct identities *identities, const struct kept_file *kept)
{
    struct file_version version = file_version_of(kept->path);
    struct token_table table;
    struct error error;
    if (kept->path[0] == '\0' || file_version_is_same(&version, kept->version))
        return;
    *kept->version = version;
    if (kept->load(identities, &table, &error)) {
        log_info("api", "%s was read again: %zu %s in force", kept->path, table.count, kept->what);
        take_table(identities, kept->table, &table);
        return;
    }
    atomic_fetch_add(&identities->files_refused, 1);
    log_warning("api", "%s; %s in force until it is mended", error.text, kept->stays);
}

static bool load_password(const struct identities *identities, struct token_table *out, struct error *error)
{
    return password_load(&identities->settings->auth, identities->section, out, error);
}

void identities_reload(struct identities *identities)
{
    const struct auth_settings *auth = &identities->settings->auth;
    reload(identities,
           &(struct kept_file){auth->tokens_file, "tokens are", "the tokens that were read before stay",
                               &identities->tokens_version, &identities->tokens, load_tokens});
    if (auth->enabled)
        reload(identities, &(struct kept_file){
                               auth->password_file, "password is", "the password that was read before stays",
                               &identities->password_version, &identities->passwords, load_password});
}

static bool load_all(struct identities *identities, struct error *error)
{
    const struct auth_settings *auth = &identities->settings->auth;
    // Before they are read: a change meanwhile is new.
    identities->tokens_version = file_version_of(auth->tokens_file);
    if (auth->enabled)
        identities->password_version = file_version_of(auth->password_file);
    return (peer_rules_parse(&auth->callers, &identities->peers, error) ||
            error_prefix(error, "%s.auth.callers", identities->section)) &&
           (auth->tokens_file[0] == '\0' || load_tokens(identities, &identities->tokens, error)) &&
           (!auth->enabled || load_password(identities, &identities->passwords, error));
}

struct identities *identities_create(const struct listener_settings *settings, const char *section,
                                     const char *node, struct error *error)
{
    struct identities *identities = calloc(1, sizeof *identities);
    if (identities == NULL) {
        error_set(error, ERROR_EXHAUSTED, "no memory for callers");
        return NULL;
    }
    identities->settings = settings;
    identities->section = section;
    identities->node = node;
    pthread_mutex_init(&identities->lock, NULL);
    if (load_all(identities, error))
        return identities;
    identities_destroy(identities);
    return NULL;
}

void identities_destroy(struct identities *identities)
{
    if (identities == NULL)
        return;
    peer_rules_done(&identities->peers);
    tokens_done(&identities->tokens);
    tokens_done(&identities->passwords);
    pthread_mutex_destroy(&identities->lock);
    free(identities);
}

// Finding a caller.

// A search: what is known of the caller, and how it fails.
struct search {
    struct identities *identities;
    const struct peer *peer;
    struct status *status;
};

#define REFUSE(search, why, reason, ...)                                                                     \
    (atomic_fetch_add(&(search)->identities->refused[why], 1),                                               \
     status_set((search)->status, STATUS_UNAUTHENTICATED, reason, __VA_ARGS__), (struct grant *)NULL)

static struct grant *new_grant(struct search *search, const char *identity, enum role role,
                               const struct limits *limits)
{
    struct grant *grant = grant_create(identity, role, limits);
    if (grant == NULL)
        status_set(search->status, STATUS_RESOURCE_EXHAUSTED, "EXHAUSTED", "no memory for another caller");
    return grant;
}

// "Bearer TOKEN", the scheme in any case (RFC 9110): the token, NULL = it is something else.
static const char *bearer_of(const char *authorization)
{
    static const char scheme[] = "bearer ";
    if (strncasecmp(authorization, scheme, sizeof scheme - 1) != 0)
        return NULL;
    const char *token = authorization + sizeof scheme - 1;
    token += strspn(token, " ");
    for (const char *at = token; *at != '\0'; at++)
        if (*at <= ' ' || *at > '~')
            return NULL;
    size_t length = strlen(token);
    return length > 0 && length <= TOKEN_BYTES ? token : NULL;
}

// By the SHA-256 of what is shown. NULL with INTERNAL, or without a word when it is not known.
static struct grant *find_digest(struct search *search, const struct token_table *table, const void *shown,
                                 size_t length)
{
    uint8_t digest[DIGEST_BYTES_MAX];
    static_assert((int)DIGEST_BYTES_MAX == (int)TOKEN_DIGEST_BYTES, "a SHA-256");
    if (!digest_bytes(DIGEST_SHA256, shown, length, digest)) {
        status_set(search->status, STATUS_INTERNAL, "INTERNAL", "no SHA-256 can be made here");
        return NULL;
    }
    pthread_mutex_lock(&search->identities->lock);
    struct token *found = tokens_find(table, digest);
    struct grant *grant = found != NULL ? grant_hold(found->grant) : NULL;
    pthread_mutex_unlock(&search->identities->lock);
    return grant;
}

static struct grant *find_by_token(struct search *search, const char *token)
{
    struct identities *identities = search->identities;
    const char *section = identities->section;
    if (identities->settings->auth.tokens_file[0] == '\0')
        return REFUSE(search, REFUSED_TOKEN, "TOKEN_UNKNOWN",
                      "no tokens are known here: leave the token out, or set %s.auth.tokens_file", section);
    struct grant *grant = find_digest(search, &identities->tokens, token, strlen(token));
    if (grant == NULL && search->status->code == STATUS_OK)
        return REFUSE(
            search, REFUSED_TOKEN, "TOKEN_UNKNOWN",
            "the bearer token is not known here: see that it is whole and was not withdrawn, or ask "
            "the operator to add its SHA-256 to %s.auth.tokens_file",
            section);
    return grant;
}

static struct grant *find_by_password(struct search *search, const char *encoded)
{
    struct identities *identities = search->identities;
    char shown[PASSWORD_SHOWN_BYTES];
    size_t length;
    if (!password_decode(encoded, shown, &length))
        return REFUSE(search, REFUSED_MALFORMED, "CREDENTIALS_MALFORMED",
                      "the authorization header is no \"Basic\" with base64 of name and password");
    struct grant *grant = find_digest(search, &identities->passwords, shown, length);
    explicit_bzero(shown, sizeof shown);
    if (grant == NULL && search->status->code == STATUS_OK)
        return REFUSE(search, REFUSED_PASSWORD, "PASSWORD_WRONG",
                      "the name or the password is not the one of %s.auth", identities->section);
    return grant;
}

static struct grant *find_by_header(struct search *search, const char *authorization)
{
    static const char basic[] = "basic ";
    bool asks = search->identities->settings->auth.enabled;
    if (asks && strncasecmp(authorization, basic, sizeof basic - 1) == 0)
        return find_by_password(search, authorization + sizeof basic - 1);
    const char *token = bearer_of(authorization);
    if (token == NULL)
        return REFUSE(search, REFUSED_MALFORMED, "CREDENTIALS_MALFORMED",
                      "the authorization header is none that is known here: send \"Bearer TOKEN\"%s",
                      asks ? ", or a name and a password" : "");
    return find_by_token(search, token);
}

// What somebody without any credential that is known may, or how he gets one.
static struct grant *find_stranger(struct search *search)
{
    const struct peer *peer = search->peer;
    const struct listener_settings *settings = search->identities->settings;
    const char *section = search->identities->section;
    bool takes_tokens = settings->auth.tokens_file[0] != '\0';
    bool takes_certificates = settings->tls.client_ca_path[0] != '\0';
    if (peer->name_count > 0 && takes_certificates)
        return REFUSE(
            search, REFUSED_CERTIFICATE, "CERTIFICATE_UNKNOWN",
            "%.200s and the certificate's other names are none of %s.auth.callers: ask the operator to "
            "add one there%s",
            peer->names[0], section, takes_tokens ? ", or send a bearer token" : "");
    if (settings->auth.enabled)
        return REFUSE(search, REFUSED_MISSING, "CREDENTIALS_MISSING",
                      "this port asks who calls: send a name and a password (Basic)%s",
                      takes_tokens ? ", or a bearer token" : "");
    if (takes_tokens)
        return REFUSE(search, REFUSED_MISSING, "CREDENTIALS_MISSING",
                      "this port asks who calls: send a token as metadata, \"authorization: Bearer TOKEN\"%s",
                      takes_certificates ? ", or show a client certificate" : "");
    if (takes_certificates)
        return REFUSE(search, REFUSED_MISSING, "CREDENTIALS_MISSING",
                      "this port asks who calls: show a client certificate of a CA in %s.tls.client_ca_path",
                      section);
    if (peer->loopback || settings->insecure)
        return new_grant(search, "anonymous", (enum role)settings->auth.role, NULL);
    return REFUSE(search, REFUSED_MISSING, "CREDENTIALS_MISSING",
                  "beyond loopback this port serves nobody: set %s.auth.tokens_file or %s.tls.client_ca_path",
                  section, section);
}

static struct grant *find_by_peer(struct search *search)
{
    const struct peer *peer = search->peer;
    char identity[IDENTITY_BYTES] = "";
    const char *name;
    const struct grant *rule = peer_rules_find(&search->identities->peers, peer, &name);
    if (name != NULL)
        snprintf(identity, sizeof identity, "%s", name);
    else if (peer->local_socket)
        snprintf(identity, sizeof identity, "uid %u", (unsigned)peer->uid);
    if (rule != NULL)
        return new_grant(search, identity, rule->role, rule->limits);
    if (peer->local_socket)
        return new_grant(search, identity, (enum role)search->identities->settings->auth.socket_role, NULL);
    return find_stranger(search);
}

bool identities_find(struct identities *identities, const struct peer *peer, const char *authorization,
                     struct caller *caller, struct status *status)
{
    struct search search = {identities, peer, status};
    assert(status->code == STATUS_OK);
    struct grant *grant =
        authorization != NULL ? find_by_header(&search, authorization) : find_by_peer(&search);
    *caller = (struct caller){0};
    if (grant == NULL)
        return false;
    if (!limits_hold_node(grant->limits, identities->node)) {
        atomic_fetch_add(&identities->refused[REFUSED_NODE], 1);
        status_set(status, STATUS_PERMISSION_DENIED, "OTHER_NODE",
                   "this is the sensor of %.100s, and %.100s may ask those of other nodes only",
                   identities->node, grant->identity);
        grant_release(grant);
        return false;
    }
    *caller = caller_of(grant);
    assert(caller->limits == NULL || caller->role == ROLE_VIEWER);
    return true;
}

// Metrics.

void identities_count_slowed(struct identities *identities)
{
    atomic_fetch_add(&identities->refused[REFUSED_SLOWED], 1);
}

static void read_refused(const struct metric *metric, const void *held, struct metric_reader *reader)
{
    static const char *const reasons[REFUSALS] = {"token",       "password", "malformed", "missing",
                                                  "certificate", "node",     "slowed"};
    for (const struct identities *identities = held; identities != NULL; identities = identities->beside)
        for (unsigned i = 0; i < REFUSALS; i++)
            metric_labelled(metric, reader,
                            (const char *const[METRIC_LABELS]){identities->section, reasons[i]},
                            atomic_load(&identities->refused[i]));
}

static void read_files(const struct metric *metric, const void *held, struct metric_reader *reader)
{
    for (const struct identities *identities = held; identities != NULL; identities = identities->beside)
        metric_labelled(metric, reader, (const char *const[METRIC_LABELS]){identities->section},
                        atomic_load(&identities->files_refused));
}

// clang-format off
static const struct metric rows[] = {
    {"netscope_api_logins_refused_total", METRIC_COUNTER, NULL, "Calls refused for who made them.", {"listener", "reason"}, read_refused},
    {"netscope_api_tokens_file_errors_total", METRIC_COUNTER, NULL, "New files of tokens or passwords that were wrong and not taken.",
     {"listener"}, read_files},
};
// clang-format on

bool identities_add_metrics(struct identities *identities, struct identities *beside,
                            struct metric_registry *registry)
{
    assert(beside != identities);
    identities->beside = beside;
    struct metric_group group = {rows, sizeof rows / sizeof rows[0], identities, metric_hold_owner,
                                 metric_release_owner};
    return metric_registry_add(registry, &group);
}
