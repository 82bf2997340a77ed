#include "http/connect.h"

#include <assert.h>
#include <microhttpd.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "api/proto_json.h"
#include "http/exchange.h"
#include "http/server_inside.h"

// On a thread of the runner's, until the call is the transport's again.

static struct exchange *exchange_of(struct reply *reply)
{
    return (struct exchange *)((char *)reply - offsetof(struct exchange, reply));
}

static void reply_send(struct reply *reply, const uint8_t *bytes, size_t length)
{
    struct exchange *exchange = exchange_of(reply);
    struct strbuf *body = &exchange->answer.body;
    bool good = true;
    if (exchange->as_json)
        good = proto_json_add(exchange->server->json, exchange->call.method, bytes, length, body);
    else
        strbuf_add_bytes(body, bytes, length);
    if (!good)
        body->failed = true;
}

// Resumes below the lock: who finds the list empty knows that nothing is suspended any more.
static void strike(struct exchange *exchange)
{
    struct http_server *server = exchange->server;
    struct MHD_Connection *connection = exchange->connection;
    pthread_mutex_lock(&server->lock);
    assert(exchange->asked);
    if (exchange->next != NULL)
        exchange->next->previous = exchange->previous;
    if (exchange->previous != NULL)
        exchange->previous->next = exchange->next;
    else
        server->asked = exchange->next;
    exchange->asked = false;
    MHD_resume_connection(connection);
    pthread_mutex_unlock(&server->lock);
}

static void reply_end(struct reply *reply, const struct status *status)
{
    struct exchange *exchange = exchange_of(reply);
    struct answer *answer = &exchange->answer;
    if (status->code != STATUS_OK) {
        answer_status(answer, status);
    } else if (answer->body.failed) {
        strbuf_clear(&answer->body);
        answer_refuse(answer, 429, STATUS_RESOURCE_EXHAUSTED, "ANSWER_TOO_LONG",
                      "the answer has no room: ask for less");
    } else {
        answer->code = 200;
        answer->type = exchange->as_json ? "application/json" : "application/proto";
    }
    strike(exchange);
}

static const struct reply_ops reply_ops = {reply_send, reply_end};

static void connect_begin(struct exchange *exchange)
{
    struct http_server *server = exchange->server;
    exchange->reply.ops = &reply_ops;
    exchange->call.caller = &exchange->caller;
    exchange->call.reply = &exchange->reply;
    exchange->call.request = (struct request){.format = exchange->as_json ? REQUEST_JSON : REQUEST_PROTO,
                                              .bytes = (const uint8_t *)exchange->body.text,
                                              .length = exchange->body.length};
    // What is answered resumes it, which may be at once.
    MHD_suspend_connection(exchange->connection);
    pthread_mutex_lock(&server->lock);
    exchange->asked = true;
    exchange->previous = NULL;
    exchange->next = server->asked;
    if (exchange->next != NULL)
        exchange->next->previous = exchange;
    server->asked = exchange;
    pthread_mutex_unlock(&server->lock);
    runner_begin(server->setup.runner, &exchange->call);
}

// What the headers say.

// "application/json; charset=utf-8" is application/json.
static bool is_type(const char *header, const char *type)
{
    size_t length = strlen(type);
    return strncasecmp(header, type, length) == 0 && strchr("; \t", header[length]) != NULL;
}

static bool takes_codec(struct exchange *exchange)
{
    const char *type = "", *coding = "identity", *version = "1";
    struct answer *answer = &exchange->answer;
    request_header(exchange, "Content-Type", &type);
    request_header(exchange, "Content-Encoding", &coding);
    request_header(exchange, "Connect-Protocol-Version", &version);
    exchange->as_json = is_type(type != NULL ? type : "", "application/json");
    if (!exchange->as_json && !is_type(type != NULL ? type : "", "application/proto")) {
        answer_header(answer, "Accept-Post", "application/json, application/proto");
        return answer_refuse(answer, 415, STATUS_INVALID_ARGUMENT, "UNKNOWN_CODEC",
                             "the Content-Type must be application/json or application/proto");
    }
    if (coding != NULL && strcasecmp(coding, "identity") != 0)
        return answer_refuse(answer, 501, STATUS_UNIMPLEMENTED, "UNKNOWN_COMPRESSION",
                             "requests are not compressed here: leave Content-Encoding out");
    return version == NULL || strcmp(version, "1") == 0 ||
           answer_refuse(answer, 400, STATUS_INVALID_ARGUMENT, "UNKNOWN_PROTOCOL",
                         "of Connect-Protocol-Version only 1 is known here");
}

static bool finds_method(struct exchange *exchange)
{
    struct answer *answer = &exchange->answer;
    struct status status = STATUS_FINE;
    exchange->call.method = method_find(exchange->path, &status);
    if (exchange->call.method == NULL) {
        answer_status_as(answer, 404, &status);
        return false;
    }
    if (strcmp(exchange->method, "POST") != 0) {
        answer_header(answer, "Allow", "POST");
        return answer_refuse(answer, 405, STATUS_UNIMPLEMENTED, "METHOD_NOT_ALLOWED",
                             "calls are made by POST");
    }
    return exchange->call.method->handle != NULL ||
           answer_refuse(answer, 501, STATUS_UNIMPLEMENTED, "A_STREAM",
                         "this method is a stream: open a WebSocket at /ws and its path");
}

static bool is_of_service(const char *path)
{
    const char *slash = strchr(path + 1, '/');
    return path[0] == '/' && slash != NULL && memchr(path, '.', (size_t)(slash - path)) != NULL &&
           slash[1] != '\0' && strchr(slash + 1, '/') == NULL;
}

bool connect_answer(struct exchange *exchange)
{
    if (!is_of_service(exchange->path))
        return false;
    if (finds_method(exchange) && takes_codec(exchange) && request_has_origin(exchange) &&
        request_identify(exchange))
        connect_begin(exchange);
    return true;
}
