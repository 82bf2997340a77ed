#include "api/runner.h"

#include <pthread.h>

#include "api/call.h"
#include "api/stream.h"
#include "watching.h"

// A client behind the runner: what it was told, by whatever thread.
struct client {
    struct reply reply;
    struct runner_call call;
    pthread_mutex_t lock;
    pthread_cond_t told;
    unsigned messages, ends;
    bool reads; // at once, whatever it is sent
    struct runner *runner;
    struct status status;
};

static void client_send(struct reply *reply, const uint8_t *bytes, size_t length)
{
    struct client *client = (struct client *)reply;
    (void)bytes;
    (void)length;
    pthread_mutex_lock(&client->lock);
    client->messages++;
    pthread_cond_signal(&client->told);
    pthread_mutex_unlock(&client->lock);
    if (client->reads)
        runner_ready(client->runner, &client->call);
}

static void client_end(struct reply *reply, const struct status *status)
{
    struct client *client = (struct client *)reply;
    pthread_mutex_lock(&client->lock);
    client->status = *status;
    client->ends++;
    pthread_cond_signal(&client->told);
    pthread_mutex_unlock(&client->lock);
}

static const struct reply_ops client_ops = {client_send, client_end};

static void client_begin_method(struct client *client, struct calling *calling, struct runner *runner,
                                const struct method *method, const char *json, bool reads)
{
    *client = (struct client){.reply = {&client_ops}, .reads = reads, .runner = runner};
    pthread_mutex_init(&client->lock, NULL);
    pthread_cond_init(&client->told, NULL);
    client->call.method = method;
    client->call.caller = &calling->caller;
    client->call.reply = &client->reply;
    client->call.request = (struct request){REQUEST_JSON, (const uint8_t *)json, strlen(json)};
    runner_begin(runner, &client->call);
}

static void client_begin(struct client *client, struct calling *calling, struct runner *runner,
                         const char *path, const char *json, bool reads)
{
    struct status status;
    client_begin_method(client, calling, runner, method_find(path, &status), json, reads);
}

static void client_await(struct client *client, unsigned messages, unsigned ends)
{
    pthread_mutex_lock(&client->lock);
    while (client->messages < messages || client->ends < ends)
        pthread_cond_wait(&client->told, &client->lock);
    pthread_mutex_unlock(&client->lock);
}

static struct runner *begin(struct calling *calling)
{
    struct error error;
    begin_calling(calling, NULL);
    start_run(&calling->running);
    struct runner *runner = runner_create(calling->api, &error);
    cr_assert_not_null(runner, "%s", error.text);
    return runner;
}

Test(runner, unary_calls_are_answered_once, .timeout = 60)
{
    enum { CALLS = 40 };
    struct calling calling;
    struct runner *runner = begin(&calling);
    static struct client clients[CALLS];
    for (unsigned i = 0; i < CALLS; i++)
        client_begin(&clients[i], &calling, runner, SENSOR("GetStatus"),
                     i % 2 == 0 ? "{}" : "{\"nonsense\": 1}", true);
    for (unsigned i = 0; i < CALLS; i++) {
        client_await(&clients[i], 0, 1);
        cr_expect_eq(clients[i].status.code, i % 2 == 0 ? STATUS_OK : STATUS_INVALID_ARGUMENT);
        cr_expect_eq(clients[i].messages, i % 2 == 0 ? 1 : 0);
    }
    cr_expect_eq(runner_open_calls(runner), 0);
    runner_destroy(runner);
    end_calling(&calling);
}

Test(runner, a_stream_gets_one_message_until_it_takes_more, .timeout = 60)
{
    struct calling calling;
    struct runner *runner = begin(&calling);
    struct client slow, quick;
    client_begin(&slow, &calling, runner, STATS("WatchStats"), "{\"interval\": \"0.1s\"}", false);
    client_begin(&quick, &calling, runner, STATS("WatchStats"), "{\"interval\": \"0.1s\"}", true);
    client_await(&slow, 1, 0);
    client_await(&quick, 4, 0);
    cr_expect_eq(slow.messages, 1);
    runner_ready(runner, &slow.call);
    client_await(&slow, 2, 0);
    runner_cancel(runner, &slow.call);
    client_await(&slow, 2, 1);
    cr_expect_eq(slow.status.code, STATUS_CANCELLED);
    runner_drain(runner);
    client_await(&quick, 4, 1);
    cr_expect_eq(quick.status.code, STATUS_UNAVAILABLE);
    cr_expect_str_eq(quick.status.reason, "SENSOR_ENDS");
    runner_destroy(runner);
    end_calling(&calling);
}

