#include "api/identity.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/limits.h"
#include "api/status.h"
#include "base/metric.h"
#include "config/settings.h"

#define HASH_A "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb" // of "a"
#define HASH_B "3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d" // of "b"

static char path[64]; // of this process: tests run side by side
static char nothing[] = "";

// A file that replaces the one before, as editors and Kubernetes do it.
static void write_tokens(const char *text)
{
    char other[] = "/tmp/netscope-tokens-XXXXXX";
    snprintf(path, sizeof path, "/tmp/netscope-tokens-of-%d", (int)getpid());
    int file = mkstemp(other);
    cr_assert_geq(file, 0);
    cr_assert_eq(write(file, text, strlen(text)), (ssize_t)strlen(text));
    close(file);
    cr_assert_eq(rename(other, path), 0);
}

static struct listener_settings settings_of(char *tokens_file, char **callers, unsigned count)
{
    return (struct listener_settings){.tls = {.client_ca_path = nothing},
                                      .auth = {.tokens_file = tokens_file,
                                               .callers = {callers, count},
                                               .role = ROLE_PACKETS,
                                               .socket_role = ROLE_OPERATOR}};
}

static struct identities *create(const struct listener_settings *settings)
{
    struct error error = {.text = ""};
    struct identities *identities = identities_create(settings, "grpc", "worker-1", &error);
    cr_assert_not_null(identities, "%s", error.text);
    return identities;
}

// Any tokens file is of this test only.
static struct identities *create_with_tokens(struct listener_settings *settings, const char *tokens)
{
    write_tokens(tokens);
    *settings = settings_of(path, NULL, 0);
    return create(settings);
}

static void destroy(struct identities *identities)
{
    identities_destroy(identities);
    unlink(path);
}

static const struct peer loopback = {.loopback = true}, remote = {.tls = true};

static struct caller find(struct identities *identities, const struct peer *peer, const char *authorization)
{
    struct caller caller;
    struct status status = STATUS_FINE;
    cr_assert(identities_find(identities, peer, authorization, &caller, &status), "%s", status.message);
    return caller;
}

static void expect_caller(struct identities *identities, const struct peer *peer, const char *authorization,
                          const char *identity, enum role role)
{
    struct caller caller = find(identities, peer, authorization);
    cr_expect_str_eq(caller.identity, identity);
    cr_expect_eq(caller.role, role, "%s: %s", identity, role_name(caller.role));
    caller_release(&caller);
}

static void expect_refused(struct identities *identities, const struct peer *peer, const char *authorization,
                           const char *reason, const char *part)
{
    struct caller caller;
    struct status status = STATUS_FINE;
    cr_assert_not(identities_find(identities, peer, authorization, &caller, &status), "%s", caller.identity);
    cr_expect_eq(status.code, STATUS_UNAUTHENTICATED);
    cr_expect_str_eq(status.reason, reason);
    cr_expect_not_null(strstr(status.message, part), "no \"%s\" in: %s", part, status.message);
    cr_expect_null(caller.grant);
}

Test(identity, takes_a_token_whatever_the_peer)
{
    struct listener_settings settings;
    struct identities *identities =
        create_with_tokens(&settings, "shop viewer " HASH_A " namespace=shop\nops operator " HASH_B);
    const struct peer socket = {.local_socket = true, .uid = 7};
    expect_caller(identities, &remote, "Bearer b", "ops", ROLE_OPERATOR);
    expect_caller(identities, &loopback, "bearer   a", "shop", ROLE_VIEWER);
    expect_caller(identities, &socket, "BEARER a", "shop", ROLE_VIEWER);
    struct caller caller = find(identities, &remote, "Bearer a");
    cr_expect_str_eq(caller.limits->words[0], "namespace=shop");
    destroy(identities);
    cr_expect_str_eq(caller.identity, "shop"); // it outlives the table
    caller_release(&caller);
}

