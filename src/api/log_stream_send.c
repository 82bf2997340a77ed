// Sending what a stream of an event log has queued: when a message is due, and what stands in it.
#include <stdlib.h>
#include <string.h>

#include "aggregate/snapshot.h"
#include "api/log_stream.h"

struct stream_oldest log_stream_oldest(const struct stream_source *source)
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
        oldest = log_stream_oldest(stream->source);
    // The first one tells where the stream stands before anything is sent.
    uint64_t next = first ? stream->begin : add_entries(stream, &message, oldest.sequence);
    if (first)
        stream_message_start(&message, &stream->options, &oldest);
    else if (is_beat_due(stream, now_ns)) {
        oldest = log_stream_oldest(stream->source);
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

enum stream_state log_stream_fail(struct log_stream *stream, struct reply *reply)
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

enum stream_state log_stream_send(struct log_stream *stream, int64_t now_ns, const struct snapshot *snapshot,
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
        return log_stream_fail(stream, reply);
    }
    over = was_started && stream->end != STREAM_END_NONE && stream->queue.head == NULL;
    return over ? close_stream(stream, reply) : STREAM_GOES_ON;
}
