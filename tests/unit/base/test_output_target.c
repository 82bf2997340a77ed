#include "base/output_target.h"

#include <errno.h>
#include <fcntl.h>

#include "output_directory.h"

TestSuite(output_target, .init = make_output_directory, .fini = drop_output_directory);

static void begin(struct output_target *target, const char *name, bool (*gives_up)(void))
{
    cr_assert(output_target_init(target, output_path(name), 0640, gives_up));
}

static void put(const struct output_target *target, const char *text)
{
    cr_assert_eq(output_descriptor_write(&target->out, text, strlen(text)), strlen(text));
}

static void expect_text(const char *name, const char *expected)
{
    char *text = file_text(output_path(name));
    cr_expect_str_eq(text, expected, "%s", name);
    free(text);
}

static void put_file(const char *name, const char *text)
{
    FILE *file = fopen(output_path(name), "w");
    cr_assert_not_null(file);
    fputs(text, file);
    fclose(file);
}

static bool is_there(const char *name)
{
    return access(output_path(name), F_OK) == 0;
}

Test(output_target, knows_the_size_of_a_file_that_it_does_not_empty)
{
    for (int emptied = 0; emptied < 2; emptied++) {
        struct output_target target;
        struct stat status;
        put_file("a.txt", "before");
        begin(&target, "a.txt", NULL);
        cr_assert(output_target_open(&target, false, emptied));
        cr_expect_eq(target.size, emptied ? 0 : 6);
        cr_expect_eq(target.number, 0);
        put(&target, "+");
        cr_expect(output_target_close(&target));
        output_target_done(&target);
        expect_text("a.txt", emptied ? "+" : "before+");
        unlink(output_path("a.txt"));
        begin(&target, "new.txt", NULL);
        cr_assert(output_target_open(&target, false, emptied));
        cr_assert_eq(stat(output_path("new.txt"), &status), 0);
        cr_expect_eq(status.st_mode & 0777 & ~0640u, 0, "nobody else reads it");
        output_target_done(&target);
    }
}

Test(output_target, says_why_a_path_cannot_be_opened)
{
    struct output_target target;
    begin(&target, "no/such.txt", NULL);
    cr_expect_not(output_target_open(&target, false, true));
    cr_expect_eq(errno, ENOENT);
    cr_expect_lt(target.out.fd, 0);
    cr_expect_not(output_target_is_moved(&target), "nothing is open");
    output_target_done(&target);
}

Test(output_target, takes_the_next_number_that_nobody_has)
{
    struct output_target target;
    put_file("a.000007.txt", "");
    begin(&target, "a.txt", NULL);
    cr_assert(output_target_open(&target, true, true));
    cr_expect_eq(target.number, 8);
    put_file("a.000009.txt", "another one's");
    cr_assert(output_target_close(&target));
    cr_assert(output_target_open_next(&target));
    cr_expect_eq(target.number, 10);
    cr_expect_str_eq(target.path, output_path("a.000010.txt"));
    cr_expect_str_eq(target.given, output_path("a.txt"));
    expect_text("a.000009.txt", "another one's");
    output_target_done(&target);
}

Test(output_target, deletes_what_is_beyond_the_files_to_keep)
{
    struct output_target target;
    begin(&target, "a.txt", NULL);
    cr_assert(output_target_open(&target, true, true));
    for (int i = 0; i < 5; i++) {
        output_target_close(&target);
        cr_assert(output_target_open_next(&target));
    }
    output_target_delete_old(&target, 0);
    cr_expect_eq(files_in_directory(), 6, "0 keeps all");
    output_target_delete_oldest(&target, 4, 5);
    cr_expect_not(is_there("a.000002.txt"), "the one that 6 made one too many");
    cr_expect(is_there("a.000001.txt"), "too many before: not looked for");
    output_target_delete_old(&target, 4);
    cr_expect_eq(files_in_directory(), 4);
    cr_expect(is_there("a.000003.txt") && is_there("a.000006.txt"));
    output_target_done(&target);
}

