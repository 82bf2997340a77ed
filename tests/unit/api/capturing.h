// A client of StreamPcap, for tests: the file that it was sent, looked at after each message by a reader that knows nothing of
// ours.
#pragma once

#include <google/protobuf/duration.pb-c.h>

#include "api/stream.h"
#include "base/metric_text.h"
#include "base/strbuf.h"
#include "base/time.h"
#include "calling.h"
#include "netscope/v1/packet.pb-c.h"

enum { CAPTURE_ROOM = 64 << 20 };

struct capturing {
    struct reply reply;
    struct stream *stream;
    int64_t now_ns;
    unsigned messages, starts, ended;
    Netscope__V1__PcapStart start; // without its duration
    int64_t max_seconds;
    Netscope__V1__PcapEnd end;
    bool has_end;
    struct status status;
    uint8_t *file;
    size_t length;
    // As the file tells:
    unsigned sections, interfaces, packets;
    size_t parsed;
    uint32_t least_captured, most_captured, most_length;
    char interface[64];
    int64_t last_ns;
};

static inline uint32_t word_at(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

// The name, and that times are in nanoseconds.
static inline void parse_interface(struct capturing *capturing, const uint8_t *block, uint32_t length)
{
    bool nanoseconds = false;
    for (uint32_t at = 16; at + 8 <= length - 4;) {
        uint32_t code = word_at(block + at) & 0xffff, bytes = word_at(block + at) >> 16;
        cr_assert_leq(at + 4 + bytes, length - 4);
        if (code == 2)
            snprintf(capturing->interface, sizeof capturing->interface, "%.*s", (int)bytes, block + at + 4);
        nanoseconds |= code == 9 && bytes == 1 && block[at + 4] == 9;
        at += 4 + (bytes + 3) / 4 * 4;
    }
    cr_expect(nanoseconds);
    cr_expect_eq(word_at(block + 8), 1, "Ethernet");
    capturing->interfaces++;
}

static inline void parse_packet(struct capturing *capturing, const uint8_t *block, uint32_t length)
{
    uint32_t captured = word_at(block + 20), on_wire = word_at(block + 24);
    cr_assert_lt(word_at(block + 8), capturing->interfaces, "of an interface that was described");
    cr_assert_eq(32 + (captured + 3) / 4 * 4, length);
    cr_assert_leq(captured, on_wire);
    if (captured < capturing->least_captured || capturing->packets == 0)
        capturing->least_captured = captured;
    if (captured > capturing->most_captured)
        capturing->most_captured = captured;
    if (on_wire > capturing->most_length)
        capturing->most_length = on_wire;
    capturing->last_ns = (int64_t)((uint64_t)word_at(block + 12) << 32 | word_at(block + 16));
    capturing->packets++;
}

static inline void parse_new_blocks(struct capturing *capturing)
{
    while (capturing->parsed < capturing->length) {
        const uint8_t *block = capturing->file + capturing->parsed;
        cr_assert_leq(capturing->parsed + 12, capturing->length, "whole blocks");
        uint32_t type = word_at(block), length = word_at(block + 4);
        cr_assert(length % 4 == 0 && length >= 12 && capturing->parsed + length <= capturing->length);
        cr_assert_eq(word_at(block + length - 4), length);
        cr_assert_eq(capturing->parsed == 0, type == 0x0a0d0d0a, "a section, once");
        capturing->sections += type == 0x0a0d0d0a;
        if (type == 1)
            parse_interface(capturing, block, length);
        else if (type == 6)
            parse_packet(capturing, block, length);
        else
            cr_assert_eq(type, 0x0a0d0d0a, "no other block: %u", type);
        capturing->parsed += length;
    }
}

static inline void take_pcap(struct reply *reply, const uint8_t *bytes, size_t length)
{
    struct capturing *capturing = (struct capturing *)reply;
    Netscope__V1__StreamPcapResponse *message =
        netscope__v1__stream_pcap_response__unpack(NULL, length, bytes);
    cr_assert_not_null(message);
    cr_expect_eq(message->start != NULL, capturing->messages++ == 0, "the first message, and no other");
    cr_assert_leq(capturing->length + message->data.len, CAPTURE_ROOM);
    if (message->data.len > 0)
        memcpy(capturing->file + capturing->length, message->data.data, message->data.len);
    capturing->length += message->data.len;
    parse_new_blocks(capturing);
    if (message->start != NULL) {
        capturing->start = *message->start;
        capturing->max_seconds = message->start->max_duration->seconds;
    }
    cr_expect_not(capturing->has_end);
    capturing->has_end = message->end != NULL;
    if (message->end != NULL)
        capturing->end = *message->end;
    netscope__v1__stream_pcap_response__free_unpacked(message, NULL);
}

static inline void take_pcap_end(struct reply *reply, const struct status *status)
{
    struct capturing *capturing = (struct capturing *)reply;
    capturing->ended++;
    capturing->status = *status;
}

static inline void open_capture(struct capturing *capturing, struct calling *calling, const char *json)
{
    static const struct reply_ops ops = {take_pcap, take_pcap_end};
    struct status status;
    *capturing = (struct capturing){.reply = {&ops}, .now_ns = NS_PER_S};
    capturing->file = malloc(CAPTURE_ROOM);
    const struct method *method = method_find(PACKETS("StreamPcap"), &status);
    cr_assert_not_null(method);
    struct request request = {REQUEST_JSON, (const uint8_t *)json, strlen(json)};
    capturing->stream = method_open(method, calling->api, &calling->caller, &request, &capturing->reply);
}

static inline enum stream_state step_capture(struct capturing *capturing, bool ready)
{
    enum stream_state state;
    do
        state = stream_step(capturing->stream, capturing->now_ns, ready, &capturing->reply);
    while (state == STREAM_GOES_ON);
    return state;
}

static inline void begin_capture(struct capturing *capturing, struct calling *calling, const char *json)
{
    open_capture(capturing, calling, json);
    cr_assert_not_null(capturing->stream, "%s: %s", json, capturing->status.message);
    cr_expect_eq(step_capture(capturing, true), STREAM_WAITS);
    cr_expect_eq(capturing->messages, 1, "at once");
    cr_expect_eq(capturing->sections, 1);
    cr_expect_eq(capturing->interfaces, 1, "libpcap reads no file without any");
}

// A line of the metrics' text.
static inline void expect_metric(struct calling *calling, const char *line)
{
    struct strbuf text;
    strbuf_init(&text, 1 << 20);
    metric_text_add(&text, control_metrics(calling->running.control), METRIC_PROMETHEUS);
    cr_expect_not_null(strstr(text.text, line), "no \"%s\"", line);
    strbuf_done(&text);
}

static inline void close_capture(struct capturing *capturing)
{
    stream_destroy(capturing->stream);
    free(capturing->file);
}

static inline uint64_t received_so_far(struct calling *calling)
{
    const struct snapshot *snapshot = control_snapshot(calling->running.control);
    uint64_t received = snapshot->totals.received;
    snapshot_release(snapshot);
    return received;
}

static inline bool has_received(const struct snapshot *snapshot, uint64_t want)
{
    return snapshot->totals.received >= want;
}

// Sends a packet a second that is no IP until so many packets were taken in since `before`. Returns the second behind them.
static inline uint32_t let_pass(struct calling *calling, uint32_t second, uint64_t before, uint64_t packets)
{
    return go_on_until(calling, second, has_received, before + packets + 2);
}
