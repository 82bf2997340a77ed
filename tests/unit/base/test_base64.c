#include "base/base64.h"

#include <criterion/criterion.h>
#include <string.h>

static void expect(const char *bytes, const char *expected)
{
    char text[BASE64_TEXT_BYTES(16)];
    cr_expect_str_eq(base64_encode(bytes, strlen(bytes), text), expected);
    cr_expect_eq(strlen(text) + 1, BASE64_TEXT_BYTES(strlen(bytes)));
}

// RFC 4648, section 10.
Test(base64, gives_the_vectors_of_the_rfc)
{
    expect("", "");
    expect("f", "Zg==");
    expect("fo", "Zm8=");
    expect("foo", "Zm9v");
    expect("foob", "Zm9vYg==");
    expect("fooba", "Zm9vYmE=");
    expect("foobar", "Zm9vYmFy");
}

Test(base64, uses_the_whole_alphabet)
{
    char text[BASE64_TEXT_BYTES(3)];
    cr_expect_str_eq(base64_encode("\xfb\xff\xbf", 3, text), "+/+/");
}
