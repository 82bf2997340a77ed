#include "api/identity.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "api/grant.h"
#include "api/peers.h"
#include "api/status.h"
#include "api/tokens.h"
#include "base/capabilities.h"
#include "base/digest.h"
#include "base/file_version.h"
#include "base/log.h"
#include "base/metric.h"
#include "config/settings.h"

enum { TOKEN_BYTES = 4096, IDENTITY_BYTES = 300 };

// Why a caller was refused.
enum refusal {
    REFUSED_TOKEN,
    REFUSED_MALFORMED,
    REFUSED_MISSING,
    REFUSED_CERTIFICATE,
    REFUSED_NODE,
    REFUSALS
};

struct identities {
    const struct listener_settings *settings;
    const char *section, *node;
    struct peer_rules peers;
    struct file_version version; // of the tokens file that was read last, or refused. Of whoever reloads
    pthread_mutex_t lock;        // of `tokens`, which whoever reloads exchanges, and nobody else
    struct token_table tokens;
    atomic_uint_fast64_t refused[REFUSALS], files_refused;
};

// The tokens file.

static bool read_whole(int file, const char *path, char **bytes, size_t *length, struct error *error)
{
    ssize_t got = 1;
    *length = 0;
    *bytes = malloc(TOKENS_FILE_BYTES + 1);
    if (*bytes == NULL)
        return error_set(error, ERROR_EXHAUSTED, "no memory to read %s", path);
    while (got > 0 && *length <= TOKENS_FILE_BYTES) {
        got = read(file, *bytes + *length, TOKENS_FILE_BYTES + 1 - *length);
        *length += got > 0 ? (size_t)got : 0;
    }
    return got >= 0 ||
           error_set(error, error_kind_of_errno(errno), "cannot read %s: %s", path, strerror(errno));
}

static void warn_of_readers(int file, const char *path)
{
    struct stat status;
    if (fstat(file, &status) == 0 && (status.st_mode & S_IROTH) != 0)
        log_warning("api",
                    "%s can be read by everybody on this host: chmod o-r, for whoever reads it may try "
                    "tokens at leisure",
                    path);
}

static bool load(const struct identities *identities, struct token_table *out, struct error *error)
{
    const char *path = identities->settings->auth.tokens_file;
    char *bytes = NULL;
    size_t length;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    *out = (struct token_table){0};
    if (file < 0)
        return error_set(error, error_kind_of_errno(errno), "cannot open %s.auth.tokens_file %s: %s%s",
                         identities->section, path, strerror(errno), capabilities_denial(errno));
    bool good =
        read_whole(file, path, &bytes, &length, error) && tokens_parse(bytes, length, path, out, error);
    if (good)
        warn_of_readers(file, path);
    free(bytes);
    close(file);
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
static void take_tokens(struct identities *identities, struct token_table *take_table)
{
    keep_grants(&identities->tokens, take_table);
    pthread_mutex_lock(&identities->lock);
    struct token_table old = identities->tokens;
    identities->tokens = *take_table;
    pthread_mutex_unlock(&identities->lock);
    end_grants(&old, take_table);
    tokens_done(&old);
}

void identities_reload(struct identities *identities)
{
    const char *path = identities->settings->auth.tokens_file;
    struct file_version version = file_version_of(path);
    struct token_table table;
    struct error error;
    if (path[0] == '\0' || file_version_is_same(&version, &identities->version))
        return;
    identities->version = version;
    if (load(identities, &table, &error)) {
        log_info("api", "%s: %zu tokens are in force", path, table.count);
        take_tokens(identities, &table);
        return;
    }
    atomic_fetch_add(&identities->files_refused, 1);
    log_warning("api", "%s; the tokens that were read before stay in force until it is mended", error.text);
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
    identities->version =
        file_version_of(settings->auth.tokens_file); // before it is read: a change meanwhile is new
    bool good = peer_rules_parse(&settings->auth.callers, &identities->peers, error) ||
                error_prefix(error, "%s.auth.callers", section);
    if (good && settings->auth.tokens_file[0] != '\0')
        good = load(identities, &identities->tokens, error);
    if (good)
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
    pthread_mutex_destroy(&identities->lock);
    free(identities);
}

// Finding a caller.

// A search: what is known of the caller, and how it fails.
struct search {
    struct identities *identities;
    const struct api_peer *peer;
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

static struct grant *find_by_token(struct search *search, const char *authorization)
{
    struct identities *identities = search->identities;
    const char *token = bearer_of(authorization), *section = identities->section;
    uint8_t digest[DIGEST_BYTES_MAX];
    static_assert((int)DIGEST_BYTES_MAX == (int)TOKEN_DIGEST_BYTES, "a SHA-256");
    if (token == NULL)
        return REFUSE(search, REFUSED_MALFORMED, "CREDENTIALS_MALFORMED",
                      "the authorization header is none that is known here: send \"Bearer TOKEN\"");
    if (identities->settings->auth.tokens_file[0] == '\0')
        return REFUSE(search, REFUSED_TOKEN, "TOKEN_UNKNOWN",
                      "no tokens are known here: leave the token out, or set %s.auth.tokens_file", section);
    if (!digest_bytes(DIGEST_SHA256, token, strlen(token), digest)) {
        status_set(search->status, STATUS_INTERNAL, "INTERNAL", "the SHA-256 of a token cannot be made here");
        return NULL;
    }
    pthread_mutex_lock(&identities->lock);
    struct token *found = tokens_find(&identities->tokens, digest);
    struct grant *grant = found != NULL ? grant_hold(found->grant) : NULL;
    pthread_mutex_unlock(&identities->lock);
    if (grant == NULL)
        return REFUSE(
            search, REFUSED_TOKEN, "TOKEN_UNKNOWN",
            "the bearer token is not known here: see that it is whole and was not withdrawn, or ask "
            "the operator to add its SHA-256 to %s.auth.tokens_file",
            section);
    return grant;
}

// What somebody without any credential that is known may, or how he gets one.
static struct grant *find_stranger(struct search *search)
{
    const struct api_peer *peer = search->peer;
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
    const struct api_peer *peer = search->peer;
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

bool identities_find(struct identities *identities, const struct api_peer *peer, const char *authorization,
                     struct caller *caller, struct status *status)
{
    struct search search = {identities, peer, status};
    struct grant *grant =
        authorization != NULL ? find_by_token(&search, authorization) : find_by_peer(&search);
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

static void read_refused(const struct metric *metric, const void *held, struct metric_reader *reader)
{
    static const char *const reasons[REFUSALS] = {"token", "malformed", "missing", "certificate", "node"};
    const struct identities *identities = held;
    for (unsigned i = 0; i < REFUSALS; i++)
        metric_labelled(metric, reader, (const char *const[METRIC_LABELS]){reasons[i]},
                        atomic_load(&identities->refused[i]));
}

static void read_files(const struct metric *metric, const void *held, struct metric_reader *reader)
{
    metric_whole(metric, reader, atomic_load(&((const struct identities *)held)->files_refused));
}

// clang-format off
static const struct metric rows[] = {
    {"netscope_api_logins_refused_total", METRIC_COUNTER, NULL, "Calls refused for who made them.", {"reason"}, read_refused},
    {"netscope_api_tokens_file_errors_total", METRIC_COUNTER, NULL, "New tokens files that were wrong and not taken.", {0}, read_files},
};
// clang-format on

bool identities_add_metrics(struct identities *identities, struct metric_registry *registry)
{
    struct metric_group group = {rows, sizeof rows / sizeof rows[0], identities, metric_hold_owner,
                                 metric_release_owner};
    return metric_registry_add(registry, &group);
}
