// A request and its answer, from the first header to the last byte; and the connection that it is on. For the files of http/.
// The thread of libmicrohttpd owns it, but while a call of the API is asked (`asked`): then the runner fills the answer.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "api/caller.h"
#include "api/runner.h"
#include "api/status.h"
#include "base/strbuf.h"
#include "http/forwarded.h"
#include "http/server.h"
#include "net/peer.h"

struct MHD_Connection;

// On a connection. In the server's list, under its lock, until libmicrohttpd has closed it.
struct http_connection {
    struct http_connection *next, *previous;
    int descriptor;
    bool is_local;               // by the unix socket
    bool ended;                  // shut down: counted no more
    _Atomic int64_t rests_ns;    // since when nothing is asked on it; INT64_MAX = something is
    _Atomic int64_t deadline_ns; // past it the connection is ended; INT64_MAX = never
};

enum { ANSWER_HEADERS = 4 };

struct answer {
    unsigned code;      // HTTP's; 0 = none yet
    const char *type;   // of the body
    const char *cache;  // Cache-Control; NULL = no-store
    const char *policy; // Content-Security-Policy; NULL = nothing may be loaded
    struct strbuf body;
    const void *fixed; // a body that outlives the process' servers, in place of `body`; NULL = none
    size_t fixed_bytes;
    struct {
        const char *name, *value; // borrowed
    } header[ANSWER_HEADERS];
    unsigned header_count;
    bool closes; // the connection ends with it
};

struct exchange {
    struct http_server *server;
    struct MHD_Connection *connection;
    struct http_connection *on;
    const char *method, *path; // path: decoded, below the base path; borrowed of libmicrohttpd
    struct peer peer;          // who sent it, and what proxies say of that: from request_find_peer() on
    struct forwarded client;
    bool is_base;          // it was the base path without a slash
    bool has_body;         // a body was announced
    struct strbuf body;    // failed: it was too long
    size_t received_bytes; // of it
    size_t held_bytes;     // of the answer, that count against what all may hold
    int64_t begun_ns;
    bool answered; // the answer was made, or asked for
    struct answer answer;

    // A call of the API.
    struct runner_call call;
    struct reply reply;
    bool asked; // the runner has it; under the server's lock with the list below
    struct exchange *next, *previous;
    bool has_caller, as_json;
    struct caller caller;
    // A WebSocket.
    struct socket_stream *stream; // the answer switches to it; NULL = none, or it is under way
    bool has_protocol;            // the subprotocol was offered
};

enum { EXCHANGE_BODY_BYTES = 65536, ANSWER_BYTES = 8 << 20 };

// NULL without memory.
struct exchange *exchange_create(struct http_server *server, struct MHD_Connection *connection);
void exchange_destroy(struct exchange *exchange);

// Answers: a text; an error as Connect has it, with the code of HTTP that belongs to it, or with another one.
void answer_text(struct answer *answer, unsigned code, const char *text);
void answer_status(struct answer *answer, const struct status *status);
void answer_status_as(struct answer *answer, unsigned code, const struct status *status);
void answer_header(struct answer *answer, const char *name, const char *value);
// An error in one go. False always.
bool answer_refuse(struct answer *answer, unsigned code, enum status_code status_code, const char *reason,
                   const char *sentence);

// request.c: how often a header is there, and its first value.
unsigned request_header(const struct exchange *exchange, const char *name, const char **value);
// Whether where the request ends is certain, and it is not too long. False with an answer that closes the connection.
bool request_is_framed(struct exchange *exchange);
bool request_too_long(struct exchange *exchange); // the answer for that; false always
// Who is at the other end of the connection. False with an answer.
bool request_find_peer(struct exchange *exchange);
// Whether it is for this server, by its Host. False with an answer. So is the page, by its Origin, that sends it, if a browser does.
bool request_has_host(struct exchange *exchange);
bool request_has_origin(struct exchange *exchange);
// Who calls; exchange->caller from then on. False with an answer; who tries too many passwords is told to wait.
bool request_identify(struct exchange *exchange);

// pages.c: /metrics, /livez, /readyz. Whether the path is one of them; the answer is made then.
bool pages_answer(struct exchange *exchange);
