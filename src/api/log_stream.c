// A stream of an event log: WatchFlows, WatchAlerts. It reads a log at a place of its own, matches while its reader blocks,
// and bounds what waits; the log itself is its longer queue, as long as it laps nobody.
#include <stdlib.h>
#include <string.h>

#include "aggregate/snapshot.h"
#include "api/log_stream.h"
#include "base/time.h"

// The log's bell tells of events. Who has no room looks himself whether the log is about to lap him; each stream looks now
// and then whether its caller may still read it.
enum { CROWDED_LOOK_MS = 20, LOOK_MS = 250 };

static struct log_stream *log_stream_of(struct stream *stream)
{
    return (struct log_stream *)stream;
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
    struct stream_oldest oldest = log_stream_oldest(stream->source);
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

// What one stream may keep waiting: what it asked for, and no more than its share of what all may.
static void share_room(struct log_stream *stream)
{
    unsigned streams = atomic_load(&stream->stream.api->streams);
    size_t share = stream->stream.api->queue_bytes / (streams > 0 ? streams : 1);
    stream->queue.most_bytes = share < stream->options.queue_bytes ? share : stream->options.queue_bytes;
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
    bool more = log_stream_read(stream);
    stream_count_dropped(any, stream->options.policy, stream->queue.dropped);
    if (stream->is_full || stream->lacks_memory)
        state = log_stream_fail(stream, reply);
    else if (ready)
        state = log_stream_send(stream, now_ns, snapshot, reply);
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
    bool takes = !log_stream_is_done(stream) && log_stream_has_room(stream);
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
