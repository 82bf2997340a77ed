// Alerts posted to a URL: --alerts-webhook. Rendered alerts wait in a ring of WAITING; a post takes the oldest, BATCH at
// most. While the server does not take them the pauses grow, and the ring drops its oldest.
#include <assert.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "api/alert_message.h"
#include "api/json.h"
#include "base/log.h"
#include "base/strbuf.h"
#include "base/time.h"
#include "capture/clock.h"
#include "export/alertmanager.h"
#include "export/event_writer.h"
#include "export/http_poster.h"

enum { WAITING = 1024, BATCH = 64, BODY_BYTES = 4 << 20, ALERT_BYTES = 64 << 10 };

static const int64_t first_pause_ns = NS_PER_S / 2, longest_pause_ns = 60 * NS_PER_S,
                     patience_ns = 3 * NS_PER_S; // for what is left when a run has ended

struct alert_webhook {
    struct event_writer writer;
    struct http_poster *poster;
    enum webhook_format format;
    struct message_plan *plan; // native
    struct alert_message *message;
    bool (*gives_up)(void); // NULL = never
    char *waiting[WAITING]; // owned
    unsigned first, count;
    struct strbuf text, body;
    int64_t pause_ns, next_ns; // monotonic time of the next attempt
    int64_t ending_ns;         // when the end was seen; 0 = not yet
};

static struct alert_webhook *webhook_of(struct event_writer *writer)
{
    return (struct alert_webhook *)writer;
}

// Whether the end of the run waits for no server any more.
static bool is_over(void *owner)
{
    struct alert_webhook *webhook = owner;
    int64_t now_ns = clock_now_ns();
    if (webhook->ending_ns == 0 && event_writer_is_ending(&webhook->writer))
        webhook->ending_ns = now_ns;
    return (webhook->ending_ns != 0 && now_ns - webhook->ending_ns > patience_ns) ||
           (webhook->gives_up != NULL && webhook->gives_up());
}

static void lose(struct alert_webhook *webhook, unsigned alerts)
{
    atomic_fetch_add(&webhook->writer.counts.lost, alerts);
}

static void drop_oldest(struct alert_webhook *webhook, unsigned alerts)
{
    assert(alerts <= webhook->count);
    for (unsigned i = 0; i < alerts; i++) {
        free(webhook->waiting[webhook->first]);
        webhook->first = (webhook->first + 1) % WAITING;
        webhook->count--;
    }
}

static bool render(struct alert_webhook *webhook, const struct alert_event *event)
{
    strbuf_clear(&webhook->text);
    if (webhook->format == WEBHOOK_ALERTMANAGER)
        alertmanager_add(&webhook->text, event);
    else
        json_add(&webhook->text, webhook->plan, alert_message_fill(webhook->message, event));
    return !webhook->text.failed;
}

static unsigned make_body(struct alert_webhook *webhook)
{
    unsigned alerts = webhook->count < BATCH ? webhook->count : BATCH;
    strbuf_clear(&webhook->body);
    for (unsigned i = 0; i < alerts; i++) {
        strbuf_add_char(&webhook->body, i == 0 ? '[' : ',');
        strbuf_add(&webhook->body, webhook->waiting[(webhook->first + i) % WAITING]);
    }
    strbuf_add_char(&webhook->body, ']');
    return webhook->body.failed ? 0 : alerts;
}

// Once for each time that it stops to work. At the end there will be a sentence about what was lost.
static void tell_trouble(struct alert_webhook *webhook, const char *consequence)
{
    if (webhook->writer.counts.failing)
        return;
    webhook->writer.counts.failing = true;
    atomic_fetch_add(&webhook->writer.counts.errors, 1);
    if (!event_writer_is_ending(&webhook->writer))
        log_error("export", "alerts cannot be posted to %s: %s; %s", webhook->writer.name,
                  http_poster_reason(webhook->poster), consequence);
}

static void note_delivered(struct alert_webhook *webhook, unsigned alerts)
{
    if (webhook->writer.counts.failing)
        log_warning("export", "%s takes alerts again", webhook->writer.name);
    webhook->writer.counts.failing = false;
    webhook->pause_ns = first_pause_ns;
    atomic_fetch_add(&webhook->writer.counts.records, alerts);
    atomic_fetch_add(&webhook->writer.counts.bytes, webhook->body.length);
}

static void put_off(struct alert_webhook *webhook)
{
    tell_trouble(webhook, "they wait, and it is tried again");
    webhook->next_ns = clock_now_ns() + webhook->pause_ns;
    webhook->pause_ns = webhook->pause_ns < longest_pause_ns / 2 ? 2 * webhook->pause_ns : longest_pause_ns;
}

