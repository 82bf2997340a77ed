#include "http/socket_stream.h"

#include <assert.h>
#include <errno.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <wslay/wslay.h>

#include "api/gate.h"
#include "base/time.h"
#include "http/exchange.h"
#include "http/server_inside.h"

enum {
    TURN_BYTES = 65536,   // read of one before others have their turn
    QUEUED_MESSAGES = 16, // nothing is read while more wait to be sent: pongs, that is
    FRAMES_A_SECOND = 64,
    MESSAGE_BYTES = 4 << 20,
    END_BYTES = 16384,
    REQUEST_S = 10,
    CLOSE_S = 5,
    LAST_CLOSE_S = 1, // when the sensor ends
    STALL_S = 60,
};

static struct socket_stream *stream_of(struct reply *reply)
{
    return (struct socket_stream *)((char *)reply - offsetof(struct socket_stream, reply));
}

// What the runner says, on threads of its own.

static void wake(const struct stream_room *room)
{
    ssize_t written = write(room->event, &(uint64_t){1}, sizeof(uint64_t));
    (void)written; // it is full only if it was not read
}

static void reply_send(struct reply *reply, const uint8_t *bytes, size_t length)
{
    struct socket_stream *stream = stream_of(reply);
    pthread_mutex_lock(&stream->room->lock);
    assert(!stream->has_outgoing && !stream->ended);
    strbuf_clear(&stream->outgoing);
    strbuf_add_bytes(&stream->outgoing, bytes, length);
    stream->has_outgoing = stream->has_news = true;
    wake(stream->room);
    pthread_mutex_unlock(&stream->room->lock);
}

// The stream may be gone as soon as the lock is let go.
static void reply_end(struct reply *reply, const struct status *status)
{
    struct socket_stream *stream = stream_of(reply);
    struct stream_room *room = stream->room;
    pthread_mutex_lock(&room->lock);
    assert(!stream->ended);
    if (status->code == STATUS_OK) {
        strbuf_add(&stream->end, "{}");
    } else {
        strbuf_add(&stream->end, "{\"error\":");
        status_add_json(status, &stream->end);
        strbuf_add(&stream->end, "}");
    }
    stream->ended = stream->has_news = true;
    wake(room);
    pthread_mutex_unlock(&room->lock);
}

static const struct reply_ops reply_ops = {reply_send, reply_end};

// What wslay asks for.

static ssize_t read_early(struct socket_stream *stream, uint8_t *into, size_t room)
{
    size_t left = stream->early.length - stream->early_read, length = left < room ? left : room;
    memcpy(into, stream->early.text + stream->early_read, length);
    stream->early_read += length;
    return (ssize_t)length;
}

static ssize_t on_receive(wslay_event_context_ptr wslay, uint8_t *into, size_t room, int flags,
                          void *argument)
{
    struct socket_stream *stream = argument;
    (void)flags;
    if (stream->early_read < stream->early.length)
        return read_early(stream, into, room);
    bool waits =
        stream->turn_bytes >= TURN_BYTES || wslay_event_get_queued_msg_count(wslay) > QUEUED_MESSAGES;
    ssize_t got = waits ? -1 : recv(stream->descriptor, into, room, MSG_DONTWAIT);
    if (got > 0) {
        stream->turn_bytes += (size_t)got;
        return got;
    }
    bool later = waits || (got < 0 && (errno == EAGAIN || errno == EINTR));
    stream->lost |= !later;
    wslay_event_set_error(wslay, later ? WSLAY_ERR_WOULDBLOCK : WSLAY_ERR_CALLBACK_FAILURE);
    return -1;
}

static ssize_t on_send(wslay_event_context_ptr wslay, const uint8_t *bytes, size_t length, int flags,
                       void *argument)
{
    struct socket_stream *stream = argument;
    int more = (flags & WSLAY_MSG_MORE) != 0 ? MSG_MORE : 0;
    ssize_t sent = send(stream->descriptor, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL | more);
    if (sent >= 0) {
        stream->progress_ns = INT64_MAX; // until it has to wait again
        return sent;
    }
    bool later = errno == EAGAIN || errno == EINTR;
    stream->lost |= !later;
    wslay_event_set_error(wslay, later ? WSLAY_ERR_WOULDBLOCK : WSLAY_ERR_CALLBACK_FAILURE);
    return -1;
}

