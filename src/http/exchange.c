#include "http/exchange.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "capture/clock.h"
#include "http/sockets.h"

struct exchange *exchange_create(struct http_server *server, struct MHD_Connection *connection)
{
    struct exchange *exchange = calloc(1, sizeof *exchange);
    if (exchange == NULL)
        return NULL;
    exchange->server = server;
    exchange->connection = connection;
    exchange->begun_ns = clock_now_ns();
    strbuf_init(&exchange->body, EXCHANGE_BODY_BYTES);
    strbuf_init(&exchange->answer.body, ANSWER_BYTES);
    return exchange;
}

void exchange_destroy(struct exchange *exchange)
{
    if (exchange == NULL)
        return;
    assert(!exchange->asked);
    socket_stream_destroy(exchange->stream);
    if (exchange->has_caller)
        caller_release(&exchange->caller);
    strbuf_done(&exchange->body);
    strbuf_done(&exchange->answer.body);
    free(exchange);
}

void answer_text(struct answer *answer, unsigned code, const char *text)
{
    answer->code = code;
    answer->type = "text/plain; charset=utf-8";
    strbuf_add(&answer->body, text);
}

// Connect's table.
static unsigned http_code(enum status_code code)
{
    static const uint16_t codes[STATUS_CODES] = {
        [STATUS_OK] = 200,
        [STATUS_CANCELLED] = 499,
        [STATUS_UNKNOWN] = 500,
        [STATUS_INVALID_ARGUMENT] = 400,
        [STATUS_DEADLINE_EXCEEDED] = 504,
        [STATUS_NOT_FOUND] = 404,
        [STATUS_ALREADY_EXISTS] = 409,
        [STATUS_PERMISSION_DENIED] = 403,
        [STATUS_RESOURCE_EXHAUSTED] = 429,
        [STATUS_FAILED_PRECONDITION] = 400,
        [STATUS_ABORTED] = 409,
        [STATUS_OUT_OF_RANGE] = 400,
        [STATUS_UNIMPLEMENTED] = 501,
        [STATUS_INTERNAL] = 500,
        [STATUS_UNAVAILABLE] = 503,
        [STATUS_DATA_LOSS] = 500,
        [STATUS_UNAUTHENTICATED] = 401,
    };
    assert(code < STATUS_CODES);
    return codes[code];
}

void answer_status_as(struct answer *answer, unsigned code, const struct status *status)
{
    answer->code = code;
    answer->type = "application/json";
    strbuf_clear(&answer->body);
    status_add_json(status, &answer->body);
}

void answer_status(struct answer *answer, const struct status *status)
{
    answer_status_as(answer, http_code(status->code), status);
}

void answer_header(struct answer *answer, const char *name, const char *value)
{
    assert(answer->header_count < ANSWER_HEADERS);
    answer->header[answer->header_count].name = name;
    answer->header[answer->header_count++].value = value;
}

bool answer_refuse(struct answer *answer, unsigned code, enum status_code status_code, const char *reason,
                   const char *sentence)
{
    struct status status = STATUS_FINE;
    status_set(&status, status_code, reason, "%s", sentence);
    answer_status_as(answer, code, &status);
    return false;
}
