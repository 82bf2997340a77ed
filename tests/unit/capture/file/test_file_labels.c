#include "capture/file/file_labels.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct file_label *labels;

static void label(char **paths, unsigned count)
{
    labels = file_labels_make(&(struct string_list){.items = paths, .count = count});
    cr_assert_not_null(labels);
}

static void drop(void)
{
    free(labels);
}

TestSuite(file_labels, .fini = drop);

Test(file_labels, are_base_names_where_these_differ)
{
    label((char *[]){(char *)"/var/cap/a.pcap", (char *)"b.pcap", (char *)"-"}, 3);
    cr_expect_str_eq(labels[0].name, "a.pcap");
    cr_expect_str_eq(labels[1].name, "b.pcap");
    cr_expect_str_eq(labels[2].name, "stdin");
    cr_expect_eq(labels[2].reading, 1);
}

Test(file_labels, take_as_much_of_the_path_as_differs)
{
    label((char *[]){(char *)"m/a/x.pcap", (char *)"m/b/x.pcap", (char *)"n/b/x.pcap", (char *)"x.pcap"}, 4);
    cr_expect_str_eq(labels[0].name, "a/x.pcap");
    cr_expect_str_eq(labels[1].name, "m/b/x.pcap");
    cr_expect_str_eq(labels[2].name, "n/b/x.pcap");
    cr_expect_str_eq(labels[3].name, "x.pcap");
}

Test(file_labels, a_path_named_again_gets_a_number)
{
    label((char *[]){(char *)"a/x.pcap", (char *)"y.pcap", (char *)"a/x.pcap", (char *)"b/x.pcap",
                     (char *)"a/x.pcap"},
          5);
    cr_expect_str_eq(labels[0].name, "a/x.pcap");
    cr_expect_str_eq(labels[2].name, "a/x.pcap (2)");
    cr_expect_str_eq(labels[3].name, "b/x.pcap");
    cr_expect_str_eq(labels[4].name, "a/x.pcap (3)");
    cr_expect_eq(labels[4].reading, 3);
    cr_expect_eq(labels[3].reading, 1);
}

Test(file_labels, long_paths_are_told_apart_by_number)
{
    char first[200], second[200];
    memset(first, 'd', 100);
    strcpy(first + 100, "/x.pcap");
    strcpy(second, first);
    second[0] = 'e';
    label((char *[]){first, second}, 2);
    cr_expect_str_eq(labels[0].name, "x.pcap");
    cr_expect_str_eq(labels[1].name, "x.pcap (2)");
    cr_expect_eq(labels[1].reading, 1, "another file");
}

Test(file_labels, a_number_fits_into_the_longest_name)
{
    char name[FILE_LABEL_BYTES];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    file_label_number(name, 12);
    cr_expect_eq(strlen(name), sizeof name - 1);
    cr_expect_str_eq(name + sizeof name - 7, "n (12)");
}
