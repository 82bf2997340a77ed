#include "api/runner.h"

#include <pthread.h>

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

static void client_begin(struct client *client, struct calling *calling, struct runner *runner,
                         const char *path, const char *json, bool reads)
{
    struct status status;
    *client = (struct client){.reply = {&client_ops}, .reads = reads, .runner = runner};
    pthread_mutex_init(&client->lock, NULL);
    pthread_cond_init(&client->told, NULL);
    client->call.method = method_find(path, &status);
    client->call.caller = &calling->caller;
    client->call.reply = &client->reply;
    client->call.request = (struct request){REQUEST_JSON, (const uint8_t *)json, strlen(json)};
    runner_begin(runner, &client->call);
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

Test(runner, one_caller_takes_no_more_than_half_of_the_room, .timeout = 60)
{
    enum { CALLS = RUNNER_CALLS / 2 + 8 };
    struct calling calling;
    struct runner *runner = begin(&calling);
    struct client *clients = calloc(CALLS, sizeof *clients);
    unsigned refused = 0;
    for (unsigned i = 0; i < CALLS; i++)
        client_begin(&clients[i], &calling, runner, "/grpc.health.v1.Health/Watch", "{}", true);
    for (unsigned i = 0; i < CALLS; i++)
        refused += clients[i].ends;
    cr_expect_geq(refused, 8);
    for (unsigned i = 0; i < CALLS; i++)
        if (clients[i].ends > 0)
            cr_expect_eq(clients[i].status.code, STATUS_RESOURCE_EXHAUSTED);
    runner_drain(runner);
    for (unsigned i = 0; i < CALLS; i++)
        client_await(&clients[i], 0, 1);
    runner_destroy(runner);
    free(clients);
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
