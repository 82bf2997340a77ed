#include "base/error.h"

#include <criterion/criterion.h>
#include <string.h>

Test(error, carries_kind_and_sentence)
{
    struct error error;
    cr_expect_not(error_set(&error, ERROR_UNAVAILABLE, "no interface %s", "eth9"));
    cr_expect_eq(error.kind, ERROR_UNAVAILABLE);
    cr_expect_str_eq(error.text, "no interface eth9");
}

Test(error, prefixes_keep_the_kind)
{
    struct error error;
    error_set(&error, ERROR_INVALID_ARGUMENT, "must be a number");
    cr_expect_not(error_prefix(&error, "%s:%d", "a.yaml", 7));
    cr_expect_str_eq(error.text, "a.yaml:7: must be a number");
    cr_expect_eq(error.kind, ERROR_INVALID_ARGUMENT);
}

Test(error, cuts_what_is_too_long)
{
    struct error error;
    char much[4 * ERROR_TEXT_BYTES];
    memset(much, 'x', sizeof much - 1);
    much[sizeof much - 1] = '\0';
    error_set(&error, ERROR_INVALID_ARGUMENT, "%s", much);
    cr_expect_eq(strlen(error.text), ERROR_TEXT_BYTES - 1);
    error_prefix(&error, "front");
    cr_expect_eq(strlen(error.text), ERROR_TEXT_BYTES - 1);
    cr_expect_eq(strncmp(error.text, "front: x", 8), 0);
    error_prefix(&error, "%s", much);
    cr_expect_eq(strlen(error.text), ERROR_TEXT_BYTES - 1);
}
