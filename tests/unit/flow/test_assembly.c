#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "flow/assembly.h"

enum { BASE = 0xfffffff0 }; // the numbers pass their end

static void put(struct assembly_pool *pool, struct assembly *stream, uint32_t offset, const char *bytes)
{
    cr_assert(assembly_put(pool, stream, BASE + offset, (const uint8_t *)bytes, (uint32_t)strlen(bytes)));
}

Test(assembly, puts_parts_together_in_any_order)
{
    struct assembly_pool pool = {0};
    struct assembly *stream = assembly_open(&pool, 1, 0, BASE);
    cr_assert_not_null(stream);
    put(&pool, stream, 20, "uvw");
    cr_expect_eq(assembly_front(stream), 0);
    cr_expect(assembly_has_hole(stream));
    put(&pool, stream, 0, "abcdefghij");
    cr_expect_eq(assembly_front(stream), 10);
    put(&pool, stream, 8, "XXklmnopqrstXX"); // what came first stays
    cr_expect_eq(assembly_front(stream), 23);
    cr_expect_not(assembly_has_hole(stream));
    cr_expect_eq(memcmp(stream->bytes, "abcdefghijklmnopqrstuvw", 23), 0);
    put(&pool, stream, (uint32_t)-3, "zzz"); // before the first byte
    put(&pool, stream, (uint32_t)-3, "zzzA");
    cr_expect_eq(memcmp(stream->bytes, "abc", 3), 0);
    assembly_pass(stream, 20);
    cr_expect_eq(assembly_front(stream), 3);
    cr_expect_eq(memcmp(stream->bytes, "uvw", 3), 0);
    assembly_pass(stream, 10);
    cr_expect_eq(stream->parts, 0);
    put(&pool, stream, 30, "next");
    cr_expect_eq(assembly_front(stream), 4);
    assembly_close(&pool, stream);
    cr_expect_eq(pool.bytes, 0);
}

Test(assembly, refuses_what_is_too_far_or_too_scattered)
{
    struct assembly_pool pool = {0};
    struct assembly *stream = assembly_open(&pool, 1, 1, 7);
    const uint8_t byte = 'x';
    cr_assert_not_null(stream);
    cr_expect_not(assembly_put(&pool, stream, 7 + ASSEMBLY_ROOM_MAX, &byte, 1));
    for (unsigned i = 0; i < ASSEMBLY_PARTS; i++)
        cr_expect(assembly_put(&pool, stream, 7 + 2 * i, &byte, 1));
    cr_expect_not(assembly_put(&pool, stream, 7 + 2 * ASSEMBLY_PARTS, &byte, 1));
    cr_expect(assembly_put(&pool, stream, 8, &byte, 1));
    cr_expect(assembly_put(&pool, stream, 7 + 2 * ASSEMBLY_PARTS, &byte, 1));
    assembly_close(&pool, stream);
    cr_expect_null(pool.oldest);
}

// Against a plain array, byte by byte.
Test(assembly, holds_what_random_segments_bring)
{
    enum { ROOM = 3000, SEGMENTS = 4000 };
    static uint8_t content[ROOM], expected[ROOM], there[ROOM];
    srand(1);
    for (unsigned i = 0; i < ROOM; i++)
        content[i] = (uint8_t)rand();
    struct assembly_pool pool = {0};
    struct assembly *stream = assembly_open(&pool, 1, 0, BASE);
    cr_assert_not_null(stream);
    for (unsigned n = 0; n < SEGMENTS; n++) {
        uint32_t begin = (uint32_t)rand() % ROOM, length = (uint32_t)rand() % 40 + 1;
        length = begin + length > ROOM ? ROOM - begin : length;
        if (!assembly_put(&pool, stream, BASE + begin, content + begin, length))
            continue;
        for (uint32_t i = begin; i < begin + length; i++) {
            expected[i] = content[i];
            there[i] = 1;
        }
        uint32_t front = 0;
        while (front < ROOM && there[front])
            front++;
        cr_assert_eq(assembly_front(stream), front);
        cr_assert_eq(memcmp(stream->bytes, expected, front), 0);
        cr_assert_eq(pool.bytes, sizeof *stream + stream->room);
    }
    assembly_close(&pool, stream);
}
