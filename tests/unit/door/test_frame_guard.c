#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/time.h"
#include "door/frame_guard.h"
#include "http2_frames.h"

static struct frame_guard guard;
static struct frame_budget all;
static uint8_t bytes[1 << 20];
static size_t used;

static void begin(void)
{
    all = (struct frame_budget){0};
    frame_guard_init(&guard, &frame_usual_limits, &all);
    used = add_preface(bytes);
}

TestSuite(frame_guard, .init = begin);

static enum frame_verdict read_at(int64_t now_ns)
{
    size_t length = used;
    used = 0;
    return frame_guard_client(&guard, bytes, length, now_ns);
}

static void add(uint8_t type, uint8_t flags, uint32_t stream, uint32_t length)
{
    used = add_frame(bytes, used, type, flags, stream, length);
}

// How many frames of a kind pass in one moment.
static unsigned passing(uint8_t type, uint8_t flags, uint32_t stream)
{
    unsigned count = 0;
    read_at(0);
    for (add(type, flags, stream, 0); read_at(0) == FRAMES_FINE; add(type, flags, stream, 0))
        count++;
    return count;
}

Test(frame_guard, knows_http2_by_its_preface)
{
    cr_expect_eq(read_at(0), FRAMES_FINE);
    begin();
    bytes[3] = 'X';
    cr_expect_eq(read_at(0), FRAMES_NO_PREFACE);
    cr_expect_eq(frame_guard_client(&guard, (const uint8_t *)PREFACE, 24, 0), FRAMES_NO_PREFACE);
}

Test(frame_guard, sees_a_request_when_its_headers_are_complete)
{
    add(HEADERS, 0, 1, 10);
    cr_expect_eq(read_at(0), FRAMES_FINE);
    cr_expect_not(guard.asked);
    add(CONTINUATION, END_HEADERS, 1, 10);
    used--; // the last byte is missing
    cr_expect_eq(read_at(0), FRAMES_FINE);
    cr_expect_not(guard.asked);
    cr_expect_eq(frame_guard_client(&guard, bytes, 1, 0), FRAMES_FINE);
    cr_expect(guard.asked);
}

Test(frame_guard, caps_each_kind_a_second)
{
    static const struct {
        uint8_t type;
        enum frame_kind kind;
    } kinds[] = {{RST_STREAM, FRAMES_RST_STREAM}, {SETTINGS, FRAMES_SETTINGS}, {PRIORITY, FRAMES_OTHER},
                 {WINDOW_UPDATE, FRAMES_OTHER},   {DATA, FRAMES_OTHER},        {77, FRAMES_OTHER}};
    for (unsigned i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        begin();
        unsigned most = frame_usual_limits.per_second[kinds[i].kind] - (kinds[i].type == SETTINGS);
        cr_expect_eq(passing(kinds[i].type, 0, 1), most, "frames of type %u", kinds[i].type);
        cr_expect_eq(guard.verdict, FRAMES_TOO_MANY + kinds[i].kind, "frames of type %u", kinds[i].type);
    }
}

// Answers to pings of the server's are counted as pings, but wait for nothing.
Test(frame_guard, caps_pings_and_those_without_answer)
{
    static const uint8_t answer[] = {0, 0, 8, PING, ACK, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8};
    cr_expect_eq(passing(PING, ACK, 0), frame_usual_limits.per_second[FRAMES_PING]);
    begin();
    cr_expect_eq(passing(PING, 0, 0), frame_usual_limits.pings_open);
    cr_expect_eq(guard.verdict, FRAMES_TOO_MANY + FRAMES_PING);
    begin();
    read_at(0);
    unsigned count = 0;
    for (add(PING, 0, 0, 8); read_at(0) == FRAMES_FINE; add(PING, 0, 0, 8), count++)
        for (unsigned i = 0; i < sizeof answer; i++)
            frame_guard_server(&guard, &answer[i], 1);
    cr_expect_eq(count, frame_usual_limits.per_second[FRAMES_PING]);
}

Test(frame_guard, caps_streams_that_begin)
{
    cr_expect_eq(passing(HEADERS, END_HEADERS, 1), frame_usual_limits.per_second[FRAMES_HEADERS]);
    cr_expect_eq(guard.verdict, FRAMES_TOO_MANY + FRAMES_HEADERS);
}

Test(frame_guard, caps_continuations_without_payload)
{
    add(HEADERS, 0, 1, 0);
    cr_expect_eq(passing(CONTINUATION, 0, 1), frame_usual_limits.per_second[FRAMES_CONTINUATION]);
    cr_expect_eq(guard.verdict, FRAMES_TOO_MANY + FRAMES_CONTINUATION);
}

Test(frame_guard, lets_any_number_pass_that_comes_slowly_enough)
{
    int64_t apart_ns = NS_PER_S / frame_usual_limits.per_second[FRAMES_HEADERS];
    for (int64_t i = 0; i < 5000; i++) {
        add(HEADERS, END_HEADERS, 1, 0);
        cr_assert_eq(read_at(i * apart_ns), FRAMES_FINE, "frame %ld", (long)i);
    }
}

Test(frame_guard, lets_data_pass_that_carries_something)
{
    for (int i = 0; i < 50000; i++) {
        add(DATA, 0, 1, 1);
        cr_assert_eq(read_at(0), FRAMES_FINE);
    }
}