static void close_with(struct socket_stream *stream, uint16_t code, const char *why)
{
    wslay_event_queue_close(stream->wslay, code, (const uint8_t *)why, strlen(why));
    stream->stage = STAGE_CLOSING;
}

// As close_with(), and what the client sends from then on is not even read.
static void refuse(struct socket_stream *stream, uint16_t code, const char *why)
{
    if (stream->stage != STAGE_CLOSING)
        close_with(stream, code, why);
    wslay_event_shutdown_read(stream->wslay);
}

static void ask(struct socket_stream *stream)
{
    stream->call.request = (struct request){.format = REQUEST_PROTO,
                                            .bytes = (const uint8_t *)stream->request.text,
                                            .length = stream->request.length};
    stream->stage = STAGE_ASKED;
    stream->asked = true;
    stream->deadline_ns = INT64_MAX;
    runner_begin(stream->room->runner, &stream->call);
}

// Judged by its head: a message without an end, or in pieces of nothing, never gets to be a message.
static void on_frame(wslay_event_context_ptr wslay, const struct wslay_event_on_frame_recv_start_arg *frame,
                     void *argument)
{
    struct socket_stream *stream = argument;
    (void)wslay;
    stream->gathers = !wslay_is_ctrl_frame(frame->opcode) && stream->stage == STAGE_REQUEST;
    if (++stream->frames > FRAMES_A_SECOND)
        refuse(stream, WSLAY_CODE_POLICY_VIOLATION, "too many frames: send the request in one");
    else if (!wslay_is_ctrl_frame(frame->opcode) && stream->stage == STAGE_ASKED)
        refuse(stream, WSLAY_CODE_POLICY_VIOLATION, "one request is all that a stream takes");
}

static void on_bytes(wslay_event_context_ptr wslay, const struct wslay_event_on_frame_recv_chunk_arg *chunk,
                     void *argument)
{
    struct socket_stream *stream = argument;
    (void)wslay;
    if (!stream->gathers || stream->stage != STAGE_REQUEST)
        return;
    strbuf_add_bytes(&stream->request, chunk->data, chunk->data_length);
    if (stream->request.failed)
        refuse(stream, WSLAY_CODE_MESSAGE_TOO_BIG, "the request is too long");
}

static void on_message(wslay_event_context_ptr wslay, const struct wslay_event_on_msg_recv_arg *message,
                       void *argument)
{
    struct socket_stream *stream = argument;
    (void)wslay;
    if (message->opcode == WSLAY_CONNECTION_CLOSE)
        stream->breached |= message->msg_length == 1; // half a code, which wslay takes for none
    else if (wslay_is_ctrl_frame(message->opcode) || stream->stage != STAGE_REQUEST)
        return;
    else if (message->opcode == WSLAY_BINARY_FRAME)
        ask(stream);
    else
        close_with(stream, WSLAY_CODE_UNSUPPORTED_DATA, "the request is a binary message");
}

// Life.

struct socket_stream *socket_stream_create(struct exchange *exchange)
{
    struct socket_stream *stream = calloc(1, sizeof *stream);
    if (stream == NULL)
        return NULL;
    stream->descriptor = -1;
    stream->caller = exchange->caller;
    exchange->has_caller = false;
    exchange->caller = (struct caller){0};
    stream->call.method = exchange->call.method;
    stream->call.caller = &stream->caller;
    stream->call.reply = &stream->reply;
    stream->reply.ops = &reply_ops;
    strbuf_init(&stream->early, TURN_BYTES);
    strbuf_init(&stream->request, GATE_BYTES);
    strbuf_init(&stream->outgoing, MESSAGE_BYTES);
    strbuf_init(&stream->end, END_BYTES);
    return stream;
}

static void close_descriptor(struct socket_stream *stream)
{
    if (stream->handle != NULL)
        MHD_upgrade_action(stream->handle, MHD_UPGRADE_ACTION_CLOSE);
    stream->handle = NULL;
    stream->stage = STAGE_GONE;
}