Test(identity, never_falls_back_from_a_wrong_token)
{
    struct listener_settings settings;
    struct identities *identities = create_with_tokens(&settings, "shop viewer " HASH_A);
    const struct peer socket = {.local_socket = true};
    expect_refused(identities, &socket, "Bearer c", "TOKEN_UNKNOWN", "grpc.auth.tokens_file");
    expect_refused(identities, &loopback, "Bearer aa", "TOKEN_UNKNOWN", "not known");
    expect_refused(identities, &loopback, "Bearer ", "CREDENTIALS_MALFORMED", "Bearer TOKEN");
    expect_refused(identities, &loopback, "", "CREDENTIALS_MALFORMED", "Bearer TOKEN");
    expect_refused(identities, &loopback, "Bearer a b", "CREDENTIALS_MALFORMED", "Bearer TOKEN");
    expect_refused(identities, &loopback, "Bearer a\x7f", "CREDENTIALS_MALFORMED", "Bearer TOKEN");
    expect_refused(identities, &loopback, "Basic YTpi", "CREDENTIALS_MALFORMED", "Bearer TOKEN");
    expect_refused(identities, &loopback, NULL, "CREDENTIALS_MISSING", "authorization: Bearer TOKEN");
    destroy(identities);
}

Test(identity, lets_strangers_in_by_loopback_or_insecure_only)
{
    struct listener_settings settings = settings_of(nothing, NULL, 0);
    struct identities *identities = create(&settings);
    const struct peer plain = {0};
    expect_caller(identities, &loopback, NULL, "anonymous", ROLE_PACKETS);
    expect_refused(identities, &plain, NULL, "CREDENTIALS_MISSING", "beyond loopback");
    expect_refused(identities, &loopback, "Bearer a", "TOKEN_UNKNOWN", "leave the token out");
    settings.insecure = true;
    expect_caller(identities, &plain, NULL, "anonymous", ROLE_PACKETS);
    identities_destroy(identities);
}

Test(identity, knows_names_of_certificates)
{
    char *callers[] = {(char[]){"san=dns:Client.example viewer network=10.0.0.0/8"},
                       (char[]){"san=ops@example.org operator"}, (char[]){"san=uri:spiffe://x/y packets"}};
    struct listener_settings settings = settings_of(nothing, callers, 3);
    char ca[] = "ca.pem";
    settings.tls.client_ca_path = ca;
    struct identities *identities = create(&settings);
    struct peer peer = {.tls = true, .names = {"dns:other.example", "dns:client.EXAMPLE"}, .name_count = 2};
    struct caller caller = find(identities, &peer, NULL);
    cr_expect_str_eq(caller.identity, "dns:client.EXAMPLE");
    cr_expect_eq(caller.role, ROLE_VIEWER);
    cr_assert_not_null(caller.limits);
    cr_expect_eq(caller.limits->network_count, 1);
    caller_release(&caller);
    peer.name_count = 1;
    expect_refused(identities, &peer, NULL, "CERTIFICATE_UNKNOWN", "dns:other.example");
    peer = (struct peer){.tls = true, .names = {"email:ops@example.org"}, .name_count = 1};
    expect_caller(identities, &peer, NULL, peer.names[0], ROLE_OPERATOR);
    strcpy(peer.names[0], "uri:spiffe://x/y");
    expect_caller(identities, &peer, NULL, peer.names[0], ROLE_PACKETS);
    strcpy(peer.names[0], "uri:spiffe://x/Y");
    expect_refused(identities, &peer, NULL, "CERTIFICATE_UNKNOWN", "callers");
    strcpy(peer.names[0], "uri:client.example");
    expect_refused(identities, &peer, NULL, "CERTIFICATE_UNKNOWN", "callers");
    expect_refused(identities, &loopback, NULL, "CREDENTIALS_MISSING", "client_ca_path");
    identities_destroy(identities);
}

Test(identity, knows_users_of_the_socket)
{
    char *callers[] = {(char[]){"gid=20 viewer"}, (char[]){"uid=1000 packets"}};
    struct listener_settings settings = settings_of(nothing, callers, 2);
    struct identities *identities = create(&settings);
    struct peer peer = {.local_socket = true, .uid = 1000, .gid = 20};
    expect_caller(identities, &peer, NULL, "uid 1000", ROLE_PACKETS);
    peer.uid = 1001;
    expect_caller(identities, &peer, NULL, "uid 1001", ROLE_VIEWER);
    peer.gid = 21;
    expect_caller(identities, &peer, NULL, "uid 1001", ROLE_OPERATOR); // the socket's own role
    peer = (struct peer){.uid = 1000, .gid = 20, .loopback = true};
    expect_caller(identities, &peer, NULL, "anonymous",
                  ROLE_PACKETS); // that of the port: a uid there means nothing
    identities_destroy(identities);
}