Test(runner, what_begins_while_it_ends_is_told_to_come_again, .timeout = 60)
{
    struct calling calling;
    struct runner *runner = begin(&calling);
    struct client client;
    runner_drain(runner);
    client_begin(&client, &calling, runner, SENSOR("GetStatus"), "{}", true);
    client_await(&client, 0, 1);
    cr_expect_eq(client.status.code, STATUS_UNAVAILABLE);
    runner_destroy(runner);
    end_calling(&calling);
}

// Begins as many and ends them. Returns how many were refused, which is known when all have begun.
static unsigned refused_of(struct calling *calling, const char *path, const char *json, unsigned count)
{
    struct error error;
    struct runner *runner = runner_create(calling->api, &error);
    struct client *clients = calloc(count, sizeof *clients);
    unsigned refused = 0;
    cr_assert(runner != NULL && clients != NULL);
    for (unsigned i = 0; i < count; i++)
        client_begin(&clients[i], calling, runner, path, json, true);
    runner_drain(runner);
    for (unsigned i = 0; i < count; i++) {
        client_await(&clients[i], 0, 1);
        refused += clients[i].status.code == STATUS_RESOURCE_EXHAUSTED;
        if (clients[i].status.code == STATUS_RESOURCE_EXHAUSTED)
            cr_expect_str_eq(clients[i].status.reason, "STREAM_LIMIT");
    }
    runner_destroy(runner);
    free(clients);
    return refused;
}

Test(runner, one_caller_takes_no_more_than_his_share_of_the_streams, .timeout = 60)
{
    enum { MORE = 8 };
    struct calling calling;
    begin_calling(&calling, NULL);
    start_run(&calling.running);
    cr_expect_eq(refused_of(&calling, STATS("WatchStats"), "{}", STREAMS_MOST / 2), 0);
    cr_expect_eq(refused_of(&calling, STATS("WatchStats"), "{}", STREAMS_MOST / 2 + MORE), MORE);
    cr_expect_eq(refused_of(&calling, "/grpc.health.v1.Health/Watch", "{}", RUNNER_STREAMS_OF_ANYBODY + MORE),
                 MORE);
    end_calling(&calling);
}

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static bool wait_at_gate(struct call *call, struct ProtobufCMessage *message)
{
    (void)message;
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
    return status_set(&call->status, STATUS_ABORTED, "OPENED", "it is open now");
}

Test(runner, health_is_told_while_every_thread_waits, .timeout = 60)
{
    enum { CALLS = RUNNER_THREADS + 1 };
    struct calling calling;
    struct runner *runner = begin(&calling);
    struct client waiting[CALLS], asking;
    struct method method = *method_find(STATS("GetStats"), &(struct status){0});
    method.handle = wait_at_gate;
    pthread_mutex_lock(&gate);
    for (unsigned i = 0; i < CALLS; i++)
        client_begin_method(&waiting[i], &calling, runner, &method, "{}", true);
    client_begin(&asking, &calling, runner, "/grpc.health.v1.Health/Check", "{}", true);
    client_await(&asking, 1, 1);
    cr_expect_eq(asking.status.code, STATUS_OK);
    cr_expect_eq(runner_open_calls(runner), CALLS);
    pthread_mutex_unlock(&gate);
    for (unsigned i = 0; i < CALLS; i++)
        client_await(&waiting[i], 0, 1);
    runner_destroy(runner);
    end_calling(&calling);
}

Test(runner, health_is_told_when_it_changes, .timeout = 60)
{
    struct calling calling;
    struct runner *runner = begin(&calling);
    struct client client, unknown;
    client_begin(&client, &calling, runner, "/grpc.health.v1.Health/Watch", "{}", true);
    client_begin(&unknown, &calling, runner, "/grpc.health.v1.Health/Watch", "{\"service\": \"no.Such\"}",
                 true);
    client_await(&client, 1, 0);
    client_await(&unknown, 1, 0);
    api_set_serving(calling.api, true);
    client_await(&client, 2, 0);
    api_set_serving(calling.api, false);
    client_await(&client, 3, 0);
    cr_expect_eq(unknown.messages, 1);
    runner_drain(runner);
    client_await(&client, 3, 1);
    client_await(&unknown, 1, 1);
    runner_destroy(runner);
    end_calling(&calling);
}
