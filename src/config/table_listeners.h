// The rows of the settings table (table.c, which alone includes this) that are about servers.
#pragma once

#include "config/settings.h"
#include "config/table.h"

static const char *const role_names[] = {"viewer", "packets", "operator", NULL};

// clang-format off
#define LISTENER_SECTIONS                                                                                     \
    {"grpc", "gRPC API"}, {"grpc.tls", "TLS of the gRPC API"}, {"grpc.auth", "Callers of the gRPC API"}

#define LISTENER_ROWS                                                                                         \
    {.key = "grpc.enabled", .type = SETTING_BOOL, AT(grpc.enabled),                                           \
     .standard = "false", .flag = "grpc", .help = "serve the API by gRPC",                                    \
     .doc = "Whether the API is served by gRPC, at `grpc.bind` and `grpc.port`, and at `grpc.socket`. A run over files goes on "   \
            "serving what it found until a signal, unless `run.exit_at_end`."},                               \
    {.key = "grpc.bind", .type = SETTING_STRING, AT(grpc.bind),                                               \
     .standard = "127.0.0.1", .flag = "grpc-bind", .argument = "ADDRESS", .help = "address to listen on",     \
     .doc = "The address to listen on: a literal of IPv4 or IPv6, `\"\"` for none but the socket. Beyond loopback it needs "          \
            "`grpc.tls.enabled` and `grpc.auth.tokens_file` or `grpc.tls.client_ca_path`, or `grpc.insecure`."},                     \
    {.key = "grpc.port", .type = SETTING_NUMBER, AT(grpc.port), RANGE(0, 65535),                              \
     .standard = "9871", .flag = "grpc-port", .unit = "TCP port", .help = "port to listen on",                \
     .doc = "The port to listen on; 0 lets the kernel choose, and the log tells which."},                     \
    {.key = "grpc.socket", .type = SETTING_PATH, AT(grpc.socket),                                             \
     .standard = "", .flag = "grpc-socket", .help = "unix socket to listen on as well",                       \
     .doc = "The path of a unix socket to listen on as well, made with mode 0660. Who may use it is up to the folder, the mode, "    \
            "`grpc.auth.callers` and `grpc.auth.socket_role`."},                                              \
    {.key = "grpc.insecure", .type = SETTING_BOOL, AT(grpc.insecure),                                         \
     .standard = "false", .flag = "grpc-insecure", .help = "listen beyond loopback without TLS or auth",      \
     .doc = "Whether listening beyond loopback without TLS and authentication is meant. Whoever reaches the port then has "          \
            "`grpc.auth.role`."},                                                                             \
    {.key = "grpc.max_connections", .type = SETTING_NUMBER, AT(grpc.max_connections), RANGE(1, 65535),        \
     .standard = "512", .flag = "grpc-max-connections", .unit = "connections", .help = "connections at a time",                      \
     .doc = "How many connections are served at a time, on the port and on the socket each; further ones are closed at once, and "    \
            "counted."},                                                                                      \
                                                                                                              \
    {.key = "grpc.tls.enabled", .type = SETTING_BOOL, AT(grpc.tls.enabled),                                   \
     .standard = "false", .flag = "grpc-tls", .help = "TLS on the port",                                      \
     .doc = "Whether the port speaks TLS 1.2 or 1.3. The unix socket never does."},                           \
    {.key = "grpc.tls.cert_path", .type = SETTING_PATH, AT(grpc.tls.cert_path), .file = SETTING_INPUT,        \
     .standard = "", .flag = "grpc-tls-cert", .help = "certificate and its chain (PEM)",                      \
     .doc = "The certificate, followed by its chain, in PEM. Read again when the file changes."},             \
    {.key = "grpc.tls.key_path", .type = SETTING_PATH, AT(grpc.tls.key_path), .file = SETTING_INPUT,          \
     .standard = "", .flag = "grpc-tls-key", .help = "key of the certificate (PEM)",                          \
     .doc = "The private key of the certificate in PEM, without a pass phrase. Read again when the file changes."},                  \
    {.key = "grpc.tls.client_ca_path", .type = SETTING_PATH, AT(grpc.tls.client_ca_path), .file = SETTING_INPUT,                     \
     .standard = "", .flag = "grpc-tls-client-ca", .help = "CA that clients' certificates must be of (PEM)",  \
     .doc = "With it clients must show a certificate of one of these CAs (mTLS). What the names in it may do say "                   \
            "`grpc.auth.callers`."},                                                                          \
                                                                                                              \
    {.key = "grpc.auth.tokens_file", .type = SETTING_PATH, AT(grpc.auth.tokens_file), .file = SETTING_INPUT,  \
     .standard = "", .flag = "grpc-tokens-file", .help = "bearer tokens: lines of name, role, SHA-256",       \
     .doc = "A file of bearer tokens, a line each: a name, a role, the SHA-256 of the token in hex, then for viewers limits of "      \
            "what they see: `namespace=shop`, `network=10.0.0.0/8`, `node=worker-1`. Read again when it changes; with it, who "      \
            "shows no token is refused (but by `grpc.auth.callers`). See docs/api.md."},                                                                 \
    {.key = "grpc.auth.callers", .type = SETTING_LIST, AT(grpc.auth.callers),                                 \
     .standard = "", .flag = "grpc-caller", .argument = "WHO ROLE", .help = "what a certificate or a local user may; repeatable",    \
     .doc = "What callers may that need no token: `san=NAME ROLE` for a name in a client's certificate (`dns:client.example`, "      \
            "`uri:...`, `email:...`, `ip:...`, or without the kind), `uid=N ROLE` and `gid=N ROLE` for users of the unix socket; "   \
            "limits as in the tokens file may follow."},           \
    {.key = "grpc.auth.role", .type = SETTING_ENUM, AT(grpc.auth.role), .names = role_names,                  \
     .standard = "viewer", .flag = "grpc-role", .help = "what callers without credentials may",               \
     .doc = "The role of callers on the port where neither tokens nor client certificates are asked for: `viewer`, `packets` or "    \
            "`operator`."},                                                                                   \
    {.key = "grpc.auth.socket_role", .type = SETTING_ENUM, AT(grpc.auth.socket_role), .names = role_names,    \
     .standard = "viewer", .flag = "grpc-socket-role", .help = "what users of the unix socket may",           \
     .doc = "The role of users of the unix socket that `grpc.auth.callers` does not name."}
// clang-format on