// One post. False when nothing more is to be tried now.
static bool post_some(struct alert_webhook *webhook)
{
    unsigned alerts = make_body(webhook);
    if (alerts == 0)
        return false;
    enum post_result result = http_poster_post(webhook->poster, webhook->body.text, webhook->body.length);
    if (result == POST_AGAIN) {
        put_off(webhook);
        return false;
    }
    if (result == POST_DELIVERED) {
        note_delivered(webhook, alerts);
    } else {
        tell_trouble(webhook, "they are given up");
        lose(webhook, alerts);
    }
    drop_oldest(webhook, alerts);
    return true;
}

static void webhook_idle(struct event_writer *writer, int64_t now_ns)
{
    struct alert_webhook *webhook = webhook_of(writer);
    if (now_ns < webhook->next_ns)
        return;
    while (webhook->count > 0 && !is_over(webhook) && post_some(webhook))
        continue;
}

static void webhook_take(struct event_writer *writer, const void *event, int64_t now_ns)
{
    struct alert_webhook *webhook = webhook_of(writer);
    char *copy = render(webhook, event) ? strdup(webhook->text.text) : NULL;
    if (copy == NULL) {
        lose(webhook, 1);
        return;
    }
    if (webhook->count == WAITING) {
        drop_oldest(webhook, 1);
        lose(webhook, 1);
    }
    assert(webhook->first < WAITING && webhook->count < WAITING);
    webhook->waiting[(webhook->first + webhook->count++) % WAITING] = copy;
    if (webhook->count >= BATCH)
        webhook_idle(writer, now_ns);
}

static void webhook_reopen(struct event_writer *writer, int64_t now_ns)
{
    (void)writer;
    (void)now_ns;
}

// What is left is tried for a while.
static bool webhook_close(struct event_writer *writer, struct error *error)
{
    enum { LOOK_EVERY_MS = 50 };
    struct alert_webhook *webhook = webhook_of(writer);
    webhook->next_ns = 0;
    webhook->pause_ns = first_pause_ns;
    while (webhook->count > 0 && !is_over(webhook)) {
        webhook_idle(writer, clock_now_ns());
        if (webhook->count > 0)
            poll(NULL, 0, LOOK_EVERY_MS);
    }
    lose(webhook, webhook->count);
    drop_oldest(webhook, webhook->count);
    uint64_t lost = atomic_load(&writer->counts.lost);
    return lost == 0 ||
           error_set(error, ERROR_DATA_LOSS,
                     "%llu alerts were not delivered to %s (output.alerts_webhook): %s",
                     (unsigned long long)lost, writer->name, http_poster_reason(webhook->poster));
}

static void webhook_destroy(struct event_writer *writer)
{
    struct alert_webhook *webhook = webhook_of(writer);
    event_writer_done(writer);
    drop_oldest(webhook, webhook->count);
    http_poster_destroy(webhook->poster);
    message_plan_destroy(webhook->plan);
    alert_message_destroy(webhook->message);
    strbuf_done(&webhook->text);
    strbuf_done(&webhook->body);
    free(webhook);
}

static const struct event_writer_ops webhook_ops = {
    .take = webhook_take,
    .idle = webhook_idle,
    .reopen = webhook_reopen,
    .close = webhook_close,
    .destroy = webhook_destroy,
};

static bool fill(struct alert_webhook *webhook, const char *url, struct error *error)
{
    struct http_poster_setup setup = {.url = url, .gives_up = is_over, .owner = webhook};
    strbuf_init(&webhook->text, ALERT_BYTES);
    strbuf_init(&webhook->body, BODY_BYTES + BATCH + 1);
    _Static_assert((int)BATCH * (int)ALERT_BYTES <= (int)BODY_BYTES, "a batch fits into a body");
    webhook->pause_ns = first_pause_ns;
    webhook->plan = message_plan_create(alert_message_descriptor());
    webhook->message = alert_message_create();
    if (webhook->plan == NULL || webhook->message == NULL)
        return error_set(error, ERROR_EXHAUSTED, "no memory for output.alerts_webhook");
    webhook->poster = http_poster_create(&setup, error);
    return webhook->poster != NULL;
}

struct sink *alert_webhook_create(const char *url, enum webhook_format format,
                                  const struct export_options *options, struct error *error)
{
    struct alert_webhook *webhook = calloc(1, sizeof *webhook);
    if (webhook == NULL) {
        error_set(error, ERROR_EXHAUSTED, "no memory for output.alerts_webhook");
        return NULL;
    }
    webhook->format = format;
    webhook->gives_up = options->gives_up;
    bool good = fill(webhook, url, error);
    if (good) {
        struct event_writer_setup setup = {
            .name = http_poster_name(webhook->poster),
            .ops = &webhook_ops,
            .layout = &alert_events_layout,
            .events = options->events,
            .policy = EVENTS_DROP, // nothing waits for a server
        };
        good = event_writer_start(&webhook->writer, &setup, error);
    }
    if (good)
        return &webhook->writer.sink;
    webhook_destroy(&webhook->writer);
    return NULL;
}
