#include "ctl/connection.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/strbuf.h"
#include "base/time.h"
#include "config/value.h"
#include "ctl/invocation.h"
#include "ctl/settings_file.h"
#include "net/address.h"

enum { ADDRESS_BYTES = 1024, TOKEN_BYTES = 8192, TIMEOUT_SECS = 10 };

static bool is_port(const char *text)
{
    uint64_t port;
    const char *rest;
    return value_read_digits(text, &port, &rest) && *rest == '\0' && port > 0 && port <= UINT16_MAX;
}

// Host and port: a bare IPv6 address gets its brackets.
static void add_host(struct strbuf *into, const char *written)
{
    struct address address;
    const char *colon = strrchr(written, ':');
    if (address_parse(written, &address) && address.version == 6)
        strbuf_addf(into, "[%s]:%d", written, CONNECTION_PORT);
    else if (colon == NULL || strchr(colon, ']') != NULL)
        strbuf_addf(into, "%s:%d", written, CONNECTION_PORT);
    else
        strbuf_add(into, written);
}

static bool add_address(struct strbuf *into, const char *written, struct error *error)
{
    const char *host = written;
    if (strncmp(written, "unix:", 5) == 0) {
        const char *path = strncmp(written, "unix://", 7) == 0 ? written + 7 : written + 5;
        strbuf_addf(into, "unix:%s%s", path[0] == '/' ? "//" : "", path);
        return path[0] != '\0' || error_set(error, ERROR_INVALID_ARGUMENT,
                                            "unix: needs a path: unix:///run/netscope/netscope.sock");
    }
    if (strncmp(written, "dns:///", 7) == 0) {
        strbuf_add(into, "dns:///");
        host += 7;
    }
    size_t start = into->length;
    add_host(into, host);
    const char *complete = into->text + start, *colon = strrchr(complete, ':');
    if (colon != NULL && colon != complete && is_port(colon + 1) && strpbrk(complete, "/ ,") == NULL)
        return true;
    return error_set(error, ERROR_INVALID_ARGUMENT,
                     "\"%.200s\" is no address of a sensor: give host:port, unix:///path or dns:///name:port",
                     written);
}

char *address_complete(const char *written, struct error *error)
{
    char *address = NULL;
    struct strbuf text;
    strbuf_init(&text, ADDRESS_BYTES);
    if (add_address(&text, written, error)) {
        address = text.failed ? NULL : strdup(text.text);
        if (address == NULL)
            error_set(error, ERROR_INVALID_ARGUMENT, "the address \"%.80s...\" is too long", written);
    }
    strbuf_done(&text);
    return address;
}

bool address_is_local(const char *address)
{
    return strncmp(address, "unix:", 5) == 0 || strncmp(address, "127.", 4) == 0 ||
           strncmp(address, "localhost:", 10) == 0 || strncmp(address, "[::1]:", 6) == 0;
}

static bool add_server(struct connection *connection, const char *written, struct error *error)
{
    if (connection->count == CONNECTION_ADDRESSES)
        return error_set(error, ERROR_EXHAUSTED, "more than %d servers were given", CONNECTION_ADDRESSES);
    char *address = address_complete(written, error);
    if (address == NULL)
        return false;
    connection->addresses[connection->count++] = address;
    return true;
}

// "a:1,b:2"
static bool add_listed(struct connection *connection, const char *list, struct error *error)
{
    char *copy = strdup(list), *rest = NULL;
    bool fine = copy != NULL;
    for (char *item = copy != NULL ? strtok_r(copy, ", ", &rest) : NULL; item != NULL && fine;
         item = strtok_r(NULL, ", ", &rest))
        fine = add_server(connection, item, error);
    free(copy);
    return fine;
}

