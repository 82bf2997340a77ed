// A stream of an event log: WatchFlows, WatchAlerts. It reads a log at a place of its own, matches while its reader blocks,
// and bounds what waits; the log itself is its longer queue, as long as it laps nobody.
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate/snapshot.h"
#include "api/stream.h"
#include "api/stream_message.h"
#include "api/stream_source.h"
#include "base/time.h"

// The log's bell tells of events. Who has no room looks himself whether the log is about to lap him; each stream looks now
// and then whether its caller may still read it.
enum { RUNS_A_STEP = 32, CROWDED_LOOK_MS = 20, LOOK_MS = 250 };

struct log_stream {
    struct stream stream; // first
    struct stream_source *source;
    struct event_reader *reader;
    struct stream_options options;
    struct stream_queue queue;
    struct event_run run; // of the log, in the stream's hands
    uint32_t place;       // in it: the first event that was not looked at
    uint64_t begin;       // from which the stream can be had again, before anything was sent
    uint64_t opened_next; // the log's when the stream was opened: there the backlog ends
    uint64_t next;        // the first event that was not looked at
    uint64_t sent;
    int64_t log_ns; // the time of the log: the latest that was met
    bool skipping;  // until `since`
    bool started, told_caught_up, is_full, lacks_memory;
    bool is_blocked;             // a message is on its way
    enum stream_end end;         // nothing more is taken from the log, for this reason
    int64_t stepped_ns, beat_ns; // when it was stepped last, and when a heartbeat is due
};

static struct log_stream *log_stream_of(struct stream *stream)
{
    return (struct log_stream *)stream;
}

// Opening.

static struct stream_oldest find_oldest(const struct stream_source *source)
{
    struct stream_oldest oldest = {.sequence = event_log_next(source->log)};
    struct event_run run;
    struct event_reader *reader = event_reader_create(source->log, EVENTS_DROP, EVENTS_FROM_OLDEST);
    if (reader == NULL)
        return oldest;
    event_reader_take(reader, 0, &run);
    if (run.block != NULL)
        oldest = (struct stream_oldest){run.block->first + run.begin, true,
                                        source->ops->time(run.block, run.begin)};
    event_reader_destroy(reader);
    return oldest;
}

// The sequence from which on `last` events fit. False without memory.
static bool find_last(struct log_stream *stream, uint64_t *from)
{
    struct stream_source *source = stream->source;
    struct event_reader *reader = event_reader_create(source->log, EVENTS_DROP, EVENTS_FROM_OLDEST);
    uint64_t *fitting = calloc(stream->options.last, sizeof *fitting), count = 0;
    bool good = reader != NULL && fitting != NULL;
    struct event_run run;
    while (good && event_reader_take(reader, 0, &run) && run.block != NULL)
        for (uint32_t i = run.begin; i < run.end && run.block->first + i < stream->opened_next; i++)
            if (source->ops->fits(source, run.block, i))
                fitting[count++ % stream->options.last] = run.block->first + i;
    if (good)
        *from = count == 0 ? stream->opened_next
                           : fitting[count < stream->options.last ? 0 : count % stream->options.last];
    free(fitting);
    event_reader_destroy(reader);
    return good;
}

// What is missing before anything is read, for what the client knows of.
static bool put_first_gap(struct log_stream *stream, const struct stream_oldest *oldest)
{
    const struct stream_options *options = &stream->options;
    struct gap gap = {.from_ns = 0, .to_ns = -1};
    bool elsewhere = options->from == FROM_CURSOR && options->cursor != CURSOR_OURS;
    bool trimmed = options->from == FROM_TIME && oldest->sequence > 1 &&
                   (!oldest->exists || oldest->time_ns > options->since_ns);
    if (!elsewhere && !trimmed)
        return true;
    gap.reason = GAP_AWAY;
    if (elsewhere)
        gap.reason = options->cursor == CURSOR_RESTARTED ? GAP_RESTARTED : GAP_OTHER_SENSOR;
    gap.at_most = trimmed ? oldest->sequence - 1 : 0;
    return stream_queue_put_gap(&stream->queue, &gap, oldest->sequence - 1, 0);
}

