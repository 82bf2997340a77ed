#include <signal.h>
#include <sys/resource.h>

#include "base/time.h"
#include "output_lines.h"

TestSuite(output_file, .init = make_output_directory, .fini = drop_output_directory);

// The disk is full after so many bytes: writes are cut short, then fail with EFBIG.
static void limit_file_size(rlim_t bytes)
{
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit limit;
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &limit);
}

Test(output_file, truncates_and_writes_head_lines_and_tail)
{
    for (int run = 0; run < 2; run++) {
        struct output_file *file =
            open_lines(output_path("a.txt"), (struct output_options){.head = "head\n", .tail = "tail\n"});
        add_lines(file, 7, 1, 0);
        cr_assert(output_file_close(file, &error));
    }
    char *text = file_text(output_path("a.txt"));
    cr_assert(eq(str, text, "head\nrecord 000007 of a run\ntail\n"));
    free(text);
}

Test(output_file, unwritable_paths_fail_at_the_start)
{
    cr_assert(open_lines(output_path("no/such/a.txt"), (struct output_options){0}) == NULL);
    cr_assert(strstr(error.text, "no/such/a.txt: No such file or directory") != NULL, "%s", error.text);
    cr_assert(eq(int, (int)error.kind, ERROR_NOT_FOUND));
    cr_assert(open_lines(output_directory, (struct output_options){0}) == NULL);
    cr_assert(strstr(error.text, "Is a directory") != NULL, "%s", error.text);
}

Test(output_file, a_head_that_cannot_be_written_is_reported_at_the_end)
{
    struct output_file *file = open_lines("/dev/full", (struct output_options){.head = "head\n"});
    cr_assert(file != NULL);
    cr_assert(not(output_file_close(file, &error)));
    cr_assert(eq(str, error.text, "/dev/full is incomplete: No space left on device"));
}

Test(output_file, without_its_head_a_file_stays_empty)
{
    limit_file_size(0);
    struct output_file *file =
        open_lines(output_path("a.txt"), (struct output_options){.head = "[\n", .tail = "]\n"});
    limit_file_size(RLIM_INFINITY);
    add_lines(file, 0, 3, 0);
    cr_assert(not(output_file_close(file, &error)));
    cr_assert(strstr(error.text, "File too large; 3 records were not written") != NULL, "%s", error.text);
    char *text = file_text(output_path("a.txt"));
    cr_assert(eq(str, text, ""));
    free(text);
}

Test(output_file, full_device_is_reported)
{
    struct output_file *file = open_lines("/dev/full", (struct output_options){0});
    cr_assert(file != NULL);
    add_lines(file, 0, 3, 0);
    cr_assert(not(output_file_close(file, &error)));
    cr_assert(
        eq(str, error.text, "/dev/full is incomplete: No space left on device; 3 records were not written"));
    cr_assert(eq(u64, counts.lost, 3));
    cr_assert(eq(u64, counts.records, 0));
}

Test(output_file, full_disk_leaves_whole_lines)
{
    struct output_file *file = open_lines(output_path("a.txt"), (struct output_options){0});
    limit_file_size(1000);
    add_lines(file, 0, 100, 0);
    output_file_flush(file, 0);
    add_lines(file, 100, 10, 0);
    limit_file_size(RLIM_INFINITY);
    cr_assert(eq(u64, counts.records, 1000 / LINE_BYTES));
    cr_assert(not(output_file_close(file, &error)));
    char *text = file_text(output_path("a.txt"));
    cr_assert(eq(uint, lines_in(text), 100)); // close() tried again; the ten were refused
    cr_assert(eq(chr, text[strlen(text) - 1], '\n'));
    cr_assert(eq(u64, counts.records, 100));
    cr_assert(eq(u64, counts.lost, 10));
    free(text);
}

Test(output_file, full_disk_still_takes_the_tail)
{
    struct output_file *file =
        open_lines(output_path("a.txt"), (struct output_options){.head = "[\n", .tail = "]\n"});
    limit_file_size(2 + LINE_BYTES * 41);
    add_lines(file, 0, 100, 0);
    cr_assert(not(output_file_close(file, &error)));
    char *text = file_text(output_path("a.txt"));
    cr_assert(eq(uint, lines_in(text), 42)); // one record made room
    cr_assert(strcmp(text + strlen(text) - 11, "of a run\n]\n") == 0, "%s", text);
    cr_assert(eq(u64, counts.records, 40));
    cr_assert(eq(u64, counts.lost, 60));
    free(text);
}