Test(identity, refuses_callers_of_other_nodes)
{
    struct listener_settings settings;
    struct identities *identities = create_with_tokens(
        &settings, "here viewer " HASH_A " node=other node=worker-1\nthere viewer " HASH_B " node=other");
    struct caller caller;
    struct status status = STATUS_FINE;
    expect_caller(identities, &remote, "Bearer a", "here", ROLE_VIEWER);
    cr_assert_not(identities_find(identities, &remote, "Bearer b", &caller, &status));
    cr_expect_eq(status.code, STATUS_PERMISSION_DENIED);
    cr_expect_not_null(strstr(status.message, "worker-1"), "%s", status.message);
    destroy(identities);
}

static void expect_wrong(const struct listener_settings *settings, const char *part, const char *other)
{
    struct error error = {.text = ""};
    cr_expect_null(identities_create(settings, "grpc", "n", &error));
    cr_expect(strstr(error.text, part) != NULL && strstr(error.text, other) != NULL,
              "no \"%s\", \"%s\" in: %s", part, other, error.text);
}

Test(identity, refuses_settings_that_are_wrong)
{
    static const char *const rows[][2] = {
        {"client viewer", "names nobody"},
        {"san= viewer", "names nobody"},
        {"uid=x viewer", "no number"},
        {"gid=-1 viewer", "no number"},
        {"uid=4294967295 viewer", "no number"},
        {"uid=1", "no role"},
        {"uid=1 boss", "no role"},
        {"uid=1 operator node=a", "takes no limits"},
        {"uid=1 viewer network=x", "host bits"},
        {"", "write san=NAME"},
    };
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char entry[64], *callers[1] = {entry};
        snprintf(entry, sizeof entry, "%s", rows[i][0]);
        struct listener_settings settings = settings_of(nothing, callers, 1);
        expect_wrong(&settings, "grpc.auth.callers: \"", rows[i][1]);
    }
    char missing[] = "/nonexistent/tokens";
    struct listener_settings settings = settings_of(missing, NULL, 0);
    expect_wrong(&settings, "grpc.auth.tokens_file /nonexistent/tokens", "No such file");
    write_tokens("a viewer\n");
    settings = settings_of(path, NULL, 0);
    expect_wrong(&settings, path, ":1: ");
    unlink(path);
}

static void expect_standing(const struct caller *caller, enum status_code code)
{
    struct status status = STATUS_FINE;
    cr_expect_eq(caller_is_current(caller, &status), code == STATUS_OK);
    cr_expect_eq(status.code, code, "%s", status.message);
}

Test(identity, follows_the_file)
{
    struct listener_settings settings;
    struct identities *identities =
        create_with_tokens(&settings, "gone viewer " HASH_A "\nkept viewer " HASH_B " node=worker-1\n");
    struct caller gone = find(identities, &remote, "Bearer a"), kept = find(identities, &remote, "Bearer b");
    identities_reload(identities);
    expect_standing(&gone, STATUS_OK);
    write_tokens("# moved\nkept viewer " HASH_B " node=worker-1\n");
    identities_reload(identities);
    expect_standing(&gone, STATUS_UNAUTHENTICATED);
    expect_standing(&kept, STATUS_OK);
    expect_refused(identities, &remote, "Bearer a", "TOKEN_UNKNOWN", "withdrawn");
    write_tokens("kept viewer " HASH_B " node=worker-1 network=10.0.0.0/8\n");
    identities_reload(identities);
    expect_standing(&kept, STATUS_PERMISSION_DENIED);
    caller_release(&kept);
    kept = find(identities, &remote, "Bearer b");
    write_tokens("kept operator " HASH_B "\n");
    identities_reload(identities);
    expect_standing(&kept, STATUS_PERMISSION_DENIED);
    caller_release(&kept);
    expect_caller(identities, &remote, "Bearer b", "kept", ROLE_OPERATOR);
    caller_release(&gone);
    destroy(identities);
}