static bool read_addresses(struct connection *connection, const struct invocation *given, struct error *error)
{
    struct stat found;
    const char *listed = getenv("NETSCOPE_SERVER");
    for (unsigned i = 0; i < given->option_count; i++)
        if (strcmp(given->options[i].row->name, "server") == 0 &&
            !add_listed(connection, given->options[i].value, error))
            return false;
    connection->uses_kube = given_is(given, "kube");
    connection->kube_namespace = given_text(given, "kube-namespace");
    connection->selector = given_text(given, "selector");
    if (!connection->uses_kube && (connection->kube_namespace != NULL || connection->selector != NULL))
        return error_set(error, ERROR_INVALID_ARGUMENT, "--kube-namespace and --selector go with --kube");
    if (connection->count > 0 || connection->uses_kube)
        return true;
    if (listed != NULL && listed[0] != '\0')
        return add_listed(connection, listed, error) || error_prefix(error, "NETSCOPE_SERVER");
    if (stat(CONNECTION_SOCKET, &found) == 0 && S_ISSOCK(found.st_mode))
        return add_server(connection, "unix://" CONNECTION_SOCKET, error);
    return add_server(connection, "127.0.0.1", error);
}

// An option, or what the environment says.
static const char *option_or(const struct invocation *given, const char *option, const char *variable)
{
    const char *text = given_text(given, option);
    if (text == NULL)
        text = getenv(variable);
    return text != NULL && text[0] != '\0' ? text : NULL;
}

static void read_tls(struct connection *connection, const struct invocation *given)
{
    connection->tls.ca_file = option_or(given, "tls-ca", "NETSCOPE_TLS_CA");
    connection->tls.cert_file = option_or(given, "tls-cert", "NETSCOPE_TLS_CERT");
    connection->tls.key_file = option_or(given, "tls-key", "NETSCOPE_TLS_KEY");
    connection->tls.server_name = option_or(given, "tls-server-name", "NETSCOPE_TLS_SERVER_NAME");
    const char *wanted = getenv("NETSCOPE_TLS");
    connection->uses_tls = given_is(given, "tls") || connection->tls.ca_file != NULL ||
                           connection->tls.cert_file != NULL || connection->tls.key_file != NULL ||
                           connection->tls.server_name != NULL ||
                           (wanted != NULL && (strcmp(wanted, "1") == 0 || strcmp(wanted, "true") == 0));
}

static bool read_token_file(struct connection *connection, const char *path, struct error *error)
{
    char token[TOKEN_BYTES];
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return error_set(error, error_kind_of_errno(errno), "cannot read the token file %s: %s", path,
                         strerror(errno));
    size_t length = fread(token, 1, sizeof token - 1, file);
    fclose(file);
    while (length > 0 && isspace((unsigned char)token[length - 1]))
        length--;
    token[length] = '\0';
    connection->token = length > 0 ? strdup(token) : NULL;
    explicit_bzero(token, sizeof token);
    return connection->token != NULL ||
           error_set(error, ERROR_INVALID_ARGUMENT, "the token file %s is empty", path);
}

static bool read_token(struct connection *connection, const struct invocation *given, struct error *error)
{
    const char *token = getenv("NETSCOPE_TOKEN");
    const char *path = option_or(given, "token-file", "NETSCOPE_TOKEN_FILE");
    if (path != NULL && !read_token_file(connection, path, error))
        return false;
    if (path == NULL && token != NULL && token[0] != '\0')
        connection->token = strdup(token);
    connection->insecure_token = given_is(given, "insecure-token");
    return true;
}

static bool read_all(struct connection *connection, const struct invocation *given, struct error *error)
{
    if (!settings_file_apply(given_text(given, "config"), error))
        return false;
    if (!given_span(given, "timeout", TIMEOUT_SECS * NS_PER_S, &connection->timeout_ns, error) ||
        !read_addresses(connection, given, error) || !read_token(connection, given, error))
        return false;
    read_tls(connection, given);
    return true;
}

bool connection_read(struct connection *into, const struct invocation *given, struct error *error)
{
    *into = (struct connection){.count = 0};
    if (read_all(into, given, error))
        return true;
    connection_done(into);
    return false;
}

void connection_done(struct connection *connection)
{
    for (unsigned i = 0; i < connection->count; i++)
        free(connection->addresses[i]);
    if (connection->token != NULL)
        explicit_bzero(connection->token, strlen(connection->token));
    free(connection->token);
    *connection = (struct connection){.count = 0};
}
