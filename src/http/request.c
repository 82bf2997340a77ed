#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/identity.h"
#include "config/settings.h"
#include "door/door.h"
#include "http/exchange.h"
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

static bool refuse_framing(struct exchange *exchange, unsigned code, const char *reason, const char *sentence)
{
    exchange->answer.closes = true;
    return answer_refuse(&exchange->answer, code,
                         code == 413 ? STATUS_RESOURCE_EXHAUSTED : STATUS_INVALID_ARGUMENT, reason, sentence);
}

static bool is_number(const char *text)
{
    return text[0] != '\0' && strspn(text, "0123456789") == strlen(text);
}

// An ingress in front may see another end than we do where both lengths are given, or one twice: then the rest of the body
// would be the next one's request.
bool request_is_framed(struct exchange *exchange)
{
    const char *length = NULL, *coding = NULL;
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
        return refuse_framing(exchange, 413, "BODY_TOO_LONG", "a request has at most 64 KiB");
    if (request_header(exchange, "Host", NULL) > 1 || request_header(exchange, "Authorization", NULL) > 1)
        return refuse_framing(exchange, 400, "HEADER_TWICE", "Host or Authorization is given twice");
    return true;
}

bool request_identify(struct exchange *exchange)
{
    const char *authorization = NULL;
    struct door_peer peer;
    struct status status = STATUS_FINE;
    const char *names[DOOR_PEER_NAMES];
    request_header(exchange, "Authorization", &authorization);
    if (!door_peer(exchange->server->setup.door, exchange->on->descriptor, &peer))
        return answer_refuse(&exchange->answer, 503, STATUS_UNAVAILABLE, "CONNECTION_GONE",
                             "the connection is gone");
    for (unsigned i = 0; i < peer.name_count; i++)
        names[i] = peer.names[i];
    struct api_peer who = {.local_socket = peer.local_socket,
                           .uid = peer.uid,
                           .gid = peer.gid,
                           .loopback = peer.loopback,
                           .tls = peer.tls,
                           .names = names,
                           .name_count = peer.name_count};
    exchange->has_caller =
        identities_find(exchange->server->setup.identities, &who, authorization, &exchange->caller, &status);
    if (exchange->has_caller)
        return true;
    answer_status(&exchange->answer, &status);
    if (status.code == STATUS_UNAUTHENTICATED)
        answer_header(&exchange->answer, MHD_HTTP_HEADER_WWW_AUTHENTICATE,
                      exchange->server->listener->auth.enabled ? "Basic realm=\"NetScope\", charset=\"UTF-8\""
                                                               : "Bearer");
    return false;
}
