#include "ctl/follow.h"

#include <assert.h>
#include <protobuf-c/protobuf-c.h>
#include <stdlib.h>
#include <string.h>

#include "api/build.h"
#include "base/time.h"
#include "capture/clock.h"
#include "ctl/complaint.h"
#include "ctl/gap_text.h"
#include "ctl/interrupt.h"
#include "ctl/invocation.h"
#include "ctl/retry.h"
#include "netscope/v1/stream.pb-c.h"

typedef Netscope__V1__StreamGap Gap;

enum { SENTENCE_BYTES = 4096, LOOK_EVERY_MS = 100 };

struct stream {
    struct following *following;
    struct server *server;
    struct client_call *call; // NULL = it waits to be opened, or is over
    struct retry retry;
    char *cursor; // behind what was handled; NULL = nothing was
    char *instance_id;
    uint64_t sequence; // of this instance, that was shown last
    bool lost;         // which was told
    bool late;         // it joined after the first ones
    bool over;
};

struct following {
    struct follow *follow;
    struct fleet *fleet;
    struct output *output;
    struct stream **streams; // one a server, by its index
    unsigned count;
    unsigned waiting, over, failed;
    int64_t began_ns; // wall clock
    bool met;         // the first servers
    bool ending;      // what ends now was ended by us
    Netscope__V1__StreamStart start;
    Google__Protobuf__Timestamp since, began; // what was asked for; when this began
    enum ctl_exit exit_code;
};

static void replace(char **text, const char *by)
{
    if (*text != NULL && strcmp(*text, by) == 0)
        return;
    free(*text);
    *text = strdup(by);
}

// What is missing.

static void tell_gap(const struct stream *stream, const Gap *gap)
{
    struct strbuf text;
    strbuf_init(&text, SENTENCE_BYTES);
    strbuf_addf(&text, "%s: ", stream->server->label);
    gap_text_add(&text, gap, stream->following->follow->what);
    complain(text.text);
    strbuf_done(&text);
}

// What comes.

static void be_found(struct stream *stream)
{
    retry_reset(&stream->retry);
    if (!stream->lost)
        return;
    struct strbuf text;
    strbuf_init(&text, SENTENCE_BYTES);
    strbuf_addf(&text, "the sensor at %s is back", stream->server->label);
    complain(text.text);
    strbuf_done(&text);
    stream->lost = false;
}

static bool is_enough(const struct following *following)
{
    return following->follow->limit > 0 && following->output->rows >= following->follow->limit;
}

static void show(struct stream *stream, const ProtobufCMessage *message, const struct stream_message *parts)
{
    struct following *following = stream->following;
    const struct follow *follow = following->follow;
    const char *node = fleet_is_several(following->fleet) ? parts->node : "";
    for (size_t i = 0; i < parts->event_count && !is_enough(following); i++) {
        struct stream_event event = follow->event(message, i);
        if (event.row == NULL || event.sequence <= stream->sequence)
            continue;
        stream->sequence = event.sequence;
        follow->name(&following->fleet->pods, event.row);
        if (output_is_for_programs(following->output)) {
            output_add_row(following->output, event.row);
        } else {
            follow->add_line(following->output, message, i, node);
            following->output->rows++;
        }
    }
}

// Gaps are of before the events of their message; the cursor is behind them.
static void handle(struct stream *stream, const ProtobufCMessage *message)
{
    struct stream_message parts = {.cursor = ""};
    stream->following->follow->look(message, &parts);
    if (parts.is_alive)
        be_found(stream);
    if (stream->instance_id == NULL || strcmp(stream->instance_id, parts.instance_id) != 0) {
        replace(&stream->instance_id, parts.instance_id);
        stream->sequence = 0;
    }
    for (size_t i = 0; i < parts.gap_count; i++)
        tell_gap(stream, parts.gaps[i]);
    show(stream, message, &parts);
    output_flush(stream->following->output);
    if (parts.cursor[0] != '\0')
        replace(&stream->cursor, parts.cursor);
}

static void take_message(void *owner, const uint8_t *bytes, size_t length)
{
    struct stream *stream = owner;
    const struct following *following = stream->following;
    ProtobufCMessage *message = protobuf_c_message_unpack(following->follow->response, NULL, length, bytes);
    if (message == NULL)
        return;
    if (!interrupted() && !is_enough(following))
        handle(stream, message);
    protobuf_c_message_free_unpacked(message, NULL);
}

// How a stream ends.

