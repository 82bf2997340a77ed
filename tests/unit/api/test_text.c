#include "api/text.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "base/strbuf.h"

static struct strbuf scratch;

static void make_scratch(void)
{
    strbuf_init(&scratch, 1024);
}

static void drop_scratch(void)
{
    strbuf_done(&scratch);
}

TestSuite(text, .init = make_scratch, .fini = drop_scratch);

Test(text, plain_text_is_borrowed)
{
    const char *plain = "www.example.com";
    cr_assert(api_text(&scratch, plain) == plain);
    cr_assert(eq(str, (char *)api_text(&scratch, NULL), ""));
}

Test(text, hostile_bytes_become_valid_utf8)
{
    cr_expect(eq(str, (char *)api_text(&scratch, "a\xff\xfe.com"), "a\\xff\\xfe.com"));
    cr_expect(eq(str, (char *)api_text(&scratch, "m\xc3\xbcnchen"), "m\xc3\xbcnchen"));
    cr_expect(eq(str, (char *)api_text(&scratch, "a\\b\nc"), "a\\b\\x0ac"));
    cr_expect(eq(str, (char *)api_text_bytes(&scratch, "a\0b", 3), "a\\x00b"));
}

Test(text, utf8_sequences)
{
    static const struct {
        const char *bytes;
        size_t length, expected;
    } rows[] = {
        {"a", 1, 1},
        {"\xc3\xbc", 2, 2},
        {"\xe2\x82\xac", 3, 3},
        {"\xf0\x9f\x98\x80", 4, 4},
        {"\xc3", 1, 0},
        {"\xc0\x80", 2, 0},
        {"\xe0\x80\x80", 3, 0},
        {"\xed\xa0\x80", 3, 0},
        {"\xf4\x90\x80\x80", 4, 0},
        {"\xf0\x80\x80\x80", 4, 0},
        {"\xff", 1, 0},
        {"\x80", 1, 0},
        {"\xe2\x82", 2, 0},
        {"\xe2\x28\xa1", 3, 0},
        {"\xf4\x8f\xbf\xbf", 4, 4},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cr_expect(eq(sz, utf8_sequence((const uint8_t *)rows[i].bytes, rows[i].length), rows[i].expected),
                  "row %zu", i);
}
