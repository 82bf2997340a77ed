#include <ctype.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/identity.h"
#include "config/settings.h"
#include "door/door.h"
#include "http/exchange.h"
#include "http/hosts.h"
#include "http/server_inside.h"

struct search {
    const char *name, *value;
    unsigned count;
};

static enum MHD_Result look_at(void *argument, enum MHD_ValueKind kind, const char *key, const char *value)
{
    struct search *search = argument;
    (void)kind;
    if (strcasecmp(key, search->name) != 0)
        return MHD_YES;
    if (search->count++ == 0)
        search->value = value != NULL ? value : "";
    return MHD_YES;
}

unsigned request_header(const struct exchange *exchange, const char *name, const char **value)
{
    struct search search = {.name = name};
    MHD_get_connection_values(exchange->connection, MHD_HEADER_KIND, look_at, &search);
    if (value != NULL)
        *value = search.value;
    return search.count;
}

// All values of the header by commas, of long ones the end, which the nearest proxies wrote; NULL = there is none.
struct joined {
    const char *name, *text;
    char bytes[2048];
    size_t length;
};

static void add_end(struct joined *joined, const char *text)
{
    size_t length = strlen(text), room = sizeof joined->bytes - 1;
    if (length > room) {
        text += length - room;
        length = room;
    }
    size_t kept = joined->length < room - length ? joined->length : room - length;
    memmove(joined->bytes, joined->bytes + joined->length - kept, kept);
    memcpy(joined->bytes + kept, text, length);
    joined->length = kept + length;
    joined->bytes[joined->length] = '\0';
}

static enum MHD_Result join(void *argument, enum MHD_ValueKind kind, const char *key, const char *value)
{
    struct joined *joined = argument;
    (void)kind;
    if (strcasecmp(key, joined->name) != 0)
        return MHD_YES;
    if (joined->text != NULL)
        add_end(joined, ",");
    joined->text = joined->bytes;
    add_end(joined, value != NULL ? value : "");
    return MHD_YES;
}

static const char *read_joined(const struct exchange *exchange, struct joined *joined)
{
    MHD_get_connection_values(exchange->connection, MHD_HEADER_KIND, join, joined);
    return joined->text;
}

static bool refuse_framing(struct exchange *exchange, unsigned code, const char *reason, const char *sentence)
{
    exchange->answer.closes = true;
    return answer_refuse(&exchange->answer, code,
                         code == 413 ? STATUS_RESOURCE_EXHAUSTED : STATUS_INVALID_ARGUMENT, reason, sentence);
}

bool request_too_long(struct exchange *exchange)
{
    return refuse_framing(exchange, 413, "BODY_TOO_LONG", "a request has at most 64 KiB");
}

static bool is_number(const char *text)
{
    return text[0] != '\0' && strspn(text, "0123456789") == strlen(text);
}

// RFC 9110 5.6.2.
static bool is_token(const char *text, size_t length)
{
    static const char marks[] = "!#$%&'*+-.^_`|~";
    for (size_t i = 0; i < length; i++)
        if (!isalnum((unsigned char)text[i]) && (text[i] == '\0' || strchr(marks, text[i]) == NULL))
            return false;
    return length > 0;
}

// What others may read otherwise than libmicrohttpd does: "Content-Length : 5" is no such header to it. (It
// ends a value at a NUL, unseen.)
static enum MHD_Result check_clean(void *argument, enum MHD_ValueKind kind, const char *key,
                                   size_t key_length, const char *value, size_t length)
{
    bool *clean = argument;
    (void)kind;
    *clean = is_token(key, key_length) && (value == NULL || memchr(value, '\r', length) == NULL);
    return *clean ? MHD_YES : MHD_NO;
}

static bool has_clean_headers(struct exchange *exchange)
{
    bool clean = true;
    MHD_get_connection_values_n(exchange->connection, MHD_HEADER_KIND, check_clean, &clean);
    return clean ||
           refuse_framing(exchange, 400, "BAD_HEADER",
                          "a header's name is no token (a blank before the colon?), or its value has "
                          "a carriage return");
}

// An ingress in front may see another end than we do where both lengths are given, or one twice: then the rest of the body
// would be the next one's request.
bool request_is_framed(struct exchange *exchange)
{
    const char *length = NULL, *coding = NULL;
    if (!has_clean_headers(exchange))
        return false;
    unsigned lengths = request_header(exchange, "Content-Length", &length);
    unsigned codings = request_header(exchange, "Transfer-Encoding", &coding);
    if (lengths + codings > 1)
        return refuse_framing(exchange, 400, "AMBIGUOUS_LENGTH",
                              "the length of the body is given more than once: send either Content-Length or "
                              "Transfer-Encoding, once");
    if (codings == 1 && strcasecmp(coding, "chunked") != 0)
        return refuse_framing(exchange, 400, "UNKNOWN_CODING",
                              "of Transfer-Encoding only chunked is known here");
    if (lengths == 1 && !is_number(length))
        return refuse_framing(exchange, 400, "BAD_LENGTH", "Content-Length is no number");
    exchange->has_body = codings == 1 || (lengths == 1 && strtoull(length, NULL, 10) > 0);
    if (lengths == 1 && strtoull(length, NULL, 10) > EXCHANGE_BODY_BYTES)
        return request_too_long(exchange);
    if (request_header(exchange, "Host", NULL) > 1 || request_header(exchange, "Authorization", NULL) > 1)
        return refuse_framing(exchange, 400, "HEADER_TWICE", "Host or Authorization is given twice");
    return true;
}

