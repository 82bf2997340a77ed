#include "door/frame_guard.h"

#include <assert.h>
#include <string.h>

#include "base/time.h"

// RFC 9113, section 6.
enum {
    TYPE_DATA,
    TYPE_HEADERS,
    TYPE_PRIORITY,
    TYPE_RST_STREAM,
    TYPE_SETTINGS,
    TYPE_PUSH_PROMISE,
    TYPE_PING,
    TYPE_GOAWAY,
    TYPE_WINDOW_UPDATE,
    TYPE_CONTINUATION,
};

enum {
    FLAG_ACK = 0x1,
    FLAG_END_HEADERS = 0x4,
    SETTINGS_MAX_FRAME_SIZE = 5,
    ENHANCE_YOUR_CALM = 11,
    GOAWAY_BYTES = 8,
    FIRST_LONGEST = 16384, // until the server says otherwise
};

enum { ALL_MAY = 4, OWN_SHARE = 50 };

static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
enum { PREFACE_BYTES = sizeof preface - 1 };

// Go's client answers data with a WINDOW_UPDATE and a PING a round trip, so these are many and yet meant well; but it waits
// for the answer before it pings again. The core takes 5 kB a ping that it does not answer any more.
const struct frame_limits frame_usual_limits = {
    .per_second = {[FRAMES_HEADERS] = 1000,
                   [FRAMES_RST_STREAM] = 1000,
                   [FRAMES_PING] = 10000,
                   [FRAMES_SETTINGS] = 100,
                   [FRAMES_CONTINUATION] = 1000,
                   [FRAMES_OTHER] = 20000},
    .header_block_bytes = 65536,
    .pings_open = 100,
};

void frame_guard_init(struct frame_guard *guard, const struct frame_limits *limits, struct frame_budget *all)
{
    *guard = (struct frame_guard){.limits = limits, .all = all, .longest = FIRST_LONGEST};
}

static uint32_t length_of(const struct frame_reader *reader)
{
    return (uint32_t)(reader->header[0] << 16 | reader->header[1] << 8 | reader->header[2]);
}

static uint8_t type_of(const struct frame_reader *reader)
{
    return reader->header[3];
}

static bool ends_headers(const struct frame_reader *reader)
{
    return (reader->header[4] & FLAG_END_HEADERS) != 0;
}

static uint32_t number_at(const uint8_t bytes[4])
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static uint32_t stream_of(const struct frame_reader *reader)
{
    return number_at(&reader->header[5]) & 0x7fffffff;
}

static bool is_ping(const struct frame_reader *reader, bool answer)
{
    return type_of(reader) == TYPE_PING && ((reader->header[4] & FLAG_ACK) != 0) == answer;
}

// What the next bytes are. A frame without payload ends without one.
enum step { STEP_NONE, STEP_BEGINS, STEP_PAYLOAD, STEP_ENDS };

static enum step next_step(struct frame_reader *reader, const uint8_t *bytes, size_t length, size_t *used)
{
    assert(reader->header_bytes <= FRAME_HEADER_BYTES);
    *used = 0;
    if (reader->header_bytes == FRAME_HEADER_BYTES && reader->payload_left == 0) {
        reader->header_bytes = 0;
        return STEP_ENDS;
    }
    if (length == 0)
        return STEP_NONE;
    if (reader->header_bytes == FRAME_HEADER_BYTES) {
        *used = length < reader->payload_left ? length : reader->payload_left;
        reader->payload_left -= (uint32_t)*used;
        return STEP_PAYLOAD;
    }
    size_t missing = (size_t)(FRAME_HEADER_BYTES - reader->header_bytes);
    *used = length < missing ? length : missing;
    memcpy(reader->header + reader->header_bytes, bytes, *used);
    reader->header_bytes = (uint8_t)(reader->header_bytes + *used);
    if (reader->header_bytes < FRAME_HEADER_BYTES)
        return STEP_NONE;
    reader->payload_left = length_of(reader);
    return STEP_BEGINS;
}

