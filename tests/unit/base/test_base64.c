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

static bool decode(const char *text, const char *expected)
{
    char bytes[16];
    size_t length;
    bool good = base64_decode(text, strlen(text), bytes, 6, &length);
    if (good)
        cr_expect(length == strlen(expected) && memcmp(bytes, expected, length) == 0, "%s", text);
    return good;
}

Test(base64, reads_what_it_writes_with_and_without_padding)
{
    cr_expect(decode("", ""));
    cr_expect(decode("Zg==", "f") && decode("Zg", "f"));
    cr_expect(decode("Zm8=", "fo") && decode("Zm8", "fo"));
    cr_expect(decode("Zm9v", "foo"));
    cr_expect(decode("Zm9vYmFy", "foobar"));
}

Test(base64, refuses_what_is_none)
{
    cr_expect_not(decode("Z", ""));
    cr_expect_not(decode("Zg=", ""));  // padding that completes nothing
    cr_expect_not(decode("Zh==", "")); // bits left over
    cr_expect_not(decode("Zm9v Zg", ""));
    cr_expect_not(decode("Zm-v", ""));
    cr_expect_not(decode("====", ""));
    cr_expect_not(decode("Zm9vYmFyZg", "")); // seven bytes
}
