#include "http/websocket.h"

#include <microhttpd.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "api/method.h"
#include "base/base64.h"
#include "base/digest.h"
#include "capture/clock.h"
#include "http/exchange.h"
#include "http/server_inside.h"
#include "http/sockets.h"

// The subprotocol that pages name, and a ticket behind it.
static const char protocol[] = "netscope";

enum { KEY_BYTES = 24, TOKEN_BYTES = 64 };

// Whether a comma-separated header has the word. With `next` the one that is not the word is copied there.
static bool has_word(const char *header, const char *word, char next[TOKEN_BYTES])
{
    bool found = false;
    while (header != NULL && *header != '\0') {
        header += strspn(header, ", \t");
        size_t length = strcspn(header, ", \t");
        if (length == strlen(word) && strncasecmp(header, word, length) == 0)
            found = true;
        else if (next != NULL && length > 0 && length < TOKEN_BYTES)
            snprintf(next, TOKEN_BYTES, "%.*s", (int)length, header);
        header += length;
    }
    return found;
}

static bool is_key(const char *key)
{
    uint8_t bytes[16];
    size_t length;
    return key != NULL && strlen(key) == KEY_BYTES &&
           base64_decode(key, KEY_BYTES, bytes, sizeof bytes, &length) && length == sizeof bytes;
}

static bool is_handshake(struct exchange *exchange)
{
    const char *upgrade = NULL, *connection = NULL, *version = "", *key = NULL;
    struct answer *answer = &exchange->answer;
    request_header(exchange, "Upgrade", &upgrade);
    request_header(exchange, "Connection", &connection);
    request_header(exchange, "Sec-WebSocket-Version", &version);
    bool one_key = request_header(exchange, "Sec-WebSocket-Key", &key) == 1;
    if (strcmp(exchange->method, "GET") != 0 || exchange->has_body || !has_word(upgrade, "websocket", NULL) ||
        !has_word(connection, "upgrade", NULL) || version == NULL || strcmp(version, "13") != 0) {
        answer_header(answer, "Sec-WebSocket-Version", "13");
        answer_header(answer, "Upgrade", "websocket");
        answer_header(answer, "Connection", "Upgrade");
        return answer_refuse(answer, 426, STATUS_INVALID_ARGUMENT, "NO_WEBSOCKET",
                             "this is a stream: open it as a WebSocket of version 13");
    }
    return (one_key && is_key(key)) || answer_refuse(answer, 400, STATUS_INVALID_ARGUMENT, "BAD_KEY",
                                                     "Sec-WebSocket-Key is no 16 bytes in base64");
}

static bool finds_stream(struct exchange *exchange)
{
    struct status status = STATUS_FINE;
    exchange->call.method = method_find(exchange->path + strlen("/ws"), &status);
    if (exchange->call.method == NULL) {
        answer_status_as(&exchange->answer, 404, &status);
        return false;
    }
    return exchange->call.method->open != NULL ||
           answer_refuse(&exchange->answer, 404, STATUS_UNIMPLEMENTED, "NO_STREAM",
                         "this method is no stream: call it by POST, without /ws");
}

// By a ticket, if one is shown behind our subprotocol; it stands for whom it was given to.
static bool identify(struct exchange *exchange)
{
    const char *offered = NULL;
    char ticket[TOKEN_BYTES] = "";
    struct tickets *tickets = &exchange->server->tickets;
    exchange->has_protocol = request_header(exchange, "Sec-WebSocket-Protocol", &offered) == 1 &&
                             has_word(offered, protocol, ticket);
    if (!exchange->has_protocol || ticket[0] == '\0')
        return request_identify(exchange);
    exchange->has_caller = tickets_take(tickets, ticket, exchange->begun_ns, &exchange->caller);
    return exchange->has_caller ||
           answer_refuse(
               &exchange->answer, 401, STATUS_UNAUTHENTICATED, "TICKET_UNKNOWN",
               "the ticket is not known, was used, or is older than 30 s: fetch another by POST /ticket");
}

bool websocket_answer(struct exchange *exchange)
{
    if (strncmp(exchange->path, "/ws/", strlen("/ws/")) != 0)
        return false;
    if (!finds_stream(exchange) || !is_handshake(exchange) || !request_has_origin(exchange) ||
        !identify(exchange))
        return true;
    exchange->stream = socket_stream_create(exchange);
    if (exchange->stream == NULL)
        answer_refuse(&exchange->answer, 503, STATUS_RESOURCE_EXHAUSTED, "EXHAUSTED",
                      "no memory for another stream");
    return true;
}

// On the library's thread, which goes on at once.
static void on_upgrade(void *argument, struct MHD_Connection *connection, void *context, const char *early,
                       size_t early_bytes, MHD_socket descriptor, struct MHD_UpgradeResponseHandle *handle)
{
    struct exchange *exchange = argument;
    struct socket_stream *stream = exchange->stream;
    (void)connection;
    (void)context;
    exchange->stream = NULL;
    sockets_take(exchange->server->sockets, stream,
                 &(struct upgraded){handle, descriptor, early, early_bytes});
}

struct MHD_Response *websocket_response(struct exchange *exchange)
{
    static const char suffix[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"; // RFC 6455, section 1.3
    char joined[KEY_BYTES + sizeof suffix], accepted[BASE64_TEXT_BYTES(DIGEST_BYTES_MAX)];
    uint8_t digest[DIGEST_BYTES_MAX];
    const char *key = "";
    request_header(exchange, "Sec-WebSocket-Key", &key);
    snprintf(joined, sizeof joined, "%s%s", key, suffix);
    if (!digest_bytes(DIGEST_SHA1, joined, strlen(joined), digest))
        return NULL;
    base64_encode(digest, digest_size(DIGEST_SHA1), accepted);
    struct MHD_Response *response = MHD_create_response_for_upgrade(on_upgrade, exchange);
    if (response == NULL)
        return NULL;
    MHD_add_response_header(response, "Upgrade", "websocket");
    MHD_add_response_header(response, "Sec-WebSocket-Accept", accepted);
    if (exchange->has_protocol)
        MHD_add_response_header(response, "Sec-WebSocket-Protocol", protocol);
    return response;
}

bool ticket_answer(struct exchange *exchange)
{
    struct answer *answer = &exchange->answer;
    char text[TICKET_TEXT_BYTES];
    if (strcmp(exchange->path, "/ticket") != 0)
        return false;
    if (strcmp(exchange->method, "POST") != 0) {
        answer_header(answer, "Allow", "POST");
        answer_refuse(answer, 405, STATUS_UNIMPLEMENTED, "METHOD_NOT_ALLOWED", "tickets are fetched by POST");
    } else if (request_has_origin(exchange) && request_identify(exchange)) {
        if (!tickets_make(&exchange->server->tickets, &exchange->caller, exchange->begun_ns, text)) {
            answer_refuse(answer, 503, STATUS_UNAVAILABLE, "NO_CHANCE", "the kernel gives no random numbers");
            return true;
        }
        answer->code = 200;
        answer->type = "application/json";
        strbuf_addf(&answer->body, "{\"ticket\":\"%s\"}", text);
    }
    return true;
}
