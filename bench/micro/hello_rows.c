// What a ClientHello costs a shard, by its shape; each is the first of a flow of its own.
#include <stdlib.h>
#include <string.h>

#include "micro/feed.h"
#include "micro/rows.h"
#include "micro/series.h"

enum { HEADERS_BYTES = 14 + 20 + 20, FRAME_BYTES = HEADERS_BYTES + 16 * 1024, BATCHES = 64 };
enum { RECORD_HEADER_BYTES = 5, MESSAGE_HEADER_BYTES = 4, FIXED_BYTES = 2 + 32 + 1 };

static void put_u16(uint8_t *at, size_t number)
{
    at[0] = (uint8_t)(number >> 8);
    at[1] = (uint8_t)number;
}

// Ethernet, IPv4 and TCP of a client of its own, with so many bytes of payload from `sequence` on.
static void put_headers(uint8_t *frame, uint32_t client, uint32_t sequence, size_t payload)
{
    memset(frame, 0, HEADERS_BYTES);
    put_u16(frame + 12, 0x0800);
    uint8_t *ip = frame + 14, *tcp = ip + 20;
    ip[0] = 0x45;
    put_u16(ip + 2, 40 + payload);
    ip[8] = 64;
    ip[9] = 6;
    ip[12] = 10;
    ip[13] = (uint8_t)(client >> 16);
    put_u16(ip + 14, client);
    ip[16] = 192;
    ip[17] = 168;
    ip[19] = 1;
    put_u16(tcp, 40000);
    put_u16(tcp + 2, 443);
    put_u16(tcp + 6, sequence);
    tcp[12] = 0x50;
    tcp[13] = 0x18;
    put_u16(tcp + 14, 1000);
}

// A whole hello of `bytes` with its record: ciphers, and an extension that fills the rest.
static void put_hello(uint8_t *at, size_t bytes, size_t ciphers)
{
    size_t message = bytes - RECORD_HEADER_BYTES, body = message - MESSAGE_HEADER_BYTES;
    memset(at, 0, bytes);
    memcpy(at, (const uint8_t[]){22, 3, 1}, 3);
    put_u16(at + 3, message);
    at[5] = 1;
    put_u16(at + 7, body);
    uint8_t *list = at + RECORD_HEADER_BYTES + MESSAGE_HEADER_BYTES + FIXED_BYTES;
    at[9] = at[10] = 3;
    put_u16(list, 2 * ciphers);
    for (size_t i = 0; i < ciphers; i++)
        put_u16(list + 2 + 2 * i, 0x1300 + i);
    uint8_t *block = list + 2 + 2 * ciphers + 2;
    block[-2] = 1;
    size_t left = bytes - (size_t)(block - at);
    put_u16(block, left - 2);
    put_u16(block + 2, 21);
    put_u16(block + 4, left - 6);
}

struct shape {
    const char *name;
    size_t bytes, ciphers, segment; // ciphers 0: no hello but zeros
};

// Nanoseconds a hello.
static double time_shape(const struct shape *shape, uint8_t *frames)
{
    struct feed feed;
    uint64_t hellos = 0;
    int64_t spent_ns = 0; // of the thread: what else runs is not its cost
    static uint8_t hello[16 * 1024];
    memset(hello, 0, shape->bytes);
    if (shape->ciphers > 0)
        put_hello(hello, shape->bytes, shape->ciphers);
    feed_init(&feed, true);
    for (unsigned batch = 0; batch < BATCHES; batch++) {
        for (unsigned place = 0; place < FEED_BATCH;) {
            for (size_t at = 0; at < shape->bytes; at += shape->segment) {
                size_t length = shape->bytes - at < shape->segment ? shape->bytes - at : shape->segment;
                uint8_t *frame = frames + (size_t)place++ * FRAME_BYTES;
                put_headers(frame, (uint32_t)hellos + 1, (uint32_t)at, length);
                memcpy(frame + HEADERS_BYTES, hello + at, length);
                struct set_frame described = {.time_ns = feed.now_ns + 1000};
                described.captured = described.length = (uint32_t)(HEADERS_BYTES + length);
                feed_frame(&feed, &described, frame);
            }
            hellos++;
        }
        feed_send(&feed);
        spent_ns += feed.thread_ns;
    }
    micro_expect("flows", feed_tick(&feed, true), hellos);
    micro_expect("hellos", feed.report.totals.payload.tls_hellos, shape->ciphers > 0 ? hellos : 0);
    feed_done(&feed);
    return (double)spent_ns / (double)hellos;
}

void measure_hello(const struct micro_options *options)
{
    static const struct shape shapes[] = {
        {"a first segment of zeros, 1,360 bytes", 1360, 0, 1360},
        {"a hello of 1,360 bytes, 17 ciphers", 1360, 17, 1360},
        {"a hello of 1,900 bytes in two segments", 1900, 17, 1400},
        {"a hello of 14,100 bytes, 7,000 ciphers", 14100, 7000, 14100},
    };
    uint8_t *frames = malloc((size_t)FEED_BATCH * FRAME_BYTES);
    if (frames == NULL)
        micro_fail("no memory for frames");
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        struct series series = {0};
        for (unsigned n = 0; n < options->repetitions; n++)
            series_add(&series, time_shape(&shapes[i], frames));
        series_print(&series, shapes[i].name, "ns");
    }
    free(frames);
}
