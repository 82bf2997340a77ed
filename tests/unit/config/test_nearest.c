#include "config/nearest.h"

#include <criterion/criterion.h>
#include <string.h>

Test(nearest, counts_each_kind_of_edit)
{
    cr_expect_eq(edit_distance("snaplen", "snaplen"), 0);
    cr_expect_eq(edit_distance("snaplen", "snaplne"), 1, "neighbours swapped");
    cr_expect_eq(edit_distance("snaplen", "snalen"), 1, "one missing");
    cr_expect_eq(edit_distance("snaplen", "snapplen"), 1, "one too many");
    cr_expect_eq(edit_distance("snaplen", "snaplan"), 1, "one replaced");
    cr_expect_eq(edit_distance("kitten", "sitting"), 3);
    cr_expect_eq(edit_distance("", "abc"), 3);
    cr_expect_eq(edit_distance("abc", ""), 3);
}

Test(nearest, far_words_are_not_meant)
{
    cr_expect(edits_are_near("snaplne", 2));
    cr_expect_not(edits_are_near("snaplne", 3));
    cr_expect_not(edits_are_near("ab", 1));
}

Test(nearest, is_bounded)
{
    char longest[4096];
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    cr_expect_eq(edit_distance(longest, ""), 63);
    cr_expect_eq(edit_distance(longest, longest), 0);
}