static bool find_first(struct log_stream *stream, const struct stream_oldest *oldest)
{
    const struct stream_options *options = &stream->options;
    stream->next = oldest->sequence;
    if (options->from == FROM_LAST)
        return find_last(stream, &stream->next);
    if (options->from == FROM_CURSOR && options->cursor == CURSOR_OURS)
        stream->next = options->next;
    else if (options->from == FROM_ANYWHERE && options->follow)
        stream->next = stream->opened_next;
    return true;
}

static bool open_stream(struct log_stream *stream)
{
    struct stream_oldest oldest = find_oldest(stream->source);
    stream->opened_next = event_log_next(stream->source->log);
    if (!find_first(stream, &oldest))
        return false;
    stream->begin = stream->next;
    stream->skipping = stream->options.from == FROM_TIME;
    stream->log_ns = INT64_MIN;
    if (!put_first_gap(stream, &oldest))
        return false;
    if (stream->options.from == FROM_TIME && stream->queue.head != NULL)
        stream->begin = 1; // whoever resumes before the gap was told is told of it again
    stream->reader = event_reader_create(stream->source->log, EVENTS_DROP, stream->next);
    if (stream->reader == NULL)
        return false;
    event_reader_ring(stream->reader, stream->stream.api->bell);
    return true;
}

static void done(struct stream *stream)
{
    struct log_stream *log_stream = log_stream_of(stream);
    event_reader_destroy(log_stream->reader);
    log_stream->source->ops->destroy(log_stream->source);
    stream_queue_done(&log_stream->queue);
}

// Reading the log.

// Events that the log had no more when they were to be read.
static void note_missed(struct log_stream *stream, uint64_t missed)
{
    bool away = stream->next < stream->opened_next && stream->log_ns == INT64_MIN;
    struct gap gap = {.reason = away ? GAP_AWAY : GAP_LAPPED, .at_most = missed, .from_ns = 0, .to_ns = -1};
    stream->next += missed;
    stream->lacks_memory |= !stream_queue_put_gap(&stream->queue, &gap, stream->next - 1, stream->log_ns);
}

static void queue_event(struct log_stream *stream, const struct event_block *block, uint32_t place)
{
    size_t length;
    const uint8_t *bytes = stream->source->ops->pack(stream->source, block, place, &length);
    struct stream_entry entry = {.sequence = block->first + place,
                                 .time_ns = stream->log_ns,
                                 .queued_ns = stream->stepped_ns,
                                 .length = (uint32_t)length};
    enum stream_put put = bytes != NULL
                              ? stream_queue_put(&stream->queue, stream->options.policy, &entry, bytes)
                              : STREAM_NO_MEMORY;
    stream->is_full |= put == STREAM_FULL;
    stream->lacks_memory |= put == STREAM_NO_MEMORY;
}

static void look_at(struct log_stream *stream, const struct event_block *block, uint32_t place)
{
    const struct stream_options *options = &stream->options;
    struct stream_source *source = stream->source;
    uint64_t sequence = block->first + place;
    int64_t time_ns = source->ops->time(block, place);
    assert(sequence == stream->next);
    if (!options->follow && sequence >= stream->opened_next) {
        stream->end = STREAM_END_BACKLOG;
        return;
    }
    if (!source->ops->is_seen(source, block, place)) {
        stream->next++;
        return;
    }
    stream->log_ns = time_ns > stream->log_ns ? time_ns : stream->log_ns;
    if (options->has_until && stream->log_ns >= options->until_ns) {
        stream->end = STREAM_END_UNTIL;
        return;
    }
    stream->next++;
    stream->skipping &= stream->log_ns < options->since_ns;
    if (!stream->skipping && source->ops->fits(source, block, place))
        queue_event(stream, block, place);
    if (options->limit > 0 && stream->sent + stream->queue.events >= options->limit)
        stream->end = STREAM_END_LIMIT;
}

