#include "base/strbuf.h"

#include <criterion/criterion.h>
#include <string.h>

static struct strbuf buffer;

static void prepare(void)
{
    strbuf_init(&buffer, 1000);
}

static void tidy(void)
{
    strbuf_done(&buffer);
}

TestSuite(strbuf, .init = prepare, .fini = tidy);

Test(strbuf, starts_as_the_empty_string)
{
    cr_expect_str_eq(buffer.text, "");
    strbuf_clear(&buffer);
    cr_expect_str_eq(buffer.text, "");
}

Test(strbuf, appends_every_kind)
{
    strbuf_add(&buffer, "a");
    strbuf_add_char(&buffer, 'b');
    strbuf_add_repeat(&buffer, '-', 3);
    strbuf_add_bytes(&buffer, "cdef", 2);
    strbuf_addf(&buffer, "%d|%s", 7, "x");
    strbuf_add_bytes(&buffer, NULL, 0);
    cr_expect_str_eq(buffer.text, "ab---cd7|x");
    cr_expect_eq(buffer.length, strlen(buffer.text));
}

Test(strbuf, numbers_at_their_ends)
{
    strbuf_add_u64(&buffer, 0);
    strbuf_add_char(&buffer, ' ');
    strbuf_add_u64(&buffer, UINT64_MAX);
    strbuf_add_char(&buffer, ' ');
    strbuf_add_i64(&buffer, INT64_MIN);
    strbuf_add_char(&buffer, ' ');
    strbuf_add_i64(&buffer, INT64_MAX);
    cr_expect_str_eq(buffer.text, "0 18446744073709551615 -9223372036854775808 9223372036854775807");
}

Test(strbuf, holds_exactly_the_maximum)
{
    strbuf_add_repeat(&buffer, 'x', 1000);
    cr_expect_not(buffer.failed);
    cr_expect_eq(buffer.length, 1000);
    cr_expect_eq(strlen(buffer.text), 1000);
    strbuf_add_char(&buffer, 'y');
    cr_expect(buffer.failed);
    cr_expect_eq(buffer.length, 1000);
}

Test(strbuf, keeps_what_is_there_and_ignores_the_rest)
{
    strbuf_add(&buffer, "kept");
    strbuf_addf(&buffer, "%01000d", 1);
    cr_expect(buffer.failed);
    strbuf_add(&buffer, "ignored");
    cr_expect_str_eq(buffer.text, "kept");
    strbuf_add_repeat(&buffer, 'x', SIZE_MAX);
    cr_expect_str_eq(buffer.text, "kept");
    strbuf_clear(&buffer);
    strbuf_add(&buffer, "again");
    cr_expect_not(buffer.failed);
    cr_expect_str_eq(buffer.text, "again");
}

Test(strbuf, done_leaves_a_usable_buffer)
{
    strbuf_add(&buffer, "x");
    strbuf_done(&buffer);
    cr_expect_str_eq(buffer.text, "");
    strbuf_add(&buffer, "y");
    cr_expect_str_eq(buffer.text, "y");
}

static void expect_wire(const char *bytes, size_t length, const char *shown)
{
    strbuf_clear(&buffer);
    strbuf_add_wire(&buffer, bytes, length);
    cr_expect_str_eq(buffer.text, shown, "%s, expected %s", buffer.text, shown);
}

#define EXPECT_WIRE(bytes, shown) expect_wire((bytes), sizeof(bytes) - 1, (shown))

Test(strbuf, wire_keeps_what_is_readable)
{
    EXPECT_WIRE("", "");
    EXPECT_WIRE("GET / HTTP/1.1", "GET / HTTP/1.1");
    EXPECT_WIRE("b\xc3\xbc"
                "cher.example",
                "b\xc3\xbc"
                "cher.example");
    EXPECT_WIRE("\xe2\x82\xac \xf0\x9f\x98\x80 \xf4\x8f\xbf\xbf",
                "\xe2\x82\xac \xf0\x9f\x98\x80 \xf4\x8f\xbf\xbf");
    EXPECT_WIRE("a\\b", "a\\b"); // names come escaped once
}

Test(strbuf, wire_escapes_controls)
{
    EXPECT_WIRE("a\0b\n\x1b[2J\x7f", "a\\x00b\\x0a\\x1b[2J\\x7f");
    EXPECT_WIRE("\xc2\x9b", "\\xc2\\x9b");
    EXPECT_WIRE("\xe2\x80\xae", "\\xe2\\x80\\xae");
}

Test(strbuf, wire_escapes_broken_utf8)
{
    EXPECT_WIRE("\xff\xfe", "\\xff\\xfe");
    EXPECT_WIRE("\xc3", "\\xc3");
    EXPECT_WIRE("\xc3z", "\\xc3z");
    EXPECT_WIRE("\xe2\x82", "\\xe2\\x82");
    EXPECT_WIRE("\xc0\xaf", "\\xc0\\xaf");
    EXPECT_WIRE("\xe0\x80\xaf", "\\xe0\\x80\\xaf");
    EXPECT_WIRE("\xed\xa0\x80", "\\xed\\xa0\\x80");
    EXPECT_WIRE("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80");
}
