// StreamPcap: packets as pcapng, as they come. What is sent is whole blocks, so that the messages so far are a file.
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "api/filter_request.h"
#include "api/packet_call.h"
#include "api/pcap_tap.h"
#include "api/stream.h"
#include "base/log.h"
#include "base/time.h"
#include "capture/filter.h"
#include "capture/link_type.h"
#include "capture/record/pcap_encode.h"
#include "netscope/v1/packet.pb-c.h"

typedef Netscope__V1__StreamPcapRequest Request;
typedef Netscope__V1__StreamPcapResponse Response;

enum {
    MOST_PACKETS = 10000000,
    MOST_BYTES = 1 << 30,
    MOST_SECONDS = 3600,
    FILTER_BYTES = 2048,
    MESSAGE_BYTES = 256 << 10, // and the packet that passes it
    ROOM_BYTES = MESSAGE_BYTES + FRAME_CAPTURED_MAX + 1024,
    HEAD_BYTES = 16 << 10,
    LOOK_EVERY_MS = 10,
    GRACE_S = 10, // for a reader who is slow to take what came within max_duration
};

enum pcap_end {
    PCAP_GOES_ON,
    PCAP_MAX_PACKETS,
    PCAP_MAX_BYTES,
    PCAP_MAX_DURATION,
    PCAP_RUN_OVER,
};
#define SAME(end)                                                                                            \
    static_assert((int)PCAP_##end == (int)NETSCOPE__V1__PCAP_END_REASON__PCAP_END_REASON_##end, #end)
SAME(MAX_PACKETS);
SAME(MAX_BYTES);
SAME(MAX_DURATION);
SAME(RUN_OVER);
#undef SAME
static const char *const end_names[] = {"the client left", "max_packets", "max_bytes", "max_duration",
                                        "the run is over"};

struct pcap_stream {
    struct stream stream; // first
    struct pcap_tap *tap;
    char filter[FILTER_BYTES + 1];
    uint32_t snaplen;
    uint64_t max_packets, max_bytes;
    int64_t max_ns;
    int64_t opened_ns, stepped_ns; // 0 = not yet
    bool started;
    bool late;             // max_duration has passed...
    uint64_t late_offered; // ...when so many packets had come
    enum pcap_end end;
    uint64_t taken, packets, bytes;
    struct pcap_encoder encoder;
    size_t length; // of the message that is being made
    uint8_t *message;
};

// Requests.

static uint64_t bounded(uint64_t wanted, uint64_t most)
{
    return wanted == 0 || wanted > most ? most : wanted;
}

static void take_interfaces(struct call *call, const Request *request, struct pcap_want *want)
{
    if (request->n_interfaces > PCAP_INTERFACES)
        status_violate(&call->status, "interfaces", "at most %d can be named", PCAP_INTERFACES);
    for (size_t i = 0; i < request->n_interfaces && i < PCAP_INTERFACES; i++) {
        size_t length = strlen(request->interfaces[i]);
        if (length == 0 || length >= PCAP_INTERFACE_BYTES)
            status_violate(&call->status, "interfaces", "a name has 1 to %d bytes", PCAP_INTERFACE_BYTES - 1);
        else
            memcpy(want->interfaces[want->interface_count++], request->interfaces[i], length + 1);
    }
}

// Compiled for every interface there is: the source's thread need not.
static void ready_filter(struct filter *filter, const struct source *source)
{
    for (unsigned i = 0; i < source_interfaces(source); i++) {
        static const uint8_t nothing[1];
        struct frame frame = {.bytes = nothing, .link_type = source_interface(source, i)->link_type};
        filter_accepts(filter, &frame);
    }
}

static void take_filter(struct call *call, const char *expression, struct pcap_want *want)
{
    const struct source *source = control_source(call->api->control);
    unsigned link_type =
        source_interfaces(source) > 0 ? source_interface(source, 0)->link_type : LINK_TYPE_ETHERNET;
    struct error error;
    if (expression[0] == '\0')
        return;
    if (strlen(expression) > FILTER_BYTES) {
        status_violate(&call->status, "filter", "it has more than %d bytes", FILTER_BYTES);
        return;
    }
    want->take_filter = filter_create(expression, (uint16_t)link_type, &error);
    if (want->take_filter != NULL)
        ready_filter(want->take_filter, source);
    else if (error.kind == ERROR_INVALID_ARGUMENT)
        status_violate(&call->status, "filter", "%s", error.text);
    else
        status_from_error(&call->status, &error);
}

static bool take_bounds(struct call *call, const Request *request, struct pcap_stream *stream)
{
    stream->snaplen = (uint32_t)bounded(request->snaplen, FRAME_CAPTURED_MAX);
    stream->max_packets = bounded(request->max_packets, MOST_PACKETS);
    stream->max_bytes = bounded(request->max_bytes, MOST_BYTES);
    duration_take(&call->status, "max_duration", request->max_duration, 1, INT64_MAX, MOST_SECONDS * NS_PER_S,
                  &stream->max_ns);
    if (stream->max_ns > MOST_SECONDS * NS_PER_S)
        stream->max_ns = MOST_SECONDS * NS_PER_S;
    return call->status.code == STATUS_OK;
}

// Messages.

// The section, and the interfaces that there are: libpcap reads no file without any.
static void encode_head(struct pcap_stream *stream, const struct pcap_want *want)
{
    const struct source *source = control_source(stream->stream.api->control);
    pcap_encoder_init(&stream->encoder, PCAP_FORMAT_PCAPNG);
    stream->length = pcap_encoder_header(&stream->encoder, LINK_TYPE_ETHERNET, stream->message);
    unsigned count = source_interfaces(source);
    for (unsigned i = 0; i < count && stream->length < HEAD_BYTES; i++) {
        bool last = i + 1 == count && stream->encoder.described == 0;
        if (last || pcap_want_has(want, source_interface(source, i)))
            stream->length += pcap_encoder_interface(
                &stream->encoder, (uint16_t)i, source_interface(source, i), stream->message + stream->length);
    }
}

static void encode(struct pcap_stream *stream, const struct frame *frame)
{
    const struct source *source = control_source(stream->stream.api->control);
    assert(stream->length + pcap_encoder_bound(frame->captured) <= ROOM_BYTES);
    size_t bytes = pcap_encoder_frame(&stream->encoder, frame, source_interface(source, frame->interface),
                                      stream->message + stream->length);
    if (stream->bytes + stream->length + bytes > stream->max_bytes) {
        stream->end = PCAP_MAX_BYTES;
        return;
    }
    stream->length += bytes;
    if (++stream->packets == stream->max_packets)
        stream->end = PCAP_MAX_PACKETS;
}

// Packets that wait, as many as a message takes.
static void fill(struct pcap_stream *stream)
{
    const struct own_connections *own = control_own_connections(stream->stream.api->control);
    struct tap *ring = pcap_tap_ring(stream->tap);
    struct frame frame;
    uint64_t number;
    while (stream->end == PCAP_GOES_ON && stream->length < MESSAGE_BYTES && tap_take(ring, &frame, &number)) {
        if (!frame_is_own(own, &frame))
            encode(stream, &frame);
        tap_release(ring);
        stream->taken++;
    }
}

// What had come by then is told still; a busy ring is never empty.
static bool is_late(struct pcap_stream *stream, int64_t now_ns)
{
    struct tap_counts counts = tap_counts(pcap_tap_ring(stream->tap));
    if (now_ns - stream->opened_ns < stream->max_ns)
        return false;
    if (!stream->late)
        stream->late_offered = counts.offered;
    stream->late = true;
    return stream->taken + counts.dropped >= stream->late_offered;
}

static void build_start(struct pcap_stream *stream, struct build *build, Response *response)
{
    Netscope__V1__PcapStart *start = build_part(build, sizeof *start);
    if (start == NULL)
        return;
    netscope__v1__pcap_start__init(start);
    start->snaplen = stream->snaplen;
    start->max_packets = stream->max_packets;
    start->max_bytes = stream->max_bytes;
    start->max_duration = build_duration(build, stream->max_ns);
    response->start = start;
}

static void build_end(const struct pcap_stream *stream, struct build *build, Response *response)
{
    Netscope__V1__PcapEnd *end = build_part(build, sizeof *end);
    if (end == NULL)
        return;
    netscope__v1__pcap_end__init(end);
    end->reason = (Netscope__V1__PcapEndReason)stream->end;
    end->packets = stream->packets;
    end->bytes = stream->bytes;
    end->dropped = tap_counts(pcap_tap_ring(stream->tap)).dropped;
    response->end = end;
}

// False without memory.
static bool send(struct pcap_stream *stream, struct reply *reply)
{
    const struct api *api = stream->stream.api;
    Response response;
    struct build build;
    size_t length;
    build_init(&build);
    netscope__v1__stream_pcap_response__init(&response);
    response.node = build_text(&build, control_node(api->control));
    response.instance_id = build_borrowed(api->instance);
    response.data = (ProtobufCBinaryData){stream->length, stream->message};
    stream->bytes += stream->length;
    stream->length = 0;
    if (!stream->started)
        build_start(stream, &build, &response);
    if (stream->end != PCAP_GOES_ON)
        build_end(stream, &build, &response);
    stream->started = true;
    uint8_t *bytes = build_packed(&build, &response.base, &length);
    bool good = !build.failed;
    if (good)
        reply->ops->send(reply, bytes, length);
    build_done(&build);
    return good;
}

// The stream.

static void count_dropped(struct pcap_stream *stream)
{
    uint64_t dropped = tap_counts(pcap_tap_ring(stream->tap)).dropped;
    stream_count_dropped(&stream->stream, STREAM_DROP_NEWEST, dropped);
}

static enum stream_state send_next(struct pcap_stream *stream, struct reply *reply)
{
    struct status status = STATUS_FINE;
    if (!send(stream, reply))
        status_set(&status, STATUS_RESOURCE_EXHAUSTED, "EXHAUSTED", "no memory for the packets");
    else if (stream->end == PCAP_GOES_ON)
        return STREAM_GOES_ON;
    return stream_end(reply, &status);
}

// A reader who is behind holds one of few captures: no longer than its bound and some.
static enum stream_state wait_for_reader(const struct pcap_stream *stream, int64_t now_ns,
                                         struct reply *reply)
{
    struct status status = STATUS_FINE;
    if (now_ns - stream->opened_ns < stream->max_ns + GRACE_S * NS_PER_S)
        return STREAM_WAITS;
    status_set(
        &status, STATUS_RESOURCE_EXHAUSTED, "SLOW_READER",
        "max_duration is over for %d s and what was captured is not read: read faster, or ask for less",
        GRACE_S);
    return stream_end(reply, &status);
}

static enum stream_state step(struct stream *any, int64_t now_ns, bool ready, struct reply *reply)
{
    struct pcap_stream *stream = (struct pcap_stream *)any;
    bool over = control_is_over(any->api->control); // before the ring is looked at
    stream->stepped_ns = now_ns;
    if (stream->opened_ns == 0)
        stream->opened_ns = now_ns;
    if (!ready)
        return wait_for_reader(stream, now_ns, reply);
    if (!stream->started)
        return send_next(stream, reply); // the head
    bool late = is_late(stream, now_ns);
    fill(stream);
    count_dropped(stream);
    if (stream->end == PCAP_GOES_ON && stream->length < MESSAGE_BYTES && (late || over))
        stream->end = late ? PCAP_MAX_DURATION : PCAP_RUN_OVER;
    bool nothing = stream->end == PCAP_GOES_ON && stream->length == 0;
    return nothing ? STREAM_WAITS : send_next(stream, reply);
}

static int64_t due_ns(const struct stream *any)
{
    return ((const struct pcap_stream *)any)->stepped_ns + LOOK_EVERY_MS * NS_PER_MS;
}

static void tell(const struct pcap_stream *stream)
{
    log_info("api",
             "StreamPcap of %s is over (%s): %" PRIu64 " packets, %" PRIu64 " bytes, %" PRIu64
             " dropped; filter \"%s\"",
             stream->stream.caller.identity, end_names[stream->end], stream->packets, stream->bytes,
             tap_counts(pcap_tap_ring(stream->tap)).dropped, stream->filter);
}

static void done(struct stream *any)
{
    struct pcap_stream *stream = (struct pcap_stream *)any;
    if (stream->tap != NULL) {
        count_dropped(stream);
        tell(stream);
    }
    pcap_tap_destroy(stream->tap);
    free(stream->message);
    unsigned before = atomic_fetch_sub(&any->api->pcap_streams, 1);
    assert(before > 0);
}

static const struct stream_ops ops = {step, due_ns, done};

static bool count_in(struct call *call)
{
    if (atomic_fetch_add(&call->api->pcap_streams, 1) < PCAP_STREAMS)
        return true;
    atomic_fetch_sub(&call->api->pcap_streams, 1);
    return status_set(&call->status, STATUS_RESOURCE_EXHAUSTED, "STREAM_LIMIT",
                      "%d captures are open, which is the most: try again when one has ended", PCAP_STREAMS);
}

static struct pcap_stream *create(struct call *call)
{
    if (!count_in(call))
        return NULL;
    struct pcap_stream *stream = stream_create(call, STREAM_OF_PCAP, &ops, sizeof *stream);
    if (stream == NULL) {
        atomic_fetch_sub(&call->api->pcap_streams, 1);
        return NULL;
    }
    stream->message = malloc(ROOM_BYTES);
    if (stream->message != NULL)
        return stream;
    stream_destroy(&stream->stream);
    stream_lacks_memory(call);
    return NULL;
}

// With all that the request says, in the capture.
static bool open_tap(struct call *call, const Request *request, struct pcap_stream *stream)
{
    struct pcap_want want = {.snaplen = FRAME_CAPTURED_MAX};
    struct error error;
    take_interfaces(call, request, &want);
    take_filter(call, request->filter, &want);
    if (!take_bounds(call, request, stream)) {
        filter_destroy(want.take_filter);
        return false;
    }
    want.snaplen = stream->snaplen;
    memcpy(stream->filter, request->filter, strlen(request->filter) + 1);
    encode_head(stream, &want);
    stream->tap = pcap_tap_create(call->api->control, &want, &error);
    return stream->tap != NULL || status_from_error(&call->status, &error);
}

struct stream *packets_pcap(struct call *call, struct ProtobufCMessage *message)
{
    const Request *request = (const Request *)message;
    if (!packets_may_be_seen(call))
        return NULL;
    struct pcap_stream *stream = create(call);
    if (stream == NULL)
        return NULL;
    if (open_tap(call, request, stream))
        return &stream->stream;
    stream_destroy(&stream->stream);
    return NULL;
}
