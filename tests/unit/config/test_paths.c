#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "config/paths.h"

static char directory[64];

static void enter(void)
{
    strcpy(directory, "/tmp/netscope-paths-XXXXXX");
    cr_assert_not_null(mkdtemp(directory));
    cr_assert_eq(chdir(directory), 0);
}

static void leave(void)
{
    char command[128];
    cr_assert_eq(chdir("/"), 0);
    snprintf(command, sizeof command, "rm -r %s", directory);
    cr_assert_eq(system(command), 0);
}

TestSuite(paths, .init = enter, .fini = leave);

static void make(const char *path)
{
    int file = open(path, O_CREAT | O_WRONLY, 0600);
    cr_assert(file >= 0);
    close(file);
}

static bool same(const char *left, const char *right)
{
    struct place one = place_of(left, STDOUT_FILENO), other = place_of(right, STDOUT_FILENO);
    cr_expect_eq(place_is_same(&one, &other), place_is_same(&other, &one));
    return place_is_same(&one, &other);
}

Test(paths, one_file_by_two_names)
{
    make("a");
    cr_assert_eq(link("a", "hard"), 0);
    cr_assert_eq(symlink("a", "soft"), 0);
    cr_expect(same("a", "hard"));
    cr_expect(same("soft", "./a"));
    cr_expect_not(same("a", "b"));
}

Test(paths, a_name_for_a_file_to_come)
{
    char absolute[128];
    snprintf(absolute, sizeof absolute, "%s/new", directory);
    cr_assert_eq(mkdir("inner", 0700), 0);
    cr_assert_eq(symlink("../new", "inner/dangling"), 0);
    cr_assert_eq(symlink("inner/dangling", "twice"), 0);
    cr_assert_eq(symlink(absolute, "far"), 0);
    cr_assert_eq(symlink("loop", "loop"), 0);
    cr_expect(same("new", "inner/../new"));
    cr_expect(same("new", "inner/dangling"));
    cr_expect(same("new", "twice"));
    cr_expect(same("far", "twice"));
    cr_expect_not(same("new", "inner/new"));
    cr_expect_not(same("loop", "new"));
}

Test(paths, devices_that_keep_nothing_mix_nothing)
{
    cr_expect_not(same("/dev/null", "/dev/null"));
    cr_expect_not(same("/dev/full", "/dev/full"));
    cr_assert_eq(mkfifo("pipe", 0600), 0);
    cr_expect(same("pipe", "./pipe"));
}

Test(paths, standard_output_by_any_name)
{
    make("out");
    int out = open("out", O_WRONLY), before = dup(STDOUT_FILENO);
    dup2(out, STDOUT_FILENO);
    bool dash = path_is_standard_output("-"), device = path_is_standard_output("/dev/stdout"),
         file = path_is_standard_output("out"), other = path_is_standard_output("other");
    dup2(before, STDOUT_FILENO);
    cr_expect(dash && device && file && !other);
    close(out);
    close(before);
}

Test(paths, an_input_is_a_file_or_a_named_pipe)
{
    make("a");
    struct place file = place_of("a", STDIN_FILENO), null = place_of("/dev/null", STDIN_FILENO);
    cr_expect(place_is_read_back(&file, &file));
    cr_expect_not(place_is_read_back(&null, &null));
    struct place here = place_of(".", STDIN_FILENO);
    cr_expect(place_is_directory_of(&here, &file));
}
