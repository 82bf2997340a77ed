#include "base/cursor.h"

#include <criterion/criterion.h>

static const uint8_t counting[] = {0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09};

Test(cursor, reads_numbers_in_network_order)
{
    struct cursor cursor = cursor_of(counting, sizeof counting);
    cr_expect_eq(cursor_u8(&cursor), 0x01);
    cr_expect_eq(cursor_u16(&cursor), 0x0203);
    cr_expect_eq(cursor_u24(&cursor), 0x040506);
    cr_expect_eq(cursor_left(&cursor), 3);
    cr_expect_not(cursor.failed);
    cursor = cursor_of(counting, sizeof counting);
    cr_expect_eq(cursor_u32(&cursor), 0x01020304);
    cursor = cursor_of(counting, sizeof counting);
    cr_expect_eq(cursor_u64(&cursor), 0x0102030405060708);
}

Test(cursor, reads_numbers_in_the_order_that_is_told)
{
    for (int little_endian = 0; little_endian < 2; little_endian++) {
        struct cursor cursor = cursor_of(counting, sizeof counting);
        cr_expect_eq(cursor_u16_in(&cursor, little_endian), little_endian ? 0x0201 : 0x0102);
        cr_expect_eq(cursor_u32_in(&cursor, little_endian), little_endian ? 0x06050403 : 0x03040506);
        cursor = cursor_of(counting, sizeof counting);
        cr_expect_eq(cursor_u64_in(&cursor, little_endian),
                     little_endian ? 0x0807060504030201 : 0x0102030405060708);
        cr_expect_not(cursor.failed);
    }
}

Test(cursor, a_failure_stays_and_moves_nothing)
{
    struct cursor cursor = cursor_of(counting, 3);
    cr_expect_eq(cursor_u32(&cursor), 0);
    cr_expect(cursor.failed);
    cr_expect_eq(cursor_u8(&cursor), 0, "though a byte is there");
    cr_expect_eq(cursor_left(&cursor), 3);
    cr_expect_eq(cursor_peek(&cursor), 0);
    cr_expect_null(cursor_bytes(&cursor, 0));
    uint8_t copy[2] = {1, 1};
    cursor_copy(&cursor, copy, sizeof copy);
    cr_expect(copy[0] == 0 && copy[1] == 0);
}

Test(cursor, a_part_ends_where_it_was_said_to)
{
    struct cursor cursor = cursor_of(counting, sizeof counting);
    struct cursor part = cursor_sub(&cursor, 2);
    cr_expect_eq(cursor_u16(&part), 0x0102);
    cr_expect_eq(cursor_u8(&part), 0);
    cr_expect(part.failed && !cursor.failed);
    cr_expect_eq(cursor_peek(&cursor), 0x03);
    cursor_limit(&cursor, 100);
    cr_expect_eq(cursor_left(&cursor), 7, "a limit never makes it longer");
    cursor_limit(&cursor, 1);
    cr_expect_eq(cursor_left(&cursor), 1);
    part = cursor_sub(&cursor, 2);
    cr_expect(part.failed && cursor.failed && cursor_left(&part) == 0);
}

Test(cursor, numbers_of_keys_go_there_and_back)
{
    uint8_t bytes[4];
    bytes_put_u32(bytes, 0xfedc0102);
    cr_expect_eq(bytes[0], 0xfe);
    cr_expect_eq(bytes_u16(bytes), 0xfedc);
    cr_expect_eq(bytes_u16(bytes + 2), 0x0102);
    struct cursor cursor = cursor_of(bytes, sizeof bytes);
    cr_expect_eq(cursor_u32(&cursor), 0xfedc0102);
}
