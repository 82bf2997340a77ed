#include <math.h>

#include "api/stream.h"
#include "base/time.h"
#include "calling.h"
#include <google/protobuf/duration.pb-c.h>
#include <google/protobuf/timestamp.pb-c.h>

typedef Netscope__V1__WatchStatsResponse Stats;

struct stats_client {
    struct reply reply;
    struct stream *stream;
    int64_t now_ns;
    unsigned messages, ended;
    Stats *latest, *before;
    struct status status;
};

static void keep_latest(struct reply *reply, const uint8_t *bytes, size_t length)
{
    struct stats_client *client = (struct stats_client *)reply;
    if (client->before != NULL)
        netscope__v1__watch_stats_response__free_unpacked(client->before, NULL);
    client->before = client->latest;
    client->latest = netscope__v1__watch_stats_response__unpack(NULL, length, bytes);
    cr_assert_not_null(client->latest);
    client->messages++;
}

static void keep_status(struct reply *reply, const struct status *status)
{
    struct stats_client *client = (struct stats_client *)reply;
    client->ended++;
    client->status = *status;
}

static void open_stats(struct stats_client *client, struct calling *calling, const char *json)
{
    static const struct reply_ops ops = {keep_latest, keep_status};
    struct status status;
    *client = (struct stats_client){.reply = {&ops}, .now_ns = 7 * NS_PER_S};
    const struct method *method = method_find(STATS("WatchStats"), &status);
    struct request request = {REQUEST_JSON, (const uint8_t *)json, strlen(json)};
    cr_assert_not_null(method);
    client->stream = method_open(method, calling->api, &calling->caller, &request, &client->reply);
}

static void close_stats(struct stats_client *client)
{
    stream_destroy(client->stream);
    if (client->before != NULL)
        netscope__v1__watch_stats_response__free_unpacked(client->before, NULL);
    if (client->latest != NULL)
        netscope__v1__watch_stats_response__free_unpacked(client->latest, NULL);
}

static enum stream_state step_after(struct stats_client *client, int64_t span_ms, bool ready)
{
    enum stream_state state;
    client->now_ns += span_ms * NS_PER_MS;
    do
        state = stream_step(client->stream, client->now_ns, ready, &client->reply);
    while (state == STREAM_GOES_ON);
    return state;
}

static int64_t due_in_ms(const struct stats_client *client)
{
    return (stream_due_ns(client->stream) - client->now_ns) / NS_PER_MS;
}

static bool has_come_to(const struct snapshot *snapshot, uint64_t second)
{
    return snapshot->now_ns >= (int64_t)second * NS_PER_S;
}

static double interval_of(const Netscope__V1__Rates *rates)
{
    return (double)rates->interval->seconds + (double)rates->interval->nanos / (double)NS_PER_S;
}

// One packet of 60 bytes a second.
static void expect_steady(const Netscope__V1__Rates *rates)
{
    cr_assert_not_null(rates);
    cr_expect(fabs(rates->packets_per_second - 1) < 1e-6, "%g", rates->packets_per_second);
    cr_expect(fabs(rates->bits_per_second - 480) < 1e-6, "%g", rates->bits_per_second);
    cr_expect_eq(rates->flows_per_second, 0);
}

Test(stats_service, rates_of_the_seconds_before, .timeout = 60)
{
    struct calling calling;
    struct answer answer;
    typedef Netscope__V1__GetStatsResponse Got;
    begin_calling(&calling, NULL);
    const Got *got = CALL(&calling, Got, STATS("GetStats"), "{}", &answer);
    cr_expect_null(got->counters);
    cr_expect_null(got->rates);
    answer_done(&answer);
    start_run(&calling.running);
    go_on_until(&calling, 1000, has_come_to, 1010);
    got = CALL(&calling, Got, STATS("GetStats"), "{}", &answer);
    expect_steady(got->rates);
    cr_expect(interval_of(got->rates) >= 1 && interval_of(got->rates) <= 2, "%g", interval_of(got->rates));
    answer_done(&answer);
    end_calling(&calling);
}

