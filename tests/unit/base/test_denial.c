#include "base/denial.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void expect_cures(const char *sentence, const char *const cures[], size_t count)
{
    cr_expect_eq(strncmp(sentence, " (", 2), 0, "%s", sentence);
    for (size_t i = 0; i < count; i++)
        cr_expect_not_null(strstr(sentence, cures[i]), "\"%s\" lacks %s", sentence, cures[i]);
}

Test(denial, outside_a_container_nothing_is_added)
{
    unsetenv("container");
    cr_expect_str_eq(denial_reading(ENOENT), "");
    cr_expect_str_eq(denial_writing(EROFS), "");
}

Test(denial, in_a_container_the_cure_is_told)
{
    setenv("container", "oci", 1);
    expect_cures(denial_reading(ENOENT), (const char *const[]){"-v \"$PWD:/data:ro\"", "- <"}, 2);
    expect_cures(denial_writing(EROFS),
                 (const char *const[]){"-v \"$PWD:/data\"", "--user \"$(id -u)\"", "-)"}, 3);
    cr_expect_str_eq(denial_reading(EIO), "");
    cr_expect_str_eq(denial_writing(ENOSPC), "");
}
