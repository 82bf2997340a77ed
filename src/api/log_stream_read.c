// Reading the log: what the stream lets through is queued, and what the log has no more is a gap.
#include <assert.h>

#include "api/log_stream.h"

enum { RUNS_A_STEP = 32 };

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

bool log_stream_is_done(const struct log_stream *stream)
{
    return stream->end != STREAM_END_NONE || stream->is_full || stream->lacks_memory;
}

bool log_stream_has_room(const struct log_stream *stream)
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
    else if (!stream->options.follow && stream->next >= stream->opened_next && !log_stream_is_done(stream))
        stream->end = STREAM_END_BACKLOG;
    return false;
}

bool log_stream_read(struct log_stream *stream)
{
    bool pressed = is_pressed(stream);
    for (unsigned runs = 0; runs < RUNS_A_STEP; runs++) {
        if (log_stream_is_done(stream) || !(pressed || log_stream_has_room(stream)) || !take_run(stream))
            return false;
        while (stream->place < stream->run.end && !log_stream_is_done(stream) &&
               (pressed || log_stream_has_room(stream)))
            look_at(stream, stream->run.block, stream->place++);
    }
    return !log_stream_is_done(stream);
}
