#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <grpc/grpc.h>
#include <grpc/grpc_posix.h>
#include <grpc/grpc_security.h>
#include <grpc/slice.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "rpc/client.h"
#include "rpc/client_inside.h"

enum {
    PEM_MAXIMUM_BYTES = 1 << 20,
    MESSAGE_MAXIMUM_BYTES = 16 << 20,
    KEEPALIVE_MS = 20000,
    KEEPALIVE_TIMEOUT_MS = 10000,
    RECONNECT_LEAST_MS = 500,
    RECONNECT_MOST_MS = 5000,
    CHANNEL_ARGUMENTS = 16,
};

struct arguments {
    grpc_arg list[CHANNEL_ARGUMENTS];
    size_t count;
};

static void add_number(struct arguments *to, const char *key, int value)
{
    assert(to->count < CHANNEL_ARGUMENTS);
    to->list[to->count++] =
        (grpc_arg){.type = GRPC_ARG_INTEGER, .key = (char *)(uintptr_t)key, .value.integer = value};
}

static void add_text(struct arguments *to, const char *key, const char *value)
{
    assert(to->count < CHANNEL_ARGUMENTS);
    to->list[to->count++] = (grpc_arg){
        .type = GRPC_ARG_STRING, .key = (char *)(uintptr_t)key, .value.string = (char *)(uintptr_t)value};
}

