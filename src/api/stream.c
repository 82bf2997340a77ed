#include "api/stream.h"

#include <assert.h>
#include <stdlib.h>

#include "api/call.h"

enum stream_state stream_step(struct stream *stream, int64_t now_ns, bool ready, struct reply *reply)
{
    struct status status = STATUS_FINE;
    if (!caller_is_current(&stream->caller, &status))
        return stream_end(reply, &status);
    return stream->ops->step(stream, now_ns, ready, reply);
}

int64_t stream_due_ns(const struct stream *stream)
{
    return stream->ops->due_ns(stream);
}

void stream_destroy(struct stream *stream)
{
    if (stream == NULL)
        return;
    stream->ops->done(stream);
    caller_release(&stream->caller);
    atomic_fetch_sub(&stream->api->stream_counts[stream->kind].open, 1);
    unsigned before = atomic_fetch_sub(&stream->api->streams, 1);
    assert(before > 0);
    free(stream);
}

// False when there are as many as there may be.
static bool count_in(struct call *call)
{
    if (atomic_fetch_add(&call->api->streams, 1) < STREAMS_MOST)
        return true;
    atomic_fetch_sub(&call->api->streams, 1);
    return status_set(&call->status, STATUS_RESOURCE_EXHAUSTED, "STREAM_LIMIT",
                      "%d streams are open, which is the most: try again when one has ended", STREAMS_MOST);
}

void *stream_create(struct call *call, enum stream_kind kind, const struct stream_ops *ops, size_t bytes)
{
    assert(bytes >= sizeof(struct stream));
    if (!count_in(call))
        return NULL;
    struct stream *stream = calloc(1, bytes);
    if (stream == NULL) {
        atomic_fetch_sub(&call->api->streams, 1);
        stream_lacks_memory(call);
        return NULL;
    }
    *stream =
        (struct stream){.ops = ops, .kind = kind, .api = call->api, .caller = caller_hold(call->caller)};
    atomic_fetch_add(&call->api->stream_counts[kind].open, 1);
    return stream;
}

void stream_count_dropped(struct stream *stream, enum stream_policy policy, uint64_t so_far)
{
    assert(so_far >= stream->dropped);
    atomic_fetch_add(&stream->api->stream_counts[stream->kind].dropped[policy], so_far - stream->dropped);
    stream->dropped = so_far;
}

bool stream_lacks_memory(struct call *call)
{
    return status_set(&call->status, STATUS_RESOURCE_EXHAUSTED, "EXHAUSTED", "no memory for the stream");
}

bool stream_tell_end(struct status *status)
{
    return status_set(status, STATUS_UNAVAILABLE, "SENSOR_ENDS",
                      "the sensor ends: resume after the last cursor when it has started anew");
}

enum stream_state stream_end(struct reply *reply, const struct status *status)
{
    reply->ops->end(reply, status);
    return STREAM_OVER;
}