Test(output_target, sees_that_its_file_was_moved_and_opens_the_path_again)
{
    struct output_target target;
    begin(&target, "a.txt", NULL);
    cr_assert(output_target_open(&target, false, true));
    cr_expect_not(output_target_is_moved(&target));
    rename(output_path("a.txt"), output_path("moved.txt"));
    cr_expect(output_target_is_moved(&target), "nothing is there");
    put_file("a.txt", "fresh");
    cr_expect(output_target_is_moved(&target), "another file is there");
    put(&target, "still the old one");
    cr_assert(output_target_open_again(&target, false));
    cr_expect_eq(target.size, 5);
    put(&target, "+");
    output_target_done(&target);
    expect_text("moved.txt", "still the old one");
    expect_text("a.txt", "fresh+");
}

Test(output_target, stays_with_what_is_open_where_the_path_cannot_be_opened)
{
    struct output_target target;
    begin(&target, "a.txt", NULL);
    cr_assert(output_target_open(&target, false, true));
    rename(output_path("a.txt"), output_path("moved.txt"));
    cr_assert_eq(mkdir(output_path("a.txt"), 0755), 0);
    cr_expect_not(output_target_open_again(&target, true));
    cr_expect_eq(errno, EISDIR);
    put(&target, "goes on");
    output_target_done(&target);
    rmdir(output_path("a.txt"));
    expect_text("moved.txt", "goes on");
}

Test(output_target, shows_what_was_written_aside_when_it_is_whole)
{
    struct output_target target;
    put_file("a.txt", "");
    begin(&target, "a.txt", NULL);
    cr_assert(output_target_open(&target, false, false));
    put(&target, "[]");
    cr_assert(output_target_set_aside(&target));
    cr_expect_eq(target.size, 0);
    put(&target, "[whole]");
    expect_text("a.txt", "[]");
    cr_expect(output_target_close(&target));
    expect_text("a.txt", "[whole]");
    cr_expect_eq(files_in_directory(), 1);
    output_target_done(&target);
}

Test(output_target, puts_what_was_written_aside_into_place_when_it_is_dropped)
{
    struct output_target target;
    begin(&target, "a.txt", NULL);
    cr_assert(output_target_open(&target, false, true));
    cr_assert(output_target_set_aside(&target));
    put(&target, "as far as it came");
    output_target_done(&target);
    expect_text("a.txt", "as far as it came");
}

static bool at_once(void)
{
    return true;
}

Test(output_target, a_pipe_that_nobody_reads_yet_is_as_good_as_open)
{
    struct output_target target;
    cr_assert_eq(mkfifo(output_path("pipe"), 0600), 0);
    begin(&target, "pipe", at_once);
    cr_assert(output_target_open(&target, true, true), "pipes are not numbered");
    cr_expect_eq(target.number, 0);
    cr_expect(target.awaits_first && target.out.fd < 0);
    cr_expect_not(output_target_meet_first_reader(&target));
    cr_expect_eq(errno, ENXIO);
    cr_expect_not(output_target_await_first_reader(&target));
    cr_expect_eq(errno, ETIMEDOUT);
    int reader = open(output_path("pipe"), O_RDONLY | O_NONBLOCK);
    cr_assert(output_target_await_first_reader(&target));
    cr_expect_not(target.awaits_first);
    cr_expect_not(output_target_is_moved(&target), "no file that could be");
    put(&target, "read");
    char text[8] = "";
    cr_expect_eq(read(reader, text, sizeof text), 4);
    cr_expect_str_eq(text, "read");
    close(reader);
    output_target_done(&target);
}

Test(output_target, a_name_is_the_path_or_standard_output)
{
    struct output_target file, standard;
    begin(&file, "a.txt", NULL);
    cr_assert(output_target_init(&standard, "-", 0640, NULL));
    cr_expect_str_eq(output_target_name(&file, "a.000001.txt"), "a.000001.txt");
    cr_expect_str_eq(output_target_name(&standard, "-"), "standard output");
    output_target_done(&file);
    output_target_done(&standard);
}
