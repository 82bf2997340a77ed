// A lossless source of the benchmarks' TCP conversations, for tests that need much traffic and a source to stop:
// `flows` of them take turns, each is reset after some steps and followed by a new one.
#pragma once

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "capture/chunk.h"
#include "capture/source.h"
#include "net/protocol.h"
#include "traffic/conversation.h"

struct made_traffic {
    uint64_t packets; // then it ends
    uint32_t flows;   // at the same time
    int64_t start_ns, step_ns;
};

enum { MADE_STEPS = CONVERSATION_HANDSHAKE + 4 * CONVERSATION_EXCHANGE, MADE_FLAGS_OFFSET = 47 };

struct made_source {
    struct source source;
    struct made_traffic traffic;
    struct chunk_pool *pool;
    struct chunk *chunk;
    uint64_t made;
    atomic_bool stopped;
    struct source_interface interface;
};

static inline struct frame made_frame(struct made_source *made)
{
    const struct made_traffic *traffic = &made->traffic;
    uint64_t round = made->made / traffic->flows, place = made->made % traffic->flows;
    uint64_t flow =
        round / MADE_STEPS * traffic->flows + conversation_turn(traffic->flows, (unsigned)round, place);
    unsigned step = (unsigned)(round % MADE_STEPS);
    uint8_t *bytes = made->chunk->bytes + made->chunk->used;
    uint32_t length = conversation_frame(flow, step, bytes);
    if (step + 1 == MADE_STEPS)
        bytes[MADE_FLAGS_OFFSET] |= TCP_RST;
    made->chunk->used += length;
    return (struct frame){
        .time_ns = traffic->start_ns + (int64_t)made->made++ * traffic->step_ns,
        .bytes = bytes,
        .captured = length,
        .length = length,
        .link_type = made->interface.link_type,
        .chunk = made->chunk,
    };
}

static inline bool made_has_room(const struct made_source *made)
{
    return made->chunk != NULL && made->chunk->capacity - made->chunk->used >= CONVERSATION_FRAME_BYTES;
}

// A full chunk goes when the poll begins, never within it.
static inline bool made_ready(struct made_source *made, int timeout_ms)
{
    if (made_has_room(made))
        return true;
    if (made->chunk != NULL)
        chunk_release(made->chunk);
    made->chunk = chunk_pool_take(made->pool, timeout_ms);
    return made->chunk != NULL;
}

static inline enum source_result made_poll(struct source *source, int timeout_ms, struct frame *frames,
                                           unsigned capacity, unsigned *count)
{
    struct made_source *made = (struct made_source *)source;
    *count = 0;
    if (made->made == made->traffic.packets || atomic_load(&made->stopped))
        return SOURCE_END;
    if (!made_ready(made, timeout_ms))
        return SOURCE_IDLE;
    while (*count < capacity && made->made < made->traffic.packets && made_has_room(made))
        frames[(*count)++] = made_frame(made);
    return SOURCE_FRAMES;
}

static inline unsigned made_interfaces(const struct source *source)
{
    (void)source;
    return 1;
}

static inline const struct source_interface *made_interface(const struct source *source, unsigned index)
{
    cr_assert_eq(index, 0);
    return &((const struct made_source *)source)->interface;
}

static inline bool made_drops(struct source *source, bool first, struct source_drops *out)
{
    (void)source;
    (void)first;
    (void)out;
    return false;
}

static inline void made_stop(struct source *source, bool drain)
{
    (void)drain;
    atomic_store(&((struct made_source *)source)->stopped, true);
}

static inline enum error_kind made_verdict(const struct source *source, struct error *error)
{
    (void)source;
    (void)error;
    return ERROR_NONE;
}

static inline void made_destroy(struct source *source)
{
    struct made_source *made = (struct made_source *)source;
    if (made->chunk != NULL)
        chunk_release(made->chunk);
    free(made);
}

// The pool must outlive all frames.
static inline struct source *made_source_create(const struct made_traffic *traffic, struct chunk_pool *pool)
{
    static const struct source_ops ops = {
        .name = "made",
        .lossless = true,
        .poll = made_poll,
        .interfaces = made_interfaces,
        .interface = made_interface,
        .drops = made_drops,
        .stop = made_stop,
        .verdict = made_verdict,
        .destroy = made_destroy,
    };
    struct made_source *made = calloc(1, sizeof *made);
    cr_assert_not_null(made);
    made->source.ops = &ops;
    made->traffic = *traffic;
    made->pool = pool;
    strcpy(made->interface.name, "made");
    strcpy(made->interface.configured, "made");
    made->interface.link_type = 1;
    made->interface.snaplen = CONVERSATION_FRAME_BYTES;
    atomic_init(&made->interface.up, true);
    return &made->source;
}
