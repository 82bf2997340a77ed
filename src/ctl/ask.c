#include "ctl/ask.h"

#include <assert.h>
#include <protobuf-c/protobuf-c.h>
#include <stdlib.h>

#include "base/time.h"
#include "ctl/complaint.h"
#include "ctl/interrupt.h"

static const int64_t look_every_ns = 100 * NS_PER_MS;

struct asking {
    struct fleet *fleet;
    const struct question *question;
    struct answers *answers;
    unsigned waiting;
};

struct asked {
    struct asking *asking;
    struct answer *answer;
    struct client_call *call;
    enum ctl_exit exit_code;
};

static void start_call(struct asked *asked, const struct ProtobufCMessage *request);

static void let_go(struct answer *answer)
{
    if (answer->message != NULL)
        protobuf_c_message_free_unpacked(answer->message, NULL);
    answer->message = NULL;
}

static void take_message(void *owner, const uint8_t *bytes, size_t length)
{
    struct asked *asked = owner;
    let_go(asked->answer);
    asked->answer->message =
        protobuf_c_message_unpack(asked->asking->question->response, NULL, length, bytes);
}

static void take_page(struct asked *asked)
{
    const struct question *question = asked->asking->question;
    struct answer *answer = asked->answer;
    const ProtobufCMessage *next = question->page(question->owner, answer->server, answer->message);
    if (next != NULL)
        start_call(asked, next);
    let_go(answer);
}

static void tell_refusal(const struct asked *asked, const struct client_end *end)
{
    const struct question *question = asked->asking->question;
    if (question->refused == NULL || !question->refused(question->owner, asked->answer->server, end))
        complain_of(asked->asking->fleet, asked->answer->server, end);
}

static void take_end(void *owner, const struct client_end *end)
{
    struct asked *asked = owner;
    assert(asked->call != NULL && asked->asking->waiting > 0);
    asked->call = NULL;
    asked->asking->waiting--;
    if (end->code == STATUS_OK) {
        if (asked->asking->question->page != NULL && asked->answer->message != NULL)
            take_page(asked);
        return;
    }
    asked->exit_code = exit_of_end(end->code);
    if (!interrupted() || end->code != STATUS_CANCELLED)
        tell_refusal(asked, end);
    // The next question connects anew.
    if (end->code == STATUS_UNAVAILABLE)
        fleet_disconnect(asked->answer->server);
}

static void start_call(struct asked *asked, const struct ProtobufCMessage *request)
{
    static const struct client_handler handler = {take_message, take_end};
    struct asking *asking = asked->asking;
    struct server *server = asked->answer->server;
    assert(asked->call == NULL);
    struct error error = {.kind = ERROR_NONE};
    size_t length = protobuf_c_message_get_packed_size(request);
    uint8_t *bytes = malloc(length + 1);
    if (bytes != NULL && fleet_connect(asking->fleet, server, &error)) {
        protobuf_c_message_pack(request, bytes);
        struct client_request call = {.method = asking->question->method,
                                      .bytes = bytes,
                                      .length = length,
                                      .timeout_ns = asking->fleet->connection.timeout_ns};
        asked->call = client_call_start(server->channel, &call, &handler, asked);
    } else {
        complain(error.kind != ERROR_NONE ? error.text : "no memory for a call");
        asked->exit_code = CTL_USAGE;
    }
    free(bytes);
    asking->waiting += asked->call != NULL;
}

static void wait_for_all(struct asking *asking, struct asked *list)
{
    bool cancelled = false;
    while (asking->waiting > 0) {
        client_wait(asking->fleet->client, look_every_ns);
        if (!interrupted() || cancelled)
            continue;
        cancelled = true;
        for (unsigned i = 0; i < asking->answers->count; i++)
            if (list[i].call != NULL)
                client_call_cancel(list[i].call);
    }
}

static void sum_up(struct answers *answers, const struct asked *list)
{
    for (unsigned i = 0; i < answers->count; i++) {
        if (list[i].exit_code == CTL_DONE)
            continue;
        answers->missing++;
        answers->exit_code = list[i].exit_code;
    }
    if (answers->missing > 0 && answers->missing < answers->count)
        answers->exit_code = CTL_PARTLY;
}

void answers_get(struct answers *into, struct fleet *fleet, const struct question *question)
{
    struct asking asking = {.fleet = fleet, .question = question, .answers = into};
    struct asked *list = calloc(fleet->count, sizeof *list);
    *into = (struct answers){.list = calloc(fleet->count, sizeof *into->list)};
    if (list == NULL || into->list == NULL) {
        complain("no memory for the answers");
        into->exit_code = CTL_UNREACHABLE;
        free(list);
        return;
    }
    for (unsigned i = 0; i < fleet->count; i++) {
        if (fleet->servers[i]->gone)
            continue;
        struct asked *asked = &list[into->count];
        into->list[into->count].server = fleet->servers[i];
        *asked = (struct asked){.asking = &asking, .answer = &into->list[into->count++]};
        start_call(asked, question->request);
    }
    wait_for_all(&asking, list);
    sum_up(into, list);
    free(list);
}

void answers_done(struct answers *answers)
{
    for (unsigned i = 0; i < answers->count; i++)
        let_go(&answers->list[i]);
    free(answers->list);
}