// Six connections that take what each may: the fifth finds no more for all. One that asks for little is not its victim.
Test(frame_guard, caps_all_connections_together_and_spares_the_quiet_ones)
{
    unsigned most = frame_usual_limits.per_second[FRAMES_HEADERS], own = most / 50;
    for (unsigned i = 0; i < 4; i++) {
        frame_guard_init(&guard, &frame_usual_limits, &all);
        used = add_preface(bytes);
        cr_expect_eq(passing(HEADERS, END_HEADERS, 1), most);
    }
    frame_guard_init(&guard, &frame_usual_limits, &all);
    used = add_preface(bytes);
    cr_expect_eq(passing(HEADERS, END_HEADERS, 1), 4 * own + own, "what four left of theirs, and its own");
    frame_guard_init(&guard, &frame_usual_limits, &all);
    used = add_preface(bytes);
    cr_expect_eq(passing(HEADERS, END_HEADERS, 1), own);
}

Test(frame_guard, knows_how_long_a_frame_may_be)
{
    add(DATA, 0, 1, 16384);
    cr_expect_eq(read_at(0), FRAMES_FINE);
    add(DATA, 0, 1, 16385);
    cr_expect_eq(read_at(0), FRAMES_TOO_LONG);
}

Test(frame_guard, takes_the_length_that_the_server_said)
{
    static const uint8_t said[] = {0, 0, 12, SETTINGS, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 100, 0, 5, 0, 1, 0, 0};
    for (unsigned i = 0; i < sizeof said; i++)
        frame_guard_server(&guard, &said[i], 1);
    add(DATA, 0, 1, 65536);
    cr_expect_eq(read_at(0), FRAMES_FINE);
    add(DATA, 0, 1, 65537);
    cr_expect_eq(read_at(0), FRAMES_TOO_LONG);
}

Test(frame_guard, caps_a_header_block_with_all_its_parts)
{
    add(HEADERS, 0, 1, 16384);
    for (int i = 0; i < 3; i++)
        add(CONTINUATION, 0, 1, 16384);
    cr_expect_eq(read_at(0), FRAMES_FINE);
    add(CONTINUATION, END_HEADERS, 1, 1);
    cr_expect_eq(read_at(0), FRAMES_HEADERS_TOO_LONG);
}

Test(frame_guard, begins_anew_with_each_header_block)
{
    for (uint32_t stream = 1; stream < 20; stream += 2) {
        add(HEADERS, 0, stream, 16384);
        add(CONTINUATION, END_HEADERS, stream, 16384);
        cr_expect_eq(read_at(0), FRAMES_FINE);
    }
}

Test(frame_guard, lets_nothing_interrupt_a_header_block)
{
    static const struct {
        uint8_t type;
        uint32_t stream;
    } interruptions[] = {{PING, 0}, {HEADERS, 3}, {DATA, 1}, {CONTINUATION, 3}};
    for (unsigned i = 0; i < 4; i++) {
        begin();
        add(HEADERS, 0, 1, 5);
        add(interruptions[i].type, END_HEADERS, interruptions[i].stream, 4);
        cr_expect_eq(read_at(0), FRAMES_BROKEN, "interruption %u", i);
    }
    begin();
    add(CONTINUATION, END_HEADERS, 1, 4);
    cr_expect_eq(read_at(0), FRAMES_BROKEN);
    begin();
    add(HEADERS, END_HEADERS, 0, 4);
    cr_expect_eq(read_at(0), FRAMES_BROKEN);
}

Test(frame_guard, says_farewell_between_two_frames_only)
{
    static const uint8_t expected[] = {0, 0, 8, GOAWAY, 0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 11};
    uint8_t farewell[FRAME_FAREWELL_BYTES], server[64];
    size_t length = add_frame(server, 0, SETTINGS, 0, 0, 6);
    add(HEADERS, END_HEADERS, 3, 0);
    add(HEADERS, END_HEADERS, 5, 0);
    read_at(0);
    cr_expect_eq(frame_guard_farewell(&guard, farewell), FRAME_FAREWELL_BYTES, "SETTINGS come first");
    for (size_t i = 0; i < length; i++) {
        frame_guard_server(&guard, server + i, 1);
        cr_expect_eq(frame_guard_farewell(&guard, farewell), i + 1 < length ? 0 : sizeof expected);
    }
    cr_expect_eq(memcmp(farewell, expected, sizeof expected), 0);
}

// Bytes of chance that are likely to be frames, whole and in pieces.
Test(frame_guard, judges_the_same_however_bytes_are_cut)
{
    srandom(7);
    for (unsigned round = 0; round < 300; round++) {
        struct frame_budget none = {0}, none_either = {0};
        struct frame_guard whole, pieces;
        frame_guard_init(&whole, &frame_usual_limits, &none);
        frame_guard_init(&pieces, &frame_usual_limits, &none_either);
        used = add_preface(bytes);
        for (unsigned i = 0; i < 200; i++)
            add((uint8_t)(random() % 10), (uint8_t)(random() % 8), (uint32_t)(random() % 64 == 0 ? 3 : 1),
                (uint32_t)(random() % (random() % 64 == 0 ? 17000 : 40)));
        frame_guard_client(&whole, bytes, used, 5);
        for (size_t at = 0, step; at < used; at += step) {
            step = 1 + (size_t)random() % 90;
            step = step < used - at ? step : used - at;
            frame_guard_client(&pieces, bytes + at, step, 5);
        }
        cr_assert_eq(whole.verdict, pieces.verdict);
        cr_assert_eq(whole.asked, pieces.asked);
        cr_assert_eq(whole.last_stream, pieces.last_stream);
        cr_assert_eq(memcmp(&none, &none_either, sizeof none), 0);
    }
}