static bool is_done(const struct log_stream *stream)
{
    return stream->end != STREAM_END_NONE || stream->is_full || stream->lacks_memory;
}

// As long as the log keeps what waits, it may wait there.
static bool has_room(const struct log_stream *stream)
{
    size_t enough = 2 * (size_t)stream->options.bytes;
    size_t half = stream->queue.most_bytes / 2;
    return stream->queue.bytes < (enough < half ? enough : half);
}

// When the log is about to lap the stream, matching goes on.
static bool is_pressed(const struct log_stream *stream)
{
    struct event_log *log = stream->source->log;
    return event_log_next(log) - stream->next > event_log_capacity(log) / 2;
}

// The next run of the log, when all of the one before was looked at. False when none is there.
static bool take_run(struct log_stream *stream)
{
    if (stream->run.block != NULL && stream->place < stream->run.end)
        return true;
    bool open = event_reader_take(stream->reader, 0, &stream->run);
    stream->place = stream->run.begin;
    if (stream->run.missed > 0)
        note_missed(stream, stream->run.missed);
    if (stream->run.block != NULL)
        return true;
    if (!open)
        stream->end = STREAM_END_RUN_OVER;
    else if (!stream->options.follow && stream->next >= stream->opened_next && !is_done(stream))
        stream->end = STREAM_END_BACKLOG;
    return false;
}

// Whether there is more to look at now: a step has a bound.
static bool take_events(struct log_stream *stream)
{
    bool pressed = is_pressed(stream);
    for (unsigned runs = 0; runs < RUNS_A_STEP; runs++) {
        if (is_done(stream) || !(pressed || has_room(stream)) || !take_run(stream))
            return false;
        while (stream->place < stream->run.end && !is_done(stream) && (pressed || has_room(stream)))
            look_at(stream, stream->run.block, stream->place++);
    }
    return !is_done(stream);
}

// Sending.

// The run is over because somebody stopped it: the client is to come again, or to go elsewhere.
static bool is_cut(const struct log_stream *stream)
{
    return stream->end == STREAM_END_RUN_OVER && control_was_stopped(stream->stream.api->control);
}

static bool is_caught_up(const struct log_stream *stream)
{
    return stream->queue.head == NULL && stream->next >= event_log_next(stream->source->log);
}

// Whether entries are worth a message: enough, or waiting long enough, or nothing else to wait for.
static bool is_batch_due(const struct log_stream *stream, int64_t now_ns)
{
    const struct stream_queue *queue = &stream->queue;
    return queue->head != NULL &&
           (queue->events >= stream->options.events || queue->bytes >= stream->options.bytes ||
            queue->head->is_gap || now_ns - queue->head->queued_ns >= stream->options.delay_ns ||
            stream->next < stream->opened_next || stream->end != STREAM_END_NONE);
}

// The first time also as soon as the backlog is told.
static bool is_beat_due(const struct log_stream *stream, int64_t now_ns)
{
    bool arrived = stream->options.follow && !stream->told_caught_up && is_caught_up(stream);
    return stream->end == STREAM_END_NONE && (now_ns >= stream->beat_ns || arrived);
}

// Gaps, then events up to the next gap. Returns the sequence behind them.
static uint64_t add_entries(struct log_stream *stream, struct stream_message *message, uint64_t oldest)
{
    const struct stream_options *options = &stream->options;
    uint64_t next = stream->next;
    unsigned events = 0;
    for (struct stream_entry *entry = stream->queue.head; entry != NULL; entry = stream->queue.head) {
        bool fits = entry->is_gap ? events == 0
                                  : events == 0 || (events < options->events &&
                                                    message->bytes.length + entry->length <= options->bytes);
        if (!fits)
            return next;
        stream_queue_take(&stream->queue);
        stream_message_add(message, entry, oldest);
        events += !entry->is_gap;
        stream->sent += !entry->is_gap;
        next = entry->sequence + 1;
        free(entry);
    }
    return stream->next; // past what the filter kept back, too
}