static bool is_worth_a_retry(const struct client_end *end)
{
    switch (end->code) {
    case STATUS_UNAVAILABLE:
    case STATUS_RESOURCE_EXHAUSTED:
    case STATUS_DEADLINE_EXCEEDED:
    case STATUS_INTERNAL:
    case STATUS_UNKNOWN:
    case STATUS_CANCELLED:
    case STATUS_ABORTED:
        return true;
    default:
        return false;
    }
}

static void be_over(struct stream *stream, enum status_code code)
{
    struct following *following = stream->following;
    assert(!stream->over && stream->call == NULL);
    stream->over = true;
    following->over++;
    if (code == STATUS_OK)
        return;
    following->failed++;
    following->exit_code = exit_of_end(code);
}

// A single sensor that was never reached is an error, of several one may come later.
static bool goes_on(const struct stream *stream, const struct client_end *end)
{
    const struct following *following = stream->following;
    return is_worth_a_retry(end) && (stream->cursor != NULL || fleet_is_several(following->fleet));
}

static void tell_loss(struct stream *stream, const struct client_end *end)
{
    struct strbuf text;
    if (stream->lost)
        return;
    stream->lost = true;
    if (stream->server->gone) {
        // That its stream broke is no trouble.
        strbuf_init(&text, SENTENCE_BYTES);
        strbuf_addf(&text, "the sensor at %s is gone", stream->server->label);
        complain(text.text);
        strbuf_done(&text);
        return;
    }
    strbuf_init(&text, SENTENCE_BYTES);
    if (stream->cursor != NULL)
        strbuf_addf(&text, "lost the stream of %s: ", stream->server->label);
    complaint_add(&text, stream->following->fleet, stream->server, end);
    strbuf_add(&text, ". Trying again");
    complain(text.text);
    strbuf_done(&text);
}

static void take_end(void *owner, const struct client_end *end)
{
    struct stream *stream = owner;
    struct following *following = stream->following;
    assert(stream->call != NULL && following->waiting > 0);
    stream->call = NULL;
    following->waiting--;
    if (following->ending || interrupted() || is_enough(following) || following->output->failed)
        return;
    if (end->code != STATUS_OK && goes_on(stream, end)) {
        tell_loss(stream, end);
        retry_after_failure(&stream->retry, clock_now_ns());
        fleet_disconnect(stream->server);
        return;
    }
    if (end->code != STATUS_OK)
        complain_of(following->fleet, stream->server, end);
    be_over(stream, end->code);
}

// How it begins.

// Behind what was handled; else as the first time, but nothing that came since then is left out.
static void fill_start(struct stream *stream)
{
    struct following *following = stream->following;
    Netscope__V1__StreamOptions *options = following->follow->options;
    netscope__v1__stream_start__init(&following->start);
    if (stream->cursor != NULL) {
        following->start.from_case = NETSCOPE__V1__STREAM_START__FROM_RESUME_AFTER;
        following->start.resume_after = stream->cursor;
    } else if (following->since.seconds > 0) {
        following->start.from_case = NETSCOPE__V1__STREAM_START__FROM_SINCE;
        following->start.since = &following->since;
    } else if (stream->late || stream->retry.failures > 0) {
        following->began.seconds = following->began_ns / NS_PER_S;
        following->start.from_case = NETSCOPE__V1__STREAM_START__FROM_SINCE;
        following->start.since = &following->began;
    }
    options->start =
        following->start.from_case != NETSCOPE__V1__STREAM_START__FROM__NOT_SET ? &following->start : NULL;
}

static void open_stream(struct stream *stream)
{
    static const struct client_handler handler = {take_message, take_end};
    struct following *following = stream->following;
    const struct follow *follow = following->follow;
    struct error error = {.kind = ERROR_NONE};
    assert(stream->call == NULL && !stream->over);
    fill_start(stream);
    size_t length = protobuf_c_message_get_packed_size(follow->request);
    uint8_t *bytes = malloc(length + 1);
    if (bytes != NULL && fleet_connect(following->fleet, stream->server, &error)) {
        protobuf_c_message_pack(follow->request, bytes);
        struct client_request request = {follow->method, bytes, length, 0};
        stream->call = client_call_start(stream->server->channel, &request, &handler, stream);
    }
    free(bytes);
    if (stream->call != NULL) {
        following->waiting++;
        return;
    }
    complain(error.kind != ERROR_NONE ? error.text : "no memory for a stream");
    be_over(stream, STATUS_INVALID_ARGUMENT);
    following->exit_code = CTL_USAGE;
}

