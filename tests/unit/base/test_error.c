#include "base/error.h"

#include <criterion/criterion.h>
#include <string.h>

Test(error, carries_code_and_sentence)
{
    struct error error;
    cr_expect_not(error_set(&error, EXIT_NO_INTERFACE, "no interface %s", "eth9"));
    cr_expect_eq(error.code, EXIT_NO_INTERFACE);
    cr_expect_str_eq(error.text, "no interface eth9");
}

Test(error, prefixes_keep_the_code)
{
    struct error error;
    error_set(&error, EXIT_USAGE, "must be a number");
    cr_expect_not(error_prefix(&error, "%s:%d", "a.yaml", 7));
    cr_expect_str_eq(error.text, "a.yaml:7: must be a number");
    cr_expect_eq(error.code, EXIT_USAGE);
}

Test(error, cuts_what_is_too_long)
{
    struct error error;
    char much[4 * ERROR_TEXT_BYTES];
    memset(much, 'x', sizeof much - 1);
    much[sizeof much - 1] = '\0';
    error_set(&error, EXIT_USAGE, "%s", much);
    cr_expect_eq(strlen(error.text), ERROR_TEXT_BYTES - 1);
    error_prefix(&error, "front");
    cr_expect_eq(strlen(error.text), ERROR_TEXT_BYTES - 1);
    cr_expect_eq(strncmp(error.text, "front: x", 8), 0);
    error_prefix(&error, "%s", much);
    cr_expect_eq(strlen(error.text), ERROR_TEXT_BYTES - 1);
}