static void add_beat(struct log_stream *stream, struct stream_message *message, int64_t now_ns,
                     const struct snapshot *snapshot, const struct stream_oldest *oldest)
{
    struct stream_pulse pulse = {.time_ns = stream->log_ns != INT64_MIN ? stream->log_ns : 0,
                                 .last_sequence = event_log_next(stream->source->log) - 1,
                                 .dropped = stream->queue.dropped,
                                 .caught_up = is_caught_up(stream),
                                 .snapshot = snapshot};
    if (stream->queue.head != NULL)
        pulse.time_ns = stream->queue.head->time_ns;
    else if (pulse.caught_up && snapshot != NULL && snapshot->now_ns > pulse.time_ns)
        pulse.time_ns = snapshot->now_ns; // the snapshot is older than the look at the log
    stream_message_beat(message, &pulse, oldest);
    stream->told_caught_up |= pulse.caught_up;
    stream->beat_ns = now_ns + stream->options.heartbeat_ns;
}

// Until the gap of a cursor of another start or sensor was sent, that cursor stands: with it the gap is told again.
static bool write_cursor(const struct log_stream *stream, bool first, uint64_t next, char into[CURSOR_BYTES])
{
    bool elsewhere = stream->options.from == FROM_CURSOR && stream->options.cursor != CURSOR_OURS;
    if (!first || !elsewhere)
        return cursor_write(stream->stream.api, stream->source->ops->log, next, into);
    memcpy(into, stream->options.resumed, CURSOR_BYTES);
    return true;
}

// False without memory: nothing was sent, and what it was of is gone.
static bool send_message(struct log_stream *stream, int64_t now_ns, const struct snapshot *snapshot,
                         struct reply *reply)
{
    struct stream_message message;
    struct stream_oldest oldest = {.sequence = stream->next};
    char cursor[CURSOR_BYTES] = "";
    bool first = !stream->started, gap = stream->queue.head != NULL && stream->queue.head->is_gap;
    stream_message_init(&message, stream->stream.caller.limits);
    if (first || gap)
        oldest = find_oldest(stream->source);
    // The first one tells where the stream stands before anything is sent.
    uint64_t next = first ? stream->begin : add_entries(stream, &message, oldest.sequence);
    if (first)
        stream_message_start(&message, &stream->options, &oldest);
    else if (is_beat_due(stream, now_ns)) {
        oldest = find_oldest(stream->source);
        add_beat(stream, &message, now_ns, snapshot, &oldest);
    }
    if (!first && stream->end != STREAM_END_NONE && stream->queue.head == NULL && !is_cut(stream))
        stream_message_end(&message, stream->end, stream->sent, stream->queue.dropped);
    stream->started = true;
    if (stream->source->ops->add != NULL)
        stream->source->ops->add(stream->source, &message.bytes);
    bool good = write_cursor(stream, first, next, cursor);
    stream_message_identify(&message, control_node(stream->stream.api->control), stream->stream.api->instance,
                            cursor);
    good = good && stream_message_pack(&message);
    if (good)
        reply->ops->send(reply, (const uint8_t *)message.bytes.text, message.bytes.length);
    stream_message_done(&message);
    return good;
}

static enum stream_state fail(struct log_stream *stream, struct reply *reply)
{
    struct status status = STATUS_FINE;
    if (stream->is_full)
        status_set(&status, STATUS_RESOURCE_EXHAUSTED, "SLOW_READER",
                   "more than %zu bytes waited to be read: resume after the last cursor",
                   stream->queue.most_bytes);
    else
        status_set(&status, STATUS_RESOURCE_EXHAUSTED, "EXHAUSTED", "no memory for the stream: resume it");
    return stream_end(reply, &status);
}

static enum stream_state close_stream(struct log_stream *stream, struct reply *reply)
{
    struct status status = STATUS_FINE;
    if (is_cut(stream))
        stream_tell_end(&status);
    return stream_end(reply, &status);
}