// Servers that joined get a stream; those that left keep theirs until it breaks.
static bool meet_servers(struct following *following)
{
    struct fleet *fleet = following->fleet;
    fleet_refresh(fleet);
    assert(following->count <= fleet->count); // servers stay
    if (following->count == fleet->count)
        return true;
    struct stream **streams = realloc(following->streams, fleet->count * sizeof *streams);
    if (streams == NULL)
        return false;
    following->streams = streams;
    while (following->count < fleet->count) {
        struct stream *stream = calloc(1, sizeof *stream);
        if (stream == NULL)
            return false;
        stream->following = following;
        stream->server = fleet->servers[following->count];
        stream->late = following->met; // what it told before belongs to what is followed
        streams[following->count++] = stream;
    }
    following->met = true;
    return true;
}

static void open_due(struct following *following)
{
    int64_t now_ns = clock_now_ns();
    for (unsigned i = 0; i < following->count; i++) {
        struct stream *stream = following->streams[i];
        if (!stream->over && !stream->server->gone && stream->call == NULL &&
            retry_is_due(&stream->retry, now_ns))
            open_stream(stream);
    }
}

static void end_all(struct following *following)
{
    following->ending = true;
    for (unsigned i = 0; i < following->count; i++)
        if (following->streams[i]->call != NULL)
            client_call_cancel(following->streams[i]->call);
    while (following->waiting > 0)
        client_wait(following->fleet->client, LOOK_EVERY_MS * NS_PER_MS);
    for (unsigned i = 0; i < following->count; i++) {
        assert(following->streams[i]->call == NULL);
        free(following->streams[i]->cursor);
        free(following->streams[i]->instance_id);
        free(following->streams[i]);
    }
    free(following->streams);
}

static void follow_on(struct following *following)
{
    bool fine = true;
    while (fine && !interrupted() && !is_enough(following) && !following->output->failed &&
           !output_is_unread()) {
        fine = meet_servers(following);
        if (following->over == following->count && !fleet_may_grow(following->fleet))
            return;
        open_due(following);
        client_wait(following->fleet->client, LOOK_EVERY_MS * NS_PER_MS);
    }
}

enum ctl_exit follow_run(struct task *task, struct fleet *fleet, struct output *output)
{
    struct follow *follow = (struct follow *)task;
    struct error error;
    struct following following = {
        .follow = follow, .fleet = fleet, .output = output, .began_ns = clock_wall_ns()};
    google__protobuf__timestamp__init(&following.since);
    google__protobuf__timestamp__init(&following.began);
    if (follow->options->start != NULL && follow->options->start->since != NULL)
        following.since = *follow->options->start->since;
    output_flush(output);
    if (!fleet_watch(fleet, &error))
        complain(error.text);
    follow_on(&following);
    unsigned failed = following.failed, count = following.count;
    end_all(&following);
    return failed > 0 && failed < count ? CTL_PARTLY : following.exit_code;
}

bool given_since(const struct invocation *given, int64_t *since_ns, struct error *error)
{
    int64_t span_ns;
    const char *text = given_text(given, "since");
    *since_ns = 0;
    if (text == NULL || time_parse_rfc3339(text, since_ns))
        return true;
    if (!read_span(text, &span_ns))
        return error_set(
            error, ERROR_INVALID_ARGUMENT,
            "--since takes a span such as 5m or 1h, or a time such as 2026-05-01T12:00:00Z, not \"%.80s\"",
            text);
    *since_ns = clock_wall_ns() - span_ns;
    return true;
}

bool follow_prepare(struct follow *follow, struct build *build, const struct invocation *given,
                    struct error *error)
{
    int64_t since_ns;
    if (!given_since(given, &since_ns, error) ||
        !given_number(given, "limit", UINT64_MAX, 0, &follow->limit, error))
        return false;
    Netscope__V1__StreamOptions *options = build_part(build, sizeof *options);
    Netscope__V1__StreamStart *start = build_part(build, sizeof *start);
    if (options == NULL || start == NULL)
        return error_set(error, ERROR_EXHAUSTED, "no memory for the request");
    netscope__v1__stream_options__init(options);
    netscope__v1__stream_start__init(start);
    options->follow = true;
    options->limit = follow->limit;
    if (since_ns > 0) {
        start->from_case = NETSCOPE__V1__STREAM_START__FROM_SINCE;
        start->since = build_time(build, since_ns);
        options->start = start;
    }
    follow->options = options;
    return true;
}