void socket_stream_destroy(struct socket_stream *stream)
{
    if (stream == NULL)
        return;
    close_descriptor(stream);
    if (stream->wslay != NULL)
        wslay_event_context_free(stream->wslay);
    caller_release(&stream->caller);
    strbuf_done(&stream->early);
    strbuf_done(&stream->request);
    strbuf_done(&stream->outgoing);
    strbuf_done(&stream->end);
    free(stream);
}

bool socket_stream_open(struct socket_stream *stream, struct stream_room *room,
                        const struct upgraded *upgraded, int64_t now_ns)
{
    static const struct wslay_event_callbacks callbacks = {.recv_callback = on_receive,
                                                           .send_callback = on_send,
                                                           .on_frame_recv_start_callback = on_frame,
                                                           .on_frame_recv_chunk_callback = on_bytes,
                                                           .on_msg_recv_callback = on_message};
    stream->room = room;
    stream->handle = upgraded->handle;
    stream->descriptor = upgraded->descriptor;
    stream->deadline_ns = now_ns + REQUEST_S * NS_PER_S;
    stream->progress_ns = INT64_MAX;
    stream->has_news = true; // what came early
    strbuf_add_bytes(&stream->early, upgraded->early, upgraded->early_bytes);
    if (stream->early.failed || wslay_event_context_server_init(&stream->wslay, &callbacks, stream) != 0)
        return false;
    // It would keep an allocation of its own for each frame: `request` is what there is of a message.
    wslay_event_config_set_no_buffering(stream->wslay, 1);
    wslay_event_config_set_max_recv_msg_length(stream->wslay, GATE_BYTES); // of a frame
    return true;
}

bool socket_stream_is_over(const struct socket_stream *stream)
{
    bool ended = true;
    if (stream->stage != STAGE_GONE)
        return false;
    if (stream->asked) {
        pthread_mutex_lock(&stream->room->lock);
        ended = stream->ended;
        pthread_mutex_unlock(&stream->room->lock);
    }
    return ended;
}

// The call's end is awaited still.
static void cancel(struct socket_stream *stream)
{
    pthread_mutex_lock(&stream->room->lock);
    if (stream->asked && !stream->ended && !stream->cancelled)
        runner_cancel(stream->room->runner, &stream->call);
    stream->cancelled = true;
    pthread_mutex_unlock(&stream->room->lock);
}

void socket_stream_cut(struct socket_stream *stream)
{
    cancel(stream);
    close_descriptor(stream);
}

void socket_stream_go_away(struct socket_stream *stream, int64_t now_ns)
{
    int64_t last_ns = now_ns + LAST_CLOSE_S * NS_PER_S;
    if (stream->stage == STAGE_REQUEST)
        close_with(stream, WSLAY_CODE_GOING_AWAY, "the sensor ends");
    if (stream->stage == STAGE_CLOSING && stream->deadline_ns > last_ns)
        stream->deadline_ns = last_ns;
}

// A turn.

bool socket_stream_has_news(struct socket_stream *stream)
{
    pthread_mutex_lock(&stream->room->lock);
    bool news = stream->has_news;
    stream->has_news = false;
    pthread_mutex_unlock(&stream->room->lock);
    return news;
}

short socket_stream_events(const struct socket_stream *stream)
{
    bool reads = stream->stage != STAGE_GONE && wslay_event_want_read(stream->wslay) &&
                 wslay_event_get_queued_msg_count(stream->wslay) <= QUEUED_MESSAGES;
    bool writes = stream->stage != STAGE_GONE && wslay_event_want_write(stream->wslay);
    return (short)((reads ? POLLIN : 0) | (writes ? POLLOUT : 0));
}

// A message that has no memory is not left out: nobody would tell the client of the gap.
static void queue(struct socket_stream *stream, uint8_t opcode, const struct strbuf *text)
{
    struct wslay_event_msg message = {opcode, (const uint8_t *)text->text, text->length};
    if (text->failed || wslay_event_queue_msg(stream->wslay, &message) != 0)
        refuse(stream, WSLAY_CODE_INTERNAL_SERVER_ERROR, "no memory for a message");
}