// Whether there was one more to spend of so many a second.
static bool spend(int64_t *spent_ns, uint32_t per_second, int64_t now_ns)
{
    assert(per_second > 0);
    int64_t from_ns = *spent_ns > now_ns ? *spent_ns : now_ns;
    int64_t until_ns = from_ns + NS_PER_S / per_second;
    if (until_ns - now_ns > NS_PER_S)
        return false;
    *spent_ns = until_ns;
    return true;
}

static bool afford(struct frame_guard *guard, enum frame_kind kind, int64_t now_ns)
{
    uint32_t most = guard->limits->per_second[kind];
    uint32_t own = most > OWN_SHARE ? most / OWN_SHARE : 1;
    return spend(&guard->spent.spent_ns[kind], most, now_ns) &&
           (spend(&guard->own.spent_ns[kind], own, now_ns) ||
            spend(&guard->all->spent_ns[kind], most * ALL_MAY, now_ns));
}

// False for what is not counted: DATA that carries something, which the server's windows bound.
static bool is_counted(const struct frame_reader *frame, enum frame_kind *kind)
{
    switch (type_of(frame)) {
    case TYPE_DATA:
        *kind = FRAMES_OTHER;
        return length_of(frame) == 0;
    case TYPE_HEADERS:
        *kind = FRAMES_HEADERS;
        return true;
    case TYPE_RST_STREAM:
        *kind = FRAMES_RST_STREAM;
        return true;
    case TYPE_PING:
        *kind = FRAMES_PING;
        return true;
    case TYPE_SETTINGS:
        *kind = FRAMES_SETTINGS;
        return true;
    case TYPE_CONTINUATION:
        *kind = FRAMES_CONTINUATION;
        return true;
    default:
        *kind = FRAMES_OTHER;
        return true;
    }
}

// An open header block goes on with CONTINUATION of its stream and nothing else: RFC 9113, section 6.10.
static bool is_in_place(const struct frame_guard *guard)
{
    const struct frame_reader *frame = &guard->client;
    if (type_of(frame) == TYPE_CONTINUATION)
        return guard->block_stream != 0 && guard->block_stream == stream_of(frame);
    return guard->block_stream == 0 && (type_of(frame) != TYPE_HEADERS || stream_of(frame) != 0);
}

static enum frame_verdict judge_headers(struct frame_guard *guard)
{
    const struct frame_reader *frame = &guard->client;
    if (type_of(frame) == TYPE_HEADERS) {
        guard->block_stream = stream_of(frame);
        guard->block_bytes = 0;
        if (guard->block_stream > guard->last_stream)
            guard->last_stream = guard->block_stream;
    }
    if (guard->block_stream != 0)
        guard->block_bytes += length_of(frame); // at most the limit and 16 MiB
    return guard->block_bytes > guard->limits->header_block_bytes ? FRAMES_HEADERS_TOO_LONG : FRAMES_FINE;
}

static enum frame_verdict judge_frame(struct frame_guard *guard, int64_t now_ns)
{
    enum frame_kind kind;
    if (length_of(&guard->client) > guard->longest)
        return FRAMES_TOO_LONG;
    if (!is_in_place(guard))
        return FRAMES_BROKEN;
    if (is_ping(&guard->client, false) && ++guard->pings_open > guard->limits->pings_open)
        return (enum frame_verdict)(FRAMES_TOO_MANY + (int)FRAMES_PING);
    if (is_counted(&guard->client, &kind) && !afford(guard, kind, now_ns))
        return (enum frame_verdict)(FRAMES_TOO_MANY + (int)kind);
    return judge_headers(guard);
}

static void end_frame(struct frame_guard *guard)
{
    if (guard->block_stream == 0 || !ends_headers(&guard->client))
        return;
    guard->block_stream = 0;
    guard->block_bytes = 0;
    guard->asked = true;
}