static void add_arguments(struct arguments *to, const struct client *client,
                          const struct client_target *target)
{
    bool named_host = target->take_descriptor < 0 && strncmp(target->address, "unix:", 5) != 0;
    add_text(to, GRPC_ARG_PRIMARY_USER_AGENT_STRING, client->user_agent);
    add_number(to, GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, MESSAGE_MAXIMUM_BYTES);
    add_number(to, GRPC_ARG_KEEPALIVE_TIME_MS, KEEPALIVE_MS);
    add_number(to, GRPC_ARG_KEEPALIVE_TIMEOUT_MS, KEEPALIVE_TIMEOUT_MS);
    add_number(to, GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
    add_number(to, GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, RECONNECT_LEAST_MS);
    add_number(to, GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, RECONNECT_MOST_MS);
    // Each channel is a connection of its own, and whoever opens it again waits by himself.
    add_number(to, GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    add_number(to, GRPC_ARG_ENABLE_RETRIES, 0);
    // A proxy that is meant for the web does not lead to a sensor, nor does DNS tell how to call one.
    add_number(to, GRPC_ARG_ENABLE_HTTP_PROXY, 0);
    add_number(to, GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
    if (!named_host)
        add_text(to, GRPC_ARG_DEFAULT_AUTHORITY, "localhost");
    if (target->tls != NULL && target->tls->server_name != NULL)
        add_text(to, GRPC_SSL_TARGET_NAME_OVERRIDE_ARG, target->tls->server_name);
}

static bool read_pem(struct strbuf *into, const char *path, struct error *error)
{
    char part[4096];
    size_t length;
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return error_set(error, error_kind_of_errno(errno), "cannot read %s: %s", path, strerror(errno));
    while ((length = fread(part, 1, sizeof part, file)) > 0)
        strbuf_add_bytes(into, part, length);
    bool failed = ferror(file) != 0;
    fclose(file);
    if (failed || into->failed)
        return error_set(error, ERROR_UNAVAILABLE, "cannot read %s, or it is larger than 1 MiB", path);
    if (strstr(into->text, "-----BEGIN ") == NULL)
        return error_set(error, ERROR_INVALID_ARGUMENT,
                         "%s holds nothing in PEM: give a certificate or key that begins with -----BEGIN",
                         path);
    return true;
}

struct tls_texts {
    struct strbuf ca, cert, key;
};

static bool read_tls(struct tls_texts *texts, const struct client_tls *tls, struct error *error)
{
    if (tls->ca_file != NULL && !read_pem(&texts->ca, tls->ca_file, error))
        return false;
    if ((tls->cert_file == NULL) != (tls->key_file == NULL))
        return error_set(error, ERROR_INVALID_ARGUMENT,
                         "a certificate goes with its key: give both, or neither");
    return tls->cert_file == NULL ||
           (read_pem(&texts->cert, tls->cert_file, error) && read_pem(&texts->key, tls->key_file, error));
}

static grpc_channel_credentials *make_credentials(const struct client_tls *tls, struct error *error)
{
    grpc_channel_credentials *credentials = NULL;
    struct tls_texts texts;
    if (tls == NULL)
        return grpc_insecure_credentials_create();
    strbuf_init(&texts.ca, PEM_MAXIMUM_BYTES);
    strbuf_init(&texts.cert, PEM_MAXIMUM_BYTES);
    strbuf_init(&texts.key, PEM_MAXIMUM_BYTES);
    if (read_tls(&texts, tls, error)) {
        grpc_ssl_pem_key_cert_pair pair = {texts.key.text, texts.cert.text};
        credentials = grpc_ssl_credentials_create_ex(tls->ca_file != NULL ? texts.ca.text : NULL,
                                                     tls->cert_file != NULL ? &pair : NULL, NULL, NULL);
        if (credentials == NULL)
            error_set(error, ERROR_INVALID_ARGUMENT, "TLS cannot be set up from the files that were given");
    }
    strbuf_done(&texts.ca);
    strbuf_done(&texts.cert);
    explicit_bzero(texts.key.text, texts.key.length);
    strbuf_done(&texts.key);
    return credentials;
}

// Of the token, as a header that HTTP/2 can carry.
static bool make_authorization(struct client_channel *channel, const char *token, struct error *error)
{
    if (token == NULL || token[0] == '\0')
        return true;
    if (asprintf(&channel->authorization, "Bearer %s", token) < 0) {
        channel->authorization = NULL;
        return error_set(error, ERROR_EXHAUSTED, "no memory for a channel");
    }
    grpc_slice value = grpc_slice_from_copied_string(channel->authorization);
    bool legal = grpc_header_nonbin_value_is_legal(value) != 0;
    grpc_slice_unref(value);
    return legal ||
           error_set(
               error, ERROR_INVALID_ARGUMENT,
               "the token holds characters that no header can carry: it must be one line of printable ASCII");
}

static bool open_channel(struct client_channel *channel, const struct client_target *target,
                         struct error *error)
{
    struct arguments arguments = {.count = 0};
    add_arguments(&arguments, channel->client, target);
    grpc_channel_args list = {arguments.count, arguments.list};
    grpc_channel_credentials *credentials = make_credentials(target->tls, error);
    if (credentials == NULL)
        return false;
    if (target->take_descriptor >= 0) {
        // Core wants it non-blocking already, and plain.
        int flags = fcntl(target->take_descriptor, F_GETFL);
        fcntl(target->take_descriptor, F_SETFL, flags | O_NONBLOCK);
        channel->channel =
            grpc_channel_create_from_fd("localhost", target->take_descriptor, credentials, &list);
    } else {
        channel->channel = grpc_channel_create(target->address, credentials, &list);
    }
    grpc_channel_credentials_release(credentials);
    return channel->channel != NULL ||
           error_set(error, ERROR_UNAVAILABLE, "cannot open a channel to %s", target->address);
}

struct client_channel *client_channel_open(struct client *client, const struct client_target *target,
                                           struct error *error)
{
    assert(target->take_descriptor < 0 || target->tls == NULL);
    struct client_channel *channel = calloc(1, sizeof *channel);
    if (channel == NULL) {
        error_set(error, ERROR_EXHAUSTED, "no memory for a channel");
    } else {
        channel->client = client;
        client->channels++;
        if (make_authorization(channel, target->token, error) && open_channel(channel, target, error))
            return channel;
        client_channel_close(channel);
    }
    if (target->take_descriptor >= 0)
        close(target->take_descriptor);
    return NULL;
}

void client_channel_close(struct client_channel *channel)
{
    if (channel == NULL)
        return;
    assert(channel->calls == 0);
    if (channel->channel != NULL)
        grpc_channel_destroy(channel->channel);
    channel->client->channels--;
    free(channel->authorization);
    free(channel);
}