Test(output_file, live_output_tries_again_every_second)
{
    struct output_file *file = open_lines(output_path("a.txt"), (struct output_options){.keep_trying = true});
    limit_file_size(LINE_BYTES * 10);
    add_lines(file, 0, 20, 0);
    output_file_flush(file, 0);
    limit_file_size(RLIM_INFINITY);
    add_lines(file, 20, 5, NS_PER_S - 1); // too early: lost
    cr_assert(eq(u64, counts.lost, 5));
    add_lines(file, 25, 5, NS_PER_S);
    cr_assert(not(output_file_close(file, &error)));
    char *text = file_text(output_path("a.txt"));
    cr_assert(eq(uint, lines_in(text), 25));
    cr_assert(strstr(text, "record 000019") != NULL && strstr(text, "record 000025") != NULL);
    cr_assert(strstr(text, "record 000020") == NULL);
    cr_assert(eq(u64, counts.errors, 1));
    free(text);
}

Test(output_file, rotation_keeps_exactly_n_files_and_every_record)
{
    struct output_file *file =
        open_lines(output_path("a.jsonl"),
                   (struct output_options){.rotate_bytes = 1000, .max_files = 100, .head = "head\n"});
    add_lines(file, 0, 1000, 0);
    cr_assert(output_file_close(file, &error));
    unsigned next = 0;
    for (unsigned number = 1; next < 1000; number++) {
        char name[32], expected[64];
        snprintf(name, sizeof name, "a.%06u.jsonl", number);
        char *text = file_text(output_path(name));
        cr_assert(strlen(text) <= 1000 && strncmp(text, "head\n", 5) == 0, "%s: %s", name, text);
        for (char *line = strchr(text, '\n') + 1; *line != '\0'; line = strchr(line, '\n') + 1) {
            snprintf(expected, sizeof expected, "record %06u of a run\n", next++);
            cr_assert(strncmp(line, expected, strlen(expected)) == 0);
        }
        free(text);
    }
    cr_assert(eq(u64, counts.records, 1000));

    file = open_lines(output_path("a.jsonl"), (struct output_options){.rotate_bytes = 1000, .max_files = 3});
    add_lines(file, 0, 1000, 0);
    cr_assert(output_file_close(file, &error));
    cr_assert(eq(uint, files_in_directory(), 3));
}

Test(output_file, rotation_goes_on_after_the_highest_number)
{
    fclose(fopen(output_path("a.000041.jsonl"), "w"));
    fclose(fopen(output_path("a.000042.jsonl.gz"), "w"));
    fclose(fopen(output_path("a.000043.jsonl.gz.partial"), "w"));
    fclose(fopen(output_path("a.other.jsonl"), "w"));
    struct output_file *file =
        open_lines(output_path("a.jsonl"), (struct output_options){.rotate_bytes = 1000, .max_files = 2});
    cr_assert(output_file_close(file, &error));
    cr_expect(access(output_path("a.000043.jsonl"), F_OK) == 0);
    cr_expect(access(output_path("a.000042.jsonl.gz"), F_OK) == 0);
    cr_expect(access(output_path("a.other.jsonl"), F_OK) == 0);
    cr_expect(eq(uint, files_in_directory(), 3));
}

Test(output_file, a_folder_that_was_removed_is_said)
{
    char folder[512], path[600], moved[512];
    snprintf(folder, sizeof folder, "%s", output_path("folder"));
    snprintf(moved, sizeof moved, "%s", output_path("away"));
    snprintf(path, sizeof path, "%s/a.txt", folder);
    mkdir(folder, 0755);
    for (int back = 0; back < 2; back++) {
        struct output_file *file = open_lines(path, (struct output_options){.replace = true});
        add_lines(file, 0, 1, 0);
        rename(folder, moved);
        cr_expect_not(output_file_follow(file, 0));
        add_lines(file, 1, 1, 0);
        if (back)
            mkdir(folder, 0755);
        cr_expect_eq(output_file_follow(file, 0), back);
        cr_expect_eq(output_file_close(file, &error), back);
        if (!back) {
            cr_expect_not_null(strstr(error.text, "could not be opened anew: No such file"), "%s",
                               error.text);
            rename(moved, folder);
        }
    }
    unlink(path);
    rmdir(folder);
    snprintf(path, sizeof path, "%s/a.txt", moved);
    unlink(path);
    rmdir(moved);
}

Test(output_file, appends_to_what_it_may_not_empty)
{
    for (unsigned i = 0; i < 2; i++) {
        struct output_file *file =
            open_lines(output_path("a.txt"), (struct output_options){.head = "head\n", .append = true});
        add_lines(file, i, 1, 0);
        cr_assert(output_file_close(file, &error));
    }
    char *text = file_text(output_path("a.txt"));
    cr_expect(eq(str, text, "head\nrecord 000000 of a run\nrecord 000001 of a run\n"));
    free(text);
}

