#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include "../api/sample_alert.h"
#include "../base/output_directory.h"
#include "aggregate/sink.h"
#include "capture/clock.h"
#include "export/export.h"

static struct error error;
static struct event_log *events;
static pid_t server;
static char url[128];

static void begin(void)
{
    make_output_directory();
    events = alert_log_create(4096);
}

static void end(void)
{
    if (server > 0) {
        kill(server, SIGTERM);
        waitpid(server, NULL, 0);
    }
    event_log_destroy(events);
    drop_output_directory();
}

TestSuite(alert_webhook, .init = begin, .fini = end, .timeout = 60);

// A real server of Python; the words behind the file of bodies go to it.
static void start_server(const char *scheme, const char *const *words)
{
    int ends[2];
    cr_assert(pipe(ends) == 0);
    server = fork();
    if (server == 0) {
        const char *arguments[16] = {"python3", NETSCOPE_SOURCE_DIR "/tests/unit/export/webhook_server.py",
                                     output_path("bodies")};
        for (unsigned i = 0; words[i] != NULL; i++)
            arguments[3 + i] = words[i];
        dup2(ends[1], STDOUT_FILENO);
        execvp("python3", (char *const *)(uintptr_t)arguments);
        _exit(127);
    }
    close(ends[1]);
    FILE *told = fdopen(ends[0], "r");
    unsigned port = 0;
    cr_assert(fscanf(told, "%u", &port) == 1, "the server did not start");
    fclose(told);
    snprintf(url, sizeof url, "%s://user:secret@127.0.0.1:%u/hook?token=secret", scheme, port);
}

#define SERVER(...) start_server("http", (const char *const[]){__VA_ARGS__, NULL})

static struct sink *open_hook(enum webhook_format format)
{
    struct export_options options = {.events = events};
    struct sink *sink = alert_webhook_create(url, format, &options, &error);
    cr_assert(sink != NULL, "%s", error.text);
    return sink;
}

static bool finish(struct sink *sink, struct export_counts *counts)
{
    bool complete = sink->ops->finish(sink, NULL, &error);
    export_counts(sink, counts);
    sink->ops->destroy(sink);
    return complete;
}

static unsigned times_in(const char *text, const char *part)
{
    unsigned times = 0;
    for (const char *at = text; (at = strstr(at, part)) != NULL; at++)
        times++;
    return times;
}

Test(alert_webhook, posts_arrays_of_alerts)
{
    struct export_counts counts;
    SERVER("200");
    struct sink *sink = open_hook(WEBHOOK_NATIVE);
    alert_log_raise(events, 100);
    cr_assert(finish(sink, &counts), "%s", error.text);
    char *bodies = file_text(output_path("bodies"));
    cr_expect(bodies[0] == '[' && strstr(bodies, "}]\n") != NULL);
    cr_expect(eq(uint, times_in(bodies, "\"kind\":\"host_sweep\""), 100));
    char *first = strstr(bodies, "\"revision\":1,"), *last = strstr(bodies, "\"revision\":100,");
    cr_expect(first != NULL && last != NULL && first < last);
    cr_expect(eq(u64, counts.records, 100));
    cr_expect(eq(u64, counts.errors, 0));
    free(bodies);
}

Test(alert_webhook, speaks_to_alertmanager)
{
    struct export_counts counts;
    SERVER("200");
    struct sink *sink = open_hook(WEBHOOK_ALERTMANAGER);
    struct alert_event event;
    sample_alert_full(&event);
    event.source_name[0].name[0] = '\0';
    alert_log_put(events, &event);
    event.alert.severity = ALERT_CRITICAL; // its labels stay, or it would be another one
    event.alert.lifecycle = ALERT_ENDED;
    alert_log_put(events, &event);
    cr_assert(finish(sink, &counts), "%s", error.text);
    static const char begun[] =
        "{\"labels\":{\"alertname\":\"host_sweep\",\"severity\":\"high\",\"node\":\"node-1\","
        "\"fingerprint\":\"fedcba9876543210fedcba9876543210\"},"
        "\"annotations\":{\"summary\":\"10.0.0.9 swept 30 hosts on tcp port 22\","
        "\"description\":\"30 hosts whose first contacts failed: from 25 on an alert\\u000a"
        "0.75 of its first contacts failed: from 0.5 on an alert\\u000a"
        "not raised with analysis.anomalies.host_sweep.unique_hosts_threshold above 30\\u000a"
        "silenced by analysis.anomalies.allow: \\\"10.0.0.9 port=22\\\"\\u000a\","
        "\"sources\":\"10.0.0.9\",\"targets\":\"192.0.2.1:22 (ssh.example), 192.0.2.2:22 and 28 more\","
        "\"severity_now\":\"";
    static const char ended[] = "critical\",\"id\":\"0123456789abcdef0123456789abcdef\"},"
                                "\"startsAt\":\"2024-05-01T12:00:00.123456789Z\"";
    char *bodies = file_text(output_path("bodies"));
    cr_expect(eq(uint, times_in(bodies, begun), 2), "%s", bodies);
    cr_expect(eq(uint, times_in(bodies, ended), 1), "%s", bodies);
    cr_expect(eq(uint, times_in(bodies, "Z\"}"), 2));
    cr_expect(eq(uint, times_in(bodies, ",\"endsAt\":\"2024-05-01T12:00:05.000000000Z\"}"), 1));
    free(bodies);
}