static size_t read_preface(struct frame_guard *guard, const uint8_t *bytes, size_t length)
{
    assert(guard->preface_bytes < PREFACE_BYTES);
    size_t missing = (size_t)(PREFACE_BYTES - guard->preface_bytes);
    size_t used = length < missing ? length : missing;
    if (memcmp(preface + guard->preface_bytes, bytes, used) != 0)
        guard->verdict = FRAMES_NO_PREFACE;
    guard->preface_bytes = (uint8_t)(guard->preface_bytes + used);
    return used;
}

enum frame_verdict frame_guard_client(struct frame_guard *guard, const uint8_t *bytes, size_t length,
                                      int64_t now_ns)
{
    size_t used = guard->preface_bytes < PREFACE_BYTES ? read_preface(guard, bytes, length) : 0;
    enum step step = STEP_BEGINS;
    while (guard->verdict == FRAMES_FINE && step != STEP_NONE) {
        bytes += used;
        length -= used;
        step = next_step(&guard->client, bytes, length, &used);
        if (step == STEP_BEGINS)
            guard->verdict = judge_frame(guard, now_ns);
        else if (step == STEP_ENDS)
            end_frame(guard);
    }
    return guard->verdict;
}

// A server may take its word back, but clients may go on until they know: the longest that was ever allowed holds.
static void read_settings(struct frame_guard *guard, const uint8_t *bytes, size_t length)
{
    assert(guard->entry_bytes < FRAME_ENTRY_BYTES);
    for (size_t i = 0; i < length; i++) {
        guard->entry[guard->entry_bytes++] = bytes[i];
        if (guard->entry_bytes < FRAME_ENTRY_BYTES)
            continue;
        guard->entry_bytes = 0;
        uint32_t value = number_at(&guard->entry[2]);
        bool is_longest = guard->entry[0] == 0 && guard->entry[1] == SETTINGS_MAX_FRAME_SIZE;
        if (is_longest && value > guard->longest)
            guard->longest = value;
    }
}

void frame_guard_server(struct frame_guard *guard, const uint8_t *bytes, size_t length)
{
    size_t used;
    enum step step;
    while ((step = next_step(&guard->server, bytes, length, &used)) != STEP_NONE) {
        if (step == STEP_BEGINS) {
            guard->entry_bytes = 0;
            guard->pings_open -= guard->pings_open > 0 && is_ping(&guard->server, true);
        } else if (step == STEP_PAYLOAD && type_of(&guard->server) == TYPE_SETTINGS)
            read_settings(guard, bytes, used);
        guard->server_spoke = true;
        bytes += used;
        length -= used;
    }
}

static uint8_t *put_header(uint8_t *into, uint8_t payload_bytes, uint8_t type)
{
    memset(into, 0, FRAME_HEADER_BYTES);
    into[2] = payload_bytes;
    into[3] = type;
    return into + FRAME_HEADER_BYTES;
}

// The first frame of a server is SETTINGS (RFC 9113, section 3.4): empty ones when it has not spoken yet.
size_t frame_guard_farewell(const struct frame_guard *guard, uint8_t into[FRAME_FAREWELL_BYTES])
{
    if (guard->server.header_bytes != 0)
        return 0;
    uint8_t *to = into;
    if (!guard->server_spoke)
        to = put_header(to, 0, TYPE_SETTINGS);
    to = put_header(to, GOAWAY_BYTES, TYPE_GOAWAY);
    for (int shift = 24; shift >= 0; shift -= 8)
        *to++ = (uint8_t)(guard->last_stream >> shift);
    for (int shift = 24; shift >= 0; shift -= 8)
        *to++ = (uint8_t)(ENHANCE_YOUR_CALM >> shift);
    assert(to - into <= FRAME_FAREWELL_BYTES);
    return (size_t)(to - into);
}