// One series changes hands: the new owner has the next number, and the one before does not write over it.
Test(output_file, a_series_shares_no_number)
{
    struct output_options options = {.rotate_bytes = 2 * LINE_BYTES};
    struct output_file *before = open_lines(output_path("a.txt"), options);
    add_lines(before, 0, 1, 0);
    struct output_file *after = open_lines(output_path("a.txt"), options);
    add_lines(after, 100, 1, 0);
    output_file_flush(after, 0);
    add_lines(before, 1, 3, 0);
    cr_assert(output_file_close(before, &error));
    cr_assert(output_file_close(after, &error));
    char *second = file_text(output_path("a.000002.txt")), *third = file_text(output_path("a.000003.txt"));
    cr_expect(eq(str, second, "record 000100 of a run\n"));
    cr_expect(eq(str, third, "record 000002 of a run\nrecord 000003 of a run\n"));
    free(second);
    free(third);
}

Test(output_file, reopen_follows_a_moved_file_and_appends_to_one_that_stayed)
{
    struct output_file *file = open_lines(output_path("a.txt"), (struct output_options){.head = "head\n"});
    add_lines(file, 0, 1, 0);
    output_file_follow(file, 0);
    add_lines(file, 1, 1, 0);
    output_file_flush(file, 0);
    rename(output_path("a.txt"), output_path("moved.txt"));
    output_file_follow(file, 0);
    add_lines(file, 2, 1, 0);
    cr_assert(output_file_close(file, &error));
    char *moved = file_text(output_path("moved.txt")), *fresh = file_text(output_path("a.txt"));
    cr_expect(eq(str, moved, "head\nrecord 000000 of a run\nrecord 000001 of a run\n"));
    cr_expect(eq(str, fresh, "head\nrecord 000002 of a run\n"));
    free(moved);
    free(fresh);
}

Test(output_file, stops_below_the_free_space_that_is_to_stay)
{
    struct output_file *file =
        open_lines(output_path("a.txt"), (struct output_options){.min_free_bytes = UINT64_MAX});
    add_lines(file, 0, 5, 0);
    cr_assert(not(output_file_close(file, &error)));
    cr_assert(strstr(error.text, "output.min_free_mb; 5 records") != NULL, "%s", error.text);
    cr_assert(eq(u64, counts.errors, 1));
}

Test(output_file, rotation_deletes_no_neighbour)
{
    static const char *const days[] = {"a.20261101.txt", "a.20261102.txt", "a.20261103.txt",
                                       "a.20261120.txt"};
    for (unsigned i = 0; i < 4; i++)
        fclose(fopen(output_path(days[i]), "w"));
    for (int run = 0; run < 2; run++) {
        struct output_file *file =
            open_lines(output_path("a.txt"), (struct output_options){.rotate_bytes = 100, .max_files = 2});
        add_lines(file, 0, 100, 0);
        cr_assert(output_file_close(file, &error));
        cr_expect(eq(uint, files_in_directory(), 4 + 2));
    }
    for (unsigned i = 0; i < 4; i++)
        cr_expect(access(output_path(days[i]), F_OK) == 0, "%s was deleted", days[i]);
    cr_expect(access(output_path("a.000050.txt"), F_OK) == 0);
}

// Units need no newline: they are cut where they end.
Test(output_file, full_disk_leaves_whole_units_of_any_bytes)
{
    struct output_file *file = open_lines(output_path("a.bin"), (struct output_options){0});
    limit_file_size(1000);
    uint8_t *head = output_file_place(file, 10);
    memset(head, 'h', 10);
    output_file_commit_head(file, 10);
    for (unsigned i = 0; i < 50; i++) {
        size_t length = 20 + i;
        uint8_t *place = output_file_reserve(file, 200, 0);
        cr_assert(place != NULL);
        memset(place, (int)i, length);
        output_file_commit(file, length);
    }
    output_file_flush(file, 0);
    struct stat status;
    stat(output_path("a.bin"), &status);
    size_t expected = 10;
    unsigned units = 0;
    for (; expected + 20 + units <= 1000; units++)
        expected += 20 + units;
    cr_expect(eq(sz, (size_t)status.st_size, expected));
    cr_expect(eq(u64, counts.records, units));
    cr_assert(not(output_file_close(file, &error))); // the limit holds on
    cr_expect(eq(u64, counts.records, units));
    cr_expect(eq(u64, counts.lost, 50 - units));
    limit_file_size(RLIM_INFINITY);
}
