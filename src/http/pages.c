// /metrics and the probes.
#include <string.h>

#include "aggregate/snapshot.h"
#include "api/method.h"
#include "base/metric_text.h"
#include "base/time.h"
#include "capture/clock.h"
#include "config/settings.h"
#include "control/control.h"
#include "http/accept.h"
#include "http/exchange.h"
#include "http/server_inside.h"

// Late are more than ten ticks; short ticks have the time that a busy machine may take.
enum { LIVE_TICKS = 10 };
static const int64_t LIVE_LEAST_NS = 2 * NS_PER_S;

// Offline, ticks follow the packets' time, and what waits for input is well.
static bool is_alive(const struct http_setup *setup)
{
    int64_t most_ns = LIVE_TICKS * (int64_t)setup->settings->pipeline.tick_ms * NS_PER_MS;
    if (!control_is_live(setup->control) || control_is_over(setup->control))
        return true;
    const struct snapshot *snapshot = control_snapshot(setup->control);
    bool alive = snapshot == NULL ||
                 clock_now_ns() - snapshot->made_ns <= (most_ns > LIVE_LEAST_NS ? most_ns : LIVE_LEAST_NS);
    snapshot_release(snapshot);
    return alive;
}

// From the first tick on every source is open, waits, or was stopped on purpose: else the run would have ended.
static bool is_ready(const struct http_setup *setup)
{
    const struct snapshot *snapshot = control_snapshot(setup->control);
    bool runs = snapshot != NULL;
    snapshot_release(snapshot);
    return runs && api_is_serving(setup->api);
}

static void answer_probe(struct answer *answer, bool good)
{
    answer_text(answer, good ? 200 : 503, good ? "ok\n" : "not ok\n");
}

// Whether it may be read without saying who asks.
static bool is_open(const struct http_server *server)
{
    const struct listener_settings *listener = server->listener;
    return server->setup.surface == HTTP_METRICS && !listener->auth.enabled &&
           listener->auth.tokens_file[0] == '\0' && listener->tls.client_ca_path[0] == '\0';
}

static bool may_read(struct exchange *exchange)
{
    if (is_open(exchange->server))
        return true;
    if (!request_identify(exchange))
        return false;
    return exchange->caller.limits == NULL ||
           answer_refuse(&exchange->answer, 403, STATUS_PERMISSION_DENIED, "OUTSIDE_LIMITS",
                         "metrics are sums over all that is seen: they take a caller without limits");
}

static void answer_metrics(struct exchange *exchange)
{
    const char *accept = NULL;
    struct answer *answer = &exchange->answer;
    if (!may_read(exchange))
        return;
    request_header(exchange, "Accept", &accept);
    unsigned plain = accept_weight(accept, "text/plain");
    bool open = accept != NULL && accept_weight(accept, "application/openmetrics-text") > plain;
    answer->code = 200;
    answer->type = open ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                        : "text/plain; version=0.0.4; charset=utf-8";
    metric_text_add(&answer->body, control_metrics(exchange->server->setup.control),
                    open ? METRIC_OPENMETRICS : METRIC_PROMETHEUS);
    if (answer->body.failed) {
        strbuf_clear(&answer->body);
        answer_refuse(answer, 503, STATUS_RESOURCE_EXHAUSTED, "EXHAUSTED", "no memory for the metrics");
    }
}

bool pages_answer(struct exchange *exchange)
{
    const struct http_setup *setup = &exchange->server->setup;
    const char *path = exchange->path;
    bool live = strcmp(path, "/livez") == 0, ready = strcmp(path, "/readyz") == 0;
    if (!live && !ready && strcmp(path, "/metrics") != 0)
        return false;
    if (strcmp(exchange->method, "GET") != 0 && strcmp(exchange->method, "HEAD") != 0) {
        answer_header(&exchange->answer, "Allow", "GET, HEAD");
        answer_refuse(&exchange->answer, 405, STATUS_UNIMPLEMENTED, "METHOD_NOT_ALLOWED",
                      "it can be read only: use GET");
    } else if (live || ready) {
        answer_probe(&exchange->answer, live ? is_alive(setup) : is_ready(setup));
    } else {
        answer_metrics(exchange);
    }
    return true;
}
