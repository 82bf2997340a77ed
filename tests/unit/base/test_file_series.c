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

// Neighbours of every kind: none of them is a file of the series "a.csv".
static const char *const neighbours[] = {
    "a.csv",
    "a.20261101.csv",   // a day
    "a.2026310.csv",    // a day of a year
    "a.1700000000.csv", // a second
    "a.99.csv",
    "a.0000001.csv",
    "a.00000a.csv",
    "a.-00001.csv",
    "a.000900.csv.old",
    "a.000900.csv.gz.old",
    "a.000900.csvx",
    "a.000900",
    "a.000900.000901.csv.x",
    "a.000960.txt",
    "ab.000950.csv",
    "a-000950.csv",
    "A.000950.csv",
    "xa.000950.csv",
    ".a.000950.csv",
};
enum { NEIGHBOURS = sizeof neighbours / sizeof neighbours[0] };

static void make_files(const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        fclose(fopen(output_path(names[i]), "w"));
}

static void expect_neighbours(void)
{
    for (unsigned i = 0; i < NEIGHBOURS; i++)
        cr_expect(access(output_path(neighbours[i]), F_OK) == 0, "%s was deleted", neighbours[i]);
    unlink(output_path(".a.000950.csv"));
}

TestSuite(file_series_in_a_directory, .init = make_output_directory, .fini = drop_output_directory);

Test(file_series_in_a_directory, neighbours_are_left_alone)
{
    make_files(neighbours, NEIGHBOURS);
    struct file_series series;
    file_series_init(&series, output_path("a.csv"));
    cr_expect(eq(u64, file_series_last(&series), 0));
    file_series_delete_up_to(&series, UINT64_MAX);
    for (uint64_t number = 1; number < 1000; number++)
        file_series_delete(&series, number);
    expect_neighbours();
    file_series_done(&series);
}

Test(file_series_in_a_directory, knows_its_own_files)
{
    static const char *const own[] = {"a.000002.csv", "a.000010.csv.gz", "a.999999.csv", "a.1000000.csv"};
    make_files(own, 4);
    make_files(neighbours, NEIGHBOURS);
    struct file_series series;
    file_series_init(&series, output_path("a.csv"));
    cr_expect(eq(u64, file_series_last(&series), 1000000));
    file_series_delete_up_to(&series, 10);
    cr_expect(access(output_path("a.000002.csv"), F_OK) != 0);
    cr_expect(access(output_path("a.000010.csv.gz"), F_OK) != 0);
    cr_expect(access(output_path("a.999999.csv"), F_OK) == 0);
    file_series_delete(&series, 999999);
    file_series_delete(&series, 1000000);
    cr_expect(access(output_path("a.999999.csv"), F_OK) != 0);
    cr_expect(access(output_path("a.1000000.csv"), F_OK) != 0);
    expect_neighbours();
    file_series_done(&series);
}