bool request_find_peer(struct exchange *exchange)
{
    const struct http_server *server = exchange->server;
    const struct peer *peer = &exchange->peer;
    if (!door_peer(server->setup.door, exchange->on->descriptor, &exchange->peer))
        return answer_refuse(&exchange->answer, 503, STATUS_UNAVAILABLE, "CONNECTION_GONE",
                             "the connection is gone");
    exchange->client = (struct forwarded){.from = peer->endpoint.address, .secure = peer->tls};
    if (server->proxies.count == 0)
        return true;
    struct joined x_for = {.name = "X-Forwarded-For"}, x_proto = {.name = "X-Forwarded-Proto"},
                  x_host = {.name = "X-Forwarded-Host"}, forwarded = {.name = "Forwarded"};
    struct forwarded_headers headers = {read_joined(exchange, &x_for), read_joined(exchange, &x_proto),
                                        read_joined(exchange, &x_host), read_joined(exchange, &forwarded)};
    forwarded_read(&headers, &server->proxies, &exchange->client);
    return true;
}

static bool is_our_host(const struct exchange *exchange, const char *host)
{
    return host_is_ours(host, &exchange->peer.here.address, &exchange->server->web->allowed_hosts);
}

// What a proxy forwards counts besides, not instead: a page from elsewhere may send that header as well.
bool request_has_host(struct exchange *exchange)
{
    const char *host = NULL, *asked = exchange->client.host;
    request_header(exchange, "Host", &host);
    return (host != NULL && is_our_host(exchange, host) &&
            (asked[0] == '\0' || is_our_host(exchange, asked))) ||
           answer_refuse(
               &exchange->answer, 403, STATUS_PERMISSION_DENIED, "FOREIGN_HOST",
               "this server goes by no such name: use its address, or add the name to web.allowed_hosts");
}

bool request_has_origin(struct exchange *exchange)
{
    const struct forwarded *client = &exchange->client;
    const char *origin = NULL, *host = "";
    unsigned count = request_header(exchange, "Origin", &origin);
    request_header(exchange, "Host", &host);
    return count == 0 ||
           (count == 1 && origin_is_ours(origin, client->host[0] != '\0' ? client->host : host,
                                         client->secure, &exchange->server->web->allowed_hosts)) ||
           answer_refuse(&exchange->answer, 403, STATUS_PERMISSION_DENIED, "FOREIGN_ORIGIN",
                         "a page from elsewhere may not ask here: add the name that it is from to "
                         "web.allowed_hosts, or, if "
                         "that is a proxy in front, its address to web.trusted_proxies");
}

static bool refuse_login(struct exchange *exchange)
{
    identities_count_slowed(exchange->server->setup.identities);
    answer_header(&exchange->answer, MHD_HTTP_HEADER_RETRY_AFTER, "10");
    return answer_refuse(&exchange->answer, 429, STATUS_RESOURCE_EXHAUSTED, "TOO_MANY_LOGINS",
                         "too many logins failed: wait some seconds");
}

static void answer_unknown(struct exchange *exchange, const struct status *status)
{
    bool basic = exchange->server->listener->auth.enabled;
    answer_status(&exchange->answer, status);
    if (status->code == STATUS_UNAUTHENTICATED)
        answer_header(&exchange->answer, MHD_HTTP_HEADER_WWW_AUTHENTICATE,
                      basic ? "Basic realm=\"NetScope\", charset=\"UTF-8\"" : "Bearer");
}

// Nobody guesses a token, but who shows the right one must not wait for those who try.
static bool is_password(const char *authorization)
{
    return authorization != NULL && strncasecmp(authorization, "Bearer ", 7) != 0;
}

// Who calls is behind the proxies that we trust, which vouch for no certificate of his and for no loopback.
static struct peer judged_peer(const struct exchange *exchange)
{
    struct peer peer = exchange->peer;
    peer.loopback = peer.loopback && address_is_loopback(&exchange->client.from);
    return peer;
}

bool request_identify(struct exchange *exchange)
{
    const char *authorization = NULL;
    struct http_server *server = exchange->server;
    const struct address *from = &exchange->client.from;
    struct peer peer = judged_peer(exchange);
    struct status status = STATUS_FINE;
    request_header(exchange, "Authorization", &authorization);
    bool guarded = is_password(authorization);
    if (guarded && !login_may_try(&server->logins, from, authorization, exchange->begun_ns))
        return refuse_login(exchange);
    exchange->has_caller =
        identities_find(server->setup.identities, &peer, authorization, &exchange->caller, &status);
    if (guarded)
        login_tried(&server->logins, from, authorization, exchange->has_caller, exchange->begun_ns);
    if (!exchange->has_caller)
        answer_unknown(exchange, &status);
    return exchange->has_caller;
}