// What one stream may keep waiting: what it asked for, and no more than its share of what all may.
static void share_room(struct log_stream *stream)
{
    unsigned streams = atomic_load(&stream->stream.api->streams);
    size_t share = stream->stream.api->queue_bytes / (streams > 0 ? streams : 1);
    stream->queue.most_bytes = share < stream->options.queue_bytes ? share : stream->options.queue_bytes;
}

static enum stream_state send_next(struct log_stream *stream, int64_t now_ns, const struct snapshot *snapshot,
                                   struct reply *reply)
{
    bool over = stream->started && stream->end != STREAM_END_NONE && stream->queue.head == NULL;
    if (stream->started && !over && !is_batch_due(stream, now_ns) && !is_beat_due(stream, now_ns))
        return STREAM_WAITS;
    if (over && is_cut(stream))
        return close_stream(stream, reply);
    bool was_started = stream->started;
    if (!send_message(stream, now_ns, snapshot, reply)) {
        stream->lacks_memory = true;
        return fail(stream, reply);
    }
    over = was_started && stream->end != STREAM_END_NONE && stream->queue.head == NULL;
    return over ? close_stream(stream, reply) : STREAM_GOES_ON;
}

static enum stream_state step(struct stream *any, int64_t now_ns, bool ready, struct reply *reply)
{
    struct log_stream *stream = log_stream_of(any);
    const struct snapshot *snapshot = control_snapshot(any->api->control); // before the log is looked at
    enum stream_state state = STREAM_WAITS;
    if (stream->beat_ns == 0)
        stream->beat_ns = now_ns + stream->options.heartbeat_ns;
    stream->stepped_ns = now_ns;
    stream->is_blocked = !ready;
    share_room(stream);
    bool more = take_events(stream);
    stream_count_dropped(any, stream->options.policy, stream->queue.dropped);
    if (stream->is_full || stream->lacks_memory)
        state = fail(stream, reply);
    else if (ready)
        state = send_next(stream, now_ns, snapshot, reply);
    snapshot_release(snapshot);
    return state == STREAM_WAITS && more ? STREAM_GOES_ON : state;
}

static int64_t earlier(int64_t one_ns, int64_t other_ns)
{
    return one_ns < other_ns ? one_ns : other_ns;
}

// Once something was sent the stream is stepped again at once, so that `is_blocked` is of now.
static int64_t due_ns(const struct stream *any)
{
    const struct log_stream *stream = (const struct log_stream *)any;
    const struct stream_entry *head = stream->queue.head;
    bool takes = !is_done(stream) && has_room(stream);
    if (takes && event_log_is_ahead(stream->source->log, stream->next))
        return stream->stepped_ns;
    int64_t due_ns = stream->stepped_ns + (takes ? LOOK_MS : CROWDED_LOOK_MS) * NS_PER_MS;
    if (stream->is_blocked)
        return due_ns;
    due_ns = earlier(due_ns, stream->beat_ns);
    return head != NULL ? earlier(due_ns, head->queued_ns + stream->options.delay_ns) : due_ns;
}

static const struct stream_ops log_stream_ops = {step, due_ns, done};

static enum stream_kind kind_of(enum cursor_log log)
{
    return log == CURSOR_FLOWS    ? STREAM_OF_FLOWS
           : log == CURSOR_ALERTS ? STREAM_OF_ALERTS
                                  : STREAM_OF_PACKETS;
}

struct stream *log_stream_create(struct call *call, struct stream_source *take_source,
                                 const struct stream_options *options)
{
    struct log_stream *stream =
        stream_create(call, kind_of(take_source->ops->log), &log_stream_ops, sizeof *stream);
    if (stream == NULL) {
        take_source->ops->destroy(take_source);
        return NULL;
    }
    stream->source = take_source;
    stream->options = *options;
    stream_queue_init(&stream->queue, options->queue_bytes);
    if (open_stream(stream))
        return &stream->stream;
    stream_destroy(&stream->stream);
    stream_lacks_memory(call);
    return NULL;
}
