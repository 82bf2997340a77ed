// What a client of the door may send first, as HTTP/2 frames and as the head of an HTTP/1 request, and what a server
// answers: whole, and in pieces whose sizes are drawn from the input. The verdict must not depend on the pieces. The first
// byte chooses the sizes.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "door/frame_guard.h"
#include "door/request_head.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

// Small enough for an input to reach.
static const struct frame_limits limits = {
    .per_second = {4, 4, 4, 4, 4, 8}, .header_block_bytes = 64, .pings_open = 2};

static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

static void require(int holds)
{
    if (!holds)
        abort();
}

static size_t next_piece(uint32_t *chance, size_t left)
{
    *chance = *chance * 1664525 + 1013904223;
    size_t piece = 1 + (*chance >> 16) % 24;
    return piece < left ? piece : left;
}

static void expect_same(const struct frame_guard *one, const struct frame_guard *other)
{
    uint8_t farewell[FRAME_FAREWELL_BYTES], same[FRAME_FAREWELL_BYTES];
    require(one->verdict == other->verdict && one->asked == other->asked);
    require(one->last_stream == other->last_stream && one->longest == other->longest);
    require(one->block_bytes == other->block_bytes && one->pings_open == other->pings_open);
    size_t length = frame_guard_farewell(one, farewell);
    require(length == frame_guard_farewell(other, same) && memcmp(farewell, same, length) == 0);
}

static void try_frames(const uint8_t *bytes, size_t length, uint32_t chance)
{
    struct frame_budget all = {0}, all_again = {0};
    struct frame_guard whole, pieces;
    frame_guard_init(&whole, &limits, &all);
    frame_guard_init(&pieces, &limits, &all_again);
    frame_guard_client(&whole, (const uint8_t *)preface, sizeof preface - 1, 0);
    frame_guard_client(&pieces, (const uint8_t *)preface, sizeof preface - 1, 0);
    frame_guard_server(&whole, bytes, length);
    frame_guard_client(&whole, bytes, length, 0);
    for (size_t at = 0, piece; at < length; at += piece) {
        piece = next_piece(&chance, length - at);
        frame_guard_server(&pieces, bytes + at, piece);
    }
    for (size_t at = 0, piece; at < length; at += piece) {
        piece = next_piece(&chance, length - at);
        frame_guard_client(&pieces, bytes + at, piece, 0);
    }
    expect_same(&whole, &pieces);
    require(memcmp(&all, &all_again, sizeof all) == 0);
    require(whole.verdict < FRAME_VERDICTS && whole.verdict != FRAMES_NO_PREFACE);
}

static void try_head(const uint8_t *bytes, size_t length, uint32_t chance)
{
    struct request_head whole = {0}, pieces = {0};
    request_head_read(&whole, bytes, length);
    for (size_t at = 0, piece; at < length; at += piece) {
        piece = next_piece(&chance, length - at);
        request_head_read(&pieces, bytes + at, piece);
    }
    require(whole.complete == pieces.complete);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct frame_budget all = {0};
    struct frame_guard bare;
    if (length < 1)
        return 0;
    frame_guard_init(&bare, &limits, &all);
    frame_guard_client(&bare, bytes + 1, length - 1, 0);
    try_frames(bytes + 1, length - 1, bytes[0]);
    try_head(bytes + 1, length - 1, bytes[0]);
    return 0;
}
