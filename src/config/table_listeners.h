// The rows of the settings table (table.c, which alone includes this) that are about servers. They are the same for all of
// them: S is the section, AT_LISTENER the member of struct settings.
#pragma once

#include "config/settings.h"
#include "config/table.h"

static const char *const role_names[] = {"viewer", "packets", "operator", NULL};

// NOLINTBEGIN(bugprone-macro-parentheses): MEMBER is a path of members, which takes none
// clang-format off
#define LISTENER_SECTIONS                                                                                     \
    {"web", "Page and API by HTTP"}, {"web.tls", "TLS of the page"}, {"web.auth", "Users of the page"},       \
    {"metrics", "Metrics and probes"}, {"metrics.tls", "TLS of the metrics"}, {"metrics.auth", "Readers of the metrics"},            \
    {"grpc", "gRPC API"}, {"grpc.tls", "TLS of the gRPC API"}, {"grpc.auth", "Callers of the gRPC API"}

#define LISTENER_PORT_ROWS(S, MEMBER, PORT, MOST, HELP, WHAT, BEYOND)                                         \
    {.key = #S ".enabled", .type = SETTING_BOOL, AT(MEMBER.enabled),                                          \
     .standard = "false", .flag = #S, .help = HELP, .doc = WHAT                                               \
     " A run over files goes on serving what it found until a signal, unless `run.exit_at_end`."},            \
    {.key = #S ".bind", .type = SETTING_STRING, AT(MEMBER.bind),                                              \
     .standard = "127.0.0.1", .flag = #S "-bind", .argument = "ADDRESS", .help = "address to listen on",      \
     .doc = "The address to listen on: a literal of IPv4 or IPv6, `\"\"` for none but the socket. " BEYOND},  \
    {.key = #S ".port", .type = SETTING_NUMBER, AT(MEMBER.port), RANGE(0, 65535),                             \
     .standard = PORT, .flag = #S "-port", .unit = "TCP port", .help = "port to listen on",                   \
     .doc = "The port to listen on; 0 lets the kernel choose, and the log tells which."},                     \
    {.key = #S ".socket", .type = SETTING_PATH, AT(MEMBER.socket),                                            \
     .standard = "", .flag = #S "-socket", .help = "unix socket to listen on as well",                        \
     .doc = "The path of a unix socket to listen on as well, made with mode 0660. Who may use it is up to the folder, the mode, "    \
            "`" #S ".auth.callers` and `" #S ".auth.socket_role`."},                                          \
    {.key = #S ".max_connections", .type = SETTING_NUMBER, AT(MEMBER.max_connections), RANGE(1, 65535),       \
     .standard = MOST, .flag = #S "-max-connections", .unit = "connections", .help = "connections at a time", \
     .doc = "How many connections are served at a time, on the port and on the socket each; further ones are closed at once, and "   \
            "counted."}

#define LISTENER_INSECURE_ROW(S, MEMBER)                                                                      \
    {.key = #S ".insecure", .type = SETTING_BOOL, AT(MEMBER.insecure),                                        \
     .standard = "false", .flag = #S "-insecure", .help = "listen beyond loopback without TLS or auth",       \
     .doc = "Whether listening beyond loopback without TLS and authentication is meant. Whoever reaches the port then has "          \
            "`" #S ".auth.role`."}

#define LISTENER_TLS_ROWS(S, MEMBER, WITHOUT)                                                                 \
    {.key = #S ".tls.enabled", .type = SETTING_BOOL, AT(MEMBER.tls.enabled),                                  \
     .standard = "false", .flag = #S "-tls", .help = "TLS on the port",                                       \
     .doc = "Whether the port speaks TLS 1.2 or 1.3. The unix socket never does."},                           \
    {.key = #S ".tls.cert_path", .type = SETTING_PATH, AT(MEMBER.tls.cert_path), .file = SETTING_INPUT,       \
     .standard = "", .flag = #S "-tls-cert", .help = "certificate and its chain (PEM)",                       \
     .doc = "The certificate, followed by its chain, in PEM. Read again when the file changes." WITHOUT},     \
    {.key = #S ".tls.key_path", .type = SETTING_PATH, AT(MEMBER.tls.key_path), .file = SETTING_INPUT,         \
     .standard = "", .flag = #S "-tls-key", .help = "key of the certificate (PEM)",                           \
     .doc = "The private key of the certificate in PEM, without a pass phrase. Read again when the file changes."},                  \
    {.key = #S ".tls.client_ca_path", .type = SETTING_PATH, AT(MEMBER.tls.client_ca_path), .file = SETTING_INPUT,                    \
     .standard = "", .flag = #S "-tls-client-ca", .help = "CA that clients' certificates must be of (PEM)",   \
     .doc = "With it clients must show a certificate of one of these CAs (mTLS). What the names in it may do say "                   \
            "`" #S ".auth.callers`."}

#define LISTENER_AUTH_ROWS(S, MEMBER, ROLE)                                                                   \
    {.key = #S ".auth.tokens_file", .type = SETTING_PATH, AT(MEMBER.auth.tokens_file), .file = SETTING_INPUT, \
     .standard = "", .flag = #S "-tokens-file", .help = "bearer tokens: lines of name, role, SHA-256",        \
     .doc = "A file of bearer tokens, a line each: a name, a role, the SHA-256 of the token in hex, then for viewers limits of "     \
            "what they see: `namespace=shop`, `network=10.0.0.0/8`, `node=worker-1`. Read again when it changes; with it, who "      \
            "shows no token is refused (but by `" #S ".auth.callers`). See docs/api.md."},                    \
    {.key = #S ".auth.callers", .type = SETTING_LIST, AT(MEMBER.auth.callers),                                \
     .standard = "", .flag = #S "-caller", .argument = "WHO ROLE", .help = "what a certificate or a local user may; repeatable",     \
     .doc = "What callers may that need no token: `san=NAME ROLE` for a name in a client's certificate (`dns:client.example`, "      \
            "`uri:...`, `email:...`, `ip:...`, or without the kind), `uid=N ROLE` and `gid=N ROLE` for users of the unix socket; "   \
            "limits as in the tokens file may follow."},                                                      \
    {.key = #S ".auth.role", .type = SETTING_ENUM, AT(MEMBER.auth.role), .names = role_names,                 \
     .standard = "viewer", .flag = #S "-role", .help = "what callers without credentials of their own may",   \
     .doc = "The role of " ROLE "callers on the port where neither credentials nor client certificates are asked for: `viewer`, "    \
            "`packets` or `operator`."},                                                                      \
    {.key = #S ".auth.socket_role", .type = SETTING_ENUM, AT(MEMBER.auth.socket_role), .names = role_names,   \
     .standard = "viewer", .flag = #S "-socket-role", .help = "what users of the unix socket may",            \
     .doc = "The role of users of the unix socket that `" #S ".auth.callers` does not name."}

#define LISTENER_PASSWORD_ROWS(S, MEMBER)                                                                     \
    {.key = #S ".auth.enabled", .type = SETTING_BOOL, AT(MEMBER.auth.enabled),                                \
     .standard = "false", .flag = #S "-auth", .help = "ask for a user's name and password",                   \
     .doc = "Whether a user's name and password are asked for (HTTP Basic). Needs `" #S ".auth.username` and one of "                \
            "`" #S ".auth.password_file` and `" #S ".auth.password`."},                                       \
    {.key = #S ".auth.username", .type = SETTING_STRING, AT(MEMBER.auth.username),                            \
     .standard = "", .flag = #S "-auth-user", .argument = "NAME", .help = "name of that user",                \
     .doc = "The name of the user, without a colon."},                                                        \
    {.key = #S ".auth.password", .type = SETTING_STRING, AT(MEMBER.auth.password), .secret = true,            \
     .standard = "", .flag = #S "-auth-pass", .argument = "TEXT", .help = "his password; better in a file",   \
     .doc = "The password. A file is better, for whoever lists processes sees flags and environment."},       \
    {.key = #S ".auth.password_file", .type = SETTING_PATH, AT(MEMBER.auth.password_file), .file = SETTING_INPUT,                    \
     .standard = "", .flag = #S "-auth-pass-file", .help = "file whose first line is his password",           \
     .doc = "A file whose first line is the password. Read again when it changes."}

#define WITHOUT_CERTIFICATE                                                                                   \
    " Without one the sensor makes one itself at each start, which nobody trusts by itself: the log tells its fingerprint."

#define GRPC_ROWS                                                                                             \
    LISTENER_PORT_ROWS(grpc, grpc, "9871", "512", "serve the API by gRPC",                                    \
        "Whether the API is served by gRPC, at `grpc.bind` and `grpc.port`, and at `grpc.socket`.",           \
        "Beyond loopback it needs `grpc.tls.enabled` and `grpc.auth.tokens_file` or `grpc.tls.client_ca_path`, or "                  \
        "`grpc.insecure`."),                                                                                  \
    LISTENER_INSECURE_ROW(grpc, grpc), LISTENER_TLS_ROWS(grpc, grpc, ""), LISTENER_AUTH_ROWS(grpc, grpc, "")

#define METRICS_ROWS                                                                                          \
    LISTENER_PORT_ROWS(metrics, metrics, "9873", "64", "serve metrics and probes by HTTP",                    \
        "Whether `/metrics`, `/livez` and `/readyz` are served by HTTP at `metrics.bind` and `metrics.port`, and at "                \
        "`metrics.socket`.",                                                                                  \
        "They hold no addresses and no packets, so any address will do without TLS and authentication."),     \
    LISTENER_TLS_ROWS(metrics, metrics, WITHOUT_CERTIFICATE), LISTENER_PASSWORD_ROWS(metrics, metrics),                            \
    LISTENER_AUTH_ROWS(metrics, metrics, "that user, and of ")

#define WEB_ROWS                                                                                              \
    LISTENER_PORT_ROWS(web, web.listener, "8080", "512", "serve the page and the API by HTTP",                \
        "Whether the page, the API by Connect and WebSocket, `/metrics` and the probes are served by HTTP at `web.bind` and "        \
        "`web.port`, and at `web.socket`.",                                                                   \
        "Beyond loopback it needs `web.tls.enabled` and `web.auth.enabled`, `web.auth.tokens_file` or "       \
        "`web.tls.client_ca_path`, or `web.insecure`."),                                                      \
    LISTENER_INSECURE_ROW(web, web.listener),                                                                 \
    {.key = "web.allowed_hosts", .type = SETTING_LIST, AT(web.allowed_hosts),                                 \
     .standard = "", .flag = "web-allowed-host", .argument = "HOST", .help = "name that the page goes by; repeatable",               \
     .doc = "Names that requests may be for (Host), besides `localhost` and the address that they came to. Others are refused, "     \
            "for a page from elsewhere may have its name point here (DNS rebinding). An origin such as `https://page.example:8443` " \
            "stands for its name, and pages of it may ask here."},                                            \
    {.key = "web.base_path", .type = SETTING_STRING, AT(web.base_path),                                       \
     .standard = "", .flag = "web-base-path", .argument = "PATH", .help = "path below which a proxy serves the page",                \
     .doc = "The path below which a proxy serves the page, such as `/netscope`; the proxy may keep or strip it."},                   \
    {.key = "web.trusted_proxies", .type = SETTING_LIST, AT(web.trusted_proxies),                             \
     .standard = "", .flag = "web-trusted-proxy", .argument = "CIDR", .help = "proxy whose forwarded headers count; repeatable",     \
     .doc = "Addresses and networks of proxies whose `X-Forwarded-For`, `-Host` and `-Proto`, or `Forwarded`, tell where a request " \
            "came from (for the slowing down of failed logins) and for which page (for the check of `Origin`). Anybody else's are "  \
            "not looked at."},                                                                                \
    {.key = "web.tick_ms", .type = SETTING_MS, AT(web.tick_ms), RANGE(16, 60000),                             \
     .standard = "1000", .flag = "web-tick-ms", .help = "how often the page gets new figures",                \
     .doc = "How often the page gets new figures."},                                                          \
    {.key = "web.top_n", .type = SETTING_NUMBER, AT(web.top_n), RANGE(1, 100),                                \
     .standard = "10", .flag = "web-top-n", .unit = "flows", .help = "rows of the page's lists of the most",  \
     .doc = "How many flows the page's list of those with the most bytes has."},                              \
    {.key = "web.packet_buffer", .type = SETTING_NUMBER, AT(web.packet_buffer), RANGE(1, 20000),              \
     .standard = "2000", .flag = "web-packet-buffer", .unit = "packets", .help = "packets kept for who watches them",                \
     .doc = "How many packets are kept for clients that watch packets or look at one of them. Some 1 KB each, and only from "        \
            "when somebody watches."},                                                                        \
    {.key = "web.sample_rate", .type = SETTING_NUMBER, AT(web.sample_rate), RANGE(0, UINT32_MAX),             \
     .standard = "1", .flag = "web-sample-rate", .unit = "packets", .help = "every so many packets are kept; 0 = none",              \
     .doc = "Every so many packets one is kept for clients that watch packets; 0 keeps none."},               \
    {.key = "web.payload_bytes", .type = SETTING_NUMBER, AT(web.payload_bytes), RANGE(0, 16384),              \
     .standard = "256", .flag = "web-payload-bytes", .unit = "bytes", .help = "payload kept of each of these packets",               \
     .doc = "How much of each packet's payload is kept for clients, behind its headers."},                    \
    LISTENER_TLS_ROWS(web, web.listener, WITHOUT_CERTIFICATE), LISTENER_PASSWORD_ROWS(web, web.listener),                          \
    LISTENER_AUTH_ROWS(web, web.listener, "that user, and of ")

#define LISTENER_ROWS WEB_ROWS, METRICS_ROWS, GRPC_ROWS
// clang-format on
// NOLINTEND(bugprone-macro-parentheses)
