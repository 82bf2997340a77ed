#include "base/file_series.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "output_directory.h"

static void expect_path(const char *path, const char *expected)
{
    struct file_series series;
    cr_assert(file_series_init(&series, path));
    char *numbered = file_series_path(&series, 7, "");
    cr_expect(eq(str, numbered, (char *)expected));
    free(numbered);
    file_series_done(&series);
}

Test(file_series, number_stands_before_the_extension)
{
    expect_path("flows.jsonl", "flows.000007.jsonl");
    expect_path("/var/log.d/flows", "/var/log.d/flows.000007");
    expect_path("a/.hidden", "a/.hidden.000007");
    expect_path("./x.y.csv", "./x.y.000007.csv");
}

Test(file_series, looks_at_its_own_files_only, .init = make_output_directory, .fini = drop_output_directory)
{
    static const char *const names[] = {
        "a.000002.csv", "a.000010.csv.gz", "a.1000000.csv", "a.000900.csv.old",
        "a.99.csv",     "ab.000950.csv",   "a.000960.txt",  "a.csv"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        fclose(fopen(output_path(names[i]), "w"));
    struct file_series series;
    file_series_init(&series, output_path("a.csv"));
    cr_expect(eq(u64, file_series_last(&series), 1000000));
    file_series_delete_up_to(&series, 10);
    cr_expect(eq(uint, files_in_directory(), 6));
    cr_expect(access(output_path("a.000002.csv"), F_OK) != 0);
    cr_expect(access(output_path("a.000010.csv.gz"), F_OK) != 0);
    file_series_done(&series);
}