Test(alert_webhook, tries_again_until_the_server_takes_them)
{
    struct export_counts counts;
    SERVER("503", "429", "200");
    struct sink *sink = open_hook(WEBHOOK_NATIVE);
    alert_log_raise(events, 3);
    cr_assert(finish(sink, &counts), "%s", error.text);
    char *bodies = file_text(output_path("bodies"));
    cr_expect(eq(uint, times_in(bodies, "\"revision\":"), 3));
    cr_expect(eq(u64, counts.records, 3));
    cr_expect(eq(u64, counts.errors, 1)); // one trouble, however often it was tried
    cr_expect(not(counts.failing));
    free(bodies);
}

Test(alert_webhook, what_the_server_refuses_is_lost_and_counted)
{
    struct export_counts counts;
    SERVER("400", "200");
    struct sink *sink = open_hook(WEBHOOK_NATIVE);
    alert_log_raise(events, 1);
    do {
        poll(NULL, 0, 10);
        export_counts(sink, &counts);
    } while (counts.lost == 0);
    alert_log_raise(events, 1);
    cr_expect(not(finish(sink, &counts)));
    cr_expect(eq(u64, counts.lost, 1));
    cr_expect(eq(u64, counts.records, 1));
    cr_expect(strstr(error.text, "1 alerts were not delivered to http://127.0.0.1:") != NULL, "%s",
              error.text);
    cr_expect(strstr(error.text, "HTTP status 400") != NULL, "%s", error.text);
    cr_expect(strstr(error.text, "secret") == NULL, "%s", error.text);
}

// Nobody listens: the log goes on, the end waits for a while.
Test(alert_webhook, nobody_there_is_told_and_counted)
{
    struct export_counts counts;
    snprintf(url, sizeof url, "http://127.0.0.1:1/");
    struct sink *sink = open_hook(WEBHOOK_NATIVE);
    alert_log_raise(events, 3000); // more than wait
    cr_expect(not(finish(sink, &counts)));
    cr_expect(eq(u64, counts.lost, 3000));
    cr_expect(eq(u64, counts.errors, 1));
    cr_expect(counts.failing);
    cr_expect(strstr(error.text, "3000 alerts were not delivered to http://127.0.0.1:1 ") != NULL, "%s",
              error.text);
}

static bool at_once(void)
{
    return true;
}

// Without the abort of a post that is under way the end would take the ten seconds that a server has.
Test(alert_webhook, a_server_that_hangs_holds_up_no_end)
{
    struct export_counts counts;
    SERVER("--slow");
    struct export_options options = {.events = events, .gives_up = at_once};
    struct sink *sink = alert_webhook_create(url, WEBHOOK_NATIVE, &options, &error);
    alert_log_raise(events, 1);
    cr_expect(not(finish(sink, &counts)));
    cr_expect(eq(u64, counts.lost, 1));
    cr_expect(eq(u64, counts.records, 0));

    sink = open_hook(WEBHOOK_NATIVE); // no stop signal came, but the run is over
    alert_log_raise(events, 1);
    cr_expect(not(finish(sink, &counts)));
    cr_expect(strstr(error.text, "there is no more time to wait for the server") != NULL, "%s", error.text);
}

Test(alert_webhook, a_certificate_that_nobody_signed_is_refused)
{
    struct export_counts counts;
    char make[1024];
    snprintf(make, sizeof make,
             "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 "
             "-subj /CN=127.0.0.1 -keyout %s -out %s 2>/dev/null && cat %s >> %s",
             output_path("key"), output_path("pem"), output_path("key"), output_path("pem"));
    cr_assert(system(make) == 0, "openssl made no certificate");
    start_server("https", (const char *const[]){"--certificate", output_path("pem"), NULL});
    struct sink *sink = open_hook(WEBHOOK_NATIVE);
    alert_log_raise(events, 1);
    cr_expect(not(finish(sink, &counts)));
    cr_expect(strstr(error.text, "https://127.0.0.1:") != NULL, "%s", error.text);
    cr_expect(strstr(error.text, "certificate") != NULL, "%s", error.text);
    cr_expect(eq(u64, counts.records, 0));
}

Test(alert_webhook, what_is_no_url_is_refused_at_the_start)
{
    struct export_options options = {.events = events};
    static const char *const broken[] = {"http://[::1", "http://a b/", "https://host:99999/"};
    for (unsigned i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        struct sink *sink = alert_webhook_create(broken[i], WEBHOOK_NATIVE, &options, &error);
        cr_assert(sink == NULL, "%s", broken[i]);
        cr_expect(eq(int, (int)error.kind, ERROR_INVALID_ARGUMENT));
        cr_expect(strstr(error.text, "output.alerts_webhook is no URL") != NULL, "%s", error.text);
    }
}