Test(identity, keeps_the_old_tokens_when_the_file_breaks)
{
    struct listener_settings settings;
    struct metric_registry registry;
    struct identities *identities = create_with_tokens(&settings, "shop viewer " HASH_A);
    metric_registry_init(&registry);
    cr_assert(identities_add_metrics(identities, NULL, &registry));
    struct metric_group group = registry.group[0];
    struct caller caller = find(identities, &remote, "Bearer a");
    write_tokens("shop viewer");
    identities_reload(identities);
    identities_reload(identities); // the same file is not tried again
    expect_standing(&caller, STATUS_OK);
    expect_caller(identities, &remote, "Bearer a", "shop", ROLE_VIEWER);
    unlink(path);
    identities_reload(identities);
    expect_caller(identities, &remote, "Bearer a", "shop", ROLE_VIEWER);
    expect_refused(identities, &remote, "Bearer b", "TOKEN_UNKNOWN", "withdrawn");
    cr_expect_eq(metric_sum(group.metrics, group.count, identities, "netscope_api_tokens_file_errors_total"),
                 2);
    cr_expect_eq(metric_sum(group.metrics, group.count, identities, "netscope_api_logins_refused_total"), 1);
    write_tokens("shop viewer " HASH_B);
    identities_reload(identities);
    expect_standing(&caller, STATUS_UNAUTHENTICATED);
    caller_release(&caller);
    metric_registry_remove(&registry, identities);
    metric_registry_done(&registry);
    destroy(identities);
}

// A user of HTTP. "ann:secret" in base64 is YW5uOnNlY3JldA==.
static struct listener_settings settings_of_ann(char *password, char *password_file)
{
    static char ann[] = "ann";
    struct listener_settings settings = settings_of(nothing, NULL, 0);
    settings.auth.enabled = true;
    settings.auth.username = ann;
    settings.auth.password = password;
    settings.auth.password_file = password_file;
    return settings;
}

Test(identity, knows_a_user_by_his_password)
{
    char secret[] = "secret";
    struct listener_settings settings = settings_of_ann(secret, nothing);
    struct identities *identities = create(&settings);
    expect_caller(identities, &remote, "Basic YW5uOnNlY3JldA==", "ann", ROLE_PACKETS);
    expect_caller(identities, &remote, "bAsIc  YW5uOnNlY3JldA", "ann", ROLE_PACKETS);
    expect_refused(identities, &remote, "Basic YW5uOnNlY3JldAo=", "PASSWORD_WRONG",
                   "grpc.auth"); // and a line's end
    expect_refused(identities, &remote, "Basic YW5uOg==", "PASSWORD_WRONG", "grpc.auth");
    expect_refused(identities, &remote, "Basic !", "CREDENTIALS_MALFORMED", "base64");
    expect_refused(identities, &remote, "Bearer a", "TOKEN_UNKNOWN", "no tokens");
    expect_refused(identities, &remote, NULL, "CREDENTIALS_MISSING", "a name and a password");
    destroy(identities);
}

Test(identity, reads_the_password_again_when_its_file_changes)
{
    write_tokens("secret\nnot of it\n");
    struct listener_settings settings = settings_of_ann(nothing, path);
    struct identities *identities = create(&settings);
    struct caller caller = find(identities, &remote, "Basic YW5uOnNlY3JldA==");
    write_tokens("other");
    identities_reload(identities);
    expect_refused(identities, &remote, "Basic YW5uOnNlY3JldA==", "PASSWORD_WRONG", "grpc.auth");
    expect_standing(&caller, STATUS_UNAUTHENTICATED);
    expect_caller(identities, &remote, "Basic YW5uOm90aGVy", "ann", ROLE_PACKETS);
    write_tokens("\n");
    identities_reload(identities); // is none: the old one stays
    expect_caller(identities, &remote, "Basic YW5uOm90aGVy", "ann", ROLE_PACKETS);
    caller_release(&caller);
    destroy(identities);
    write_tokens("\n");
    expect_wrong(&settings, path, "has no password");
}
