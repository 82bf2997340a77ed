#include "decode/describe.h"

#include "wire.h"

static struct fields fields;
static const uint8_t bytes[4] = {0x08, 0x00, 0x12, 0x34};

static struct cursor begin(size_t length)
{
    fields_init(&fields);
    fields.base = bytes;
    return cursor_of(bytes, length);
}

Test(describe, numbers_move_the_cursor)
{
    struct cursor cursor = begin(4);
    cr_expect_eq(describe_hex_named(&fields, "Type", &cursor, 2, ether_type_name), 0x0800);
    cr_expect_eq(describe_number(&fields, "Length", &cursor, 2), 0x1234);
    cr_assert_eq(fields.count, 2);
    cr_expect_str_eq(field_value(&fields, &fields.items[0]), "IPv4 (0x0800)");
    cr_expect_str_eq(field_value(&fields, &fields.items[1]), "4660");
    cr_expect_eq(fields.items[1].offset, 2);
    fields_done(&fields);
}

Test(describe, numbers_without_a_name)
{
    struct cursor cursor = begin(4);
    cursor_skip(&cursor, 2);
    describe_hex_named(&fields, "Type", &cursor, 2, ether_type_name);
    cr_expect_str_eq(field_value(&fields, &fields.items[0]), "0x1234");
    fields_done(&fields);
}

Test(describe, nothing_past_the_end)
{
    struct cursor cursor = begin(1);
    cr_expect_eq(describe_number(&fields, "Number", &cursor, 2), 0);
    describe_mac(&fields, "Address", &cursor);
    describe_ipv6_address(&fields, "Address", &cursor);
    cr_expect_eq(fields.count, 0);
    cr_expect(cursor.failed);
    fields_done(&fields);
}