// What the runner said goes to wslay's queue, in its order.
static void take_outgoing(struct socket_stream *stream)
{
    pthread_mutex_lock(&stream->room->lock);
    if (stream->has_outgoing && stream->stage == STAGE_ASKED) {
        queue(stream, WSLAY_BINARY_FRAME, &stream->outgoing);
        strbuf_done(&stream->outgoing); // wslay has its own
        strbuf_init(&stream->outgoing, MESSAGE_BYTES);
        stream->has_outgoing = false;
        stream->in_flight = true;
    }
    if (stream->ended && stream->stage == STAGE_ASKED && !stream->told_end) {
        queue(stream, WSLAY_TEXT_FRAME, &stream->end);
        stream->told_end = true;
    }
    pthread_mutex_unlock(&stream->room->lock);
}

static void tell_ready(struct socket_stream *stream)
{
    if (!stream->in_flight || wslay_event_get_queued_msg_count(stream->wslay) > 0)
        return;
    stream->in_flight = false;
    pthread_mutex_lock(&stream->room->lock);
    if (!stream->ended)
        runner_ready(stream->room->runner, &stream->call);
    pthread_mutex_unlock(&stream->room->lock);
}

static bool is_late(struct socket_stream *stream, int64_t now_ns)
{
    if (!wslay_event_want_write(stream->wslay))
        stream->progress_ns = INT64_MAX;
    else if (stream->progress_ns == INT64_MAX)
        stream->progress_ns = now_ns;
    return now_ns > stream->deadline_ns ||
           (stream->progress_ns != INT64_MAX && now_ns - stream->progress_ns > STALL_S * NS_PER_S);
}

// wslay closes without a code where a control frame is too long or comes in pieces: ours goes in place of its own.
static void tell_breach(struct socket_stream *stream)
{
    static const uint8_t frame[] = {0x88, 2, WSLAY_CODE_PROTOCOL_ERROR >> 8,
                                    WSLAY_CODE_PROTOCOL_ERROR & 0xff};
    ssize_t sent = send(stream->descriptor, frame, sizeof frame, MSG_DONTWAIT | MSG_NOSIGNAL);
    (void)sent; // the connection ends anyway
}

// Whether the connection goes on.
static bool receive(struct socket_stream *stream)
{
    bool within_frame = wslay_event_want_write(stream->wslay);
    bool good = !wslay_event_want_read(stream->wslay) || wslay_event_recv(stream->wslay) == 0;
    stream->breached |= !good && !stream->lost;
    if (stream->breached && within_frame)
        wslay_event_send(stream->wslay);
    else if (stream->breached)
        tell_breach(stream);
    return good && !stream->breached;
}

static bool send_queued(struct socket_stream *stream)
{
    return !wslay_event_want_write(stream->wslay) || wslay_event_send(stream->wslay) == 0;
}

// wslay sends a close ahead of all messages, so ours is queued when the last one is gone.
void socket_stream_turn(struct socket_stream *stream, bool readable, int64_t now_ns)
{
    if (stream->stage == STAGE_GONE)
        return;
    if (now_ns - stream->second_ns > NS_PER_S) {
        stream->second_ns = now_ns;
        stream->frames = 0;
    }
    stream->turn_bytes = 0;
    take_outgoing(stream);
    readable |= stream->early_read < stream->early.length;
    if (readable && !receive(stream)) {
        socket_stream_cut(stream);
        return;
    }
    take_outgoing(stream); // it may have asked, and been refused at once
    bool broken = !send_queued(stream);
    if (stream->stage == STAGE_ASKED && stream->told_end &&
        wslay_event_get_queued_msg_count(stream->wslay) == 0) {
        close_with(stream, WSLAY_CODE_NORMAL_CLOSURE, "");
        broken |= !send_queued(stream);
    }
    if (stream->stage == STAGE_CLOSING && stream->deadline_ns == INT64_MAX)
        stream->deadline_ns = now_ns + CLOSE_S * NS_PER_S;
    bool said_all = !wslay_event_want_read(stream->wslay) && !wslay_event_want_write(stream->wslay);
    if (broken || said_all || is_late(stream, now_ns)) {
        socket_stream_cut(stream);
        return;
    }
    if (stream->stage == STAGE_CLOSING)
        cancel(stream);
    tell_ready(stream);
}