Test(stats_service, watched_at_each_interval, .timeout = 60)
{
    struct calling calling;
    struct stats_client client;
    begin_calling(&calling, "sensor: {node_name: here}\n");
    start_run(&calling.running);
    uint32_t second = go_on_until(&calling, 1000, has_come_to, 1010);
    open_stats(&client, &calling, "{}");
    cr_assert_not_null(client.stream, "%s", client.status.message);
    cr_expect_eq(step_after(&client, 0, true), STREAM_WAITS);
    cr_expect_eq(client.messages, 1, "the first one at once");
    cr_expect_str_eq(client.latest->node, "here");
    expect_steady(client.latest->rates);
    cr_expect_eq(due_in_ms(&client), 1000);
    step_after(&client, 999, true);
    cr_expect_eq(client.messages, 1);
    go_on_until(&calling, second, has_come_to, second + 20);
    step_after(&client, 1, true);
    cr_expect_eq(client.messages, 2);
    cr_expect_eq(client.latest->skipped, 0);
    expect_steady(client.latest->rates);
    double passed = (double)(client.latest->as_of->seconds - client.before->as_of->seconds);
    cr_expect(fabs(interval_of(client.latest->rates) - passed) < 1, "since the message before");
    uint64_t packets = client.latest->counters->packets_received - client.before->counters->packets_received;
    cr_expect(fabs(interval_of(client.latest->rates) - (double)packets) < 1e-6);
    step_after(&client, 1000, true);
    cr_expect_eq(client.messages, 3, "the run's time stood still");
    expect_steady(client.latest->rates);
    close_stats(&client);
    end_calling(&calling);
}

Test(stats_service, slow_reader_gets_the_latest, .timeout = 60)
{
    struct calling calling;
    struct stats_client client;
    begin_calling(&calling, NULL);
    start_run(&calling.running);
    open_stats(&client, &calling, "{\"interval\": \"0.1s\"}");
    step_after(&client, 0, true);
    for (unsigned i = 0; i < 7; i++) {
        cr_expect_eq(step_after(&client, 50, false), STREAM_WAITS);
        cr_expect_gt(due_in_ms(&client), 0, "who cannot send does not spin");
    }
    cr_expect_eq(client.messages, 1);
    step_after(&client, 0, true);
    cr_expect_eq(client.messages, 2);
    cr_expect_eq(client.latest->skipped, 2, "%lu", (unsigned long)client.latest->skipped);
    cr_expect_eq(due_in_ms(&client), 50, "intervals stay where they are");
    step_after(&client, 50, true);
    cr_expect_eq(client.messages, 3);
    cr_expect_eq(client.latest->skipped, 0);
    end_input(&calling.running);
    cr_expect_eq(step_after(&client, 1, false), STREAM_WAITS);
    cr_expect_eq(step_after(&client, 1, true), STREAM_OVER);
    cr_expect_eq(client.messages, 4, "what is final is told at once");
    cr_expect_eq(client.ended, 1);
    cr_expect_eq(client.status.code, STATUS_OK);
    close_stats(&client);
    api_destroy(calling.api);
    done_run(&calling.running);
}

Test(stats_service, intervals_have_bounds, .timeout = 60)
{
    static const char *const wrong[] = {"0.099s", "60.1s", "0s", "-1s"};
    struct calling calling;
    struct stats_client client;
    begin_calling(&calling, NULL);
    start_run(&calling.running);
    for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char json[64];
        snprintf(json, sizeof json, "{\"interval\": \"%s\"}", wrong[i]);
        open_stats(&client, &calling, json);
        cr_assert_null(client.stream, "%s", json);
        cr_expect_eq(client.status.code, STATUS_INVALID_ARGUMENT);
        cr_expect_str_eq(client.status.violation[0].field, "interval");
        cr_expect_not_null(strstr(client.status.violation[0].sentence, "0.1 to 60 s"));
    }
    open_stats(&client, &calling, "{\"interval\": \"60s\"}");
    cr_expect_not_null(client.stream);
    close_stats(&client);
    end_calling(&calling);
}
