#include "capture/file/file_source.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "fixtures.h"

static struct bytes file;
static struct taken taken;

// A pcap file of `count` packets from `start` on, `step` seconds apart.
static char *make_file(const struct directory *directory, const char *name, uint32_t start, uint32_t step,
                       unsigned count, uint8_t fill)
{
    file.length = 0;
    put_pcap_header(&file, false, 0xa1b2c3d4, 1);
    for (unsigned i = 0; i < count; i++)
        put_pcap_record(&file, false, start + i * step, 0, 40, fill);
    char *path = path_in(directory, name);
    write_file(path, file.at, file.length);
    return path;
}

Test(file_source, files_are_ordered_by_their_first_packet)
{
    struct directory directory = directory_make();
    char *paths[] = {make_file(&directory, "late", 2000, 1, 10, 'l'),
                     make_file(&directory, "early", 1000, 1, 10, 'e'),
                     make_file(&directory, "empty", 0, 0, 0, 0)};
    cr_assert(read_paths(paths, 3, "", &taken));
    cr_assert_eq(taken.verdict, ERROR_NONE);
    cr_assert_eq(taken.frames, 20);
    cr_assert_eq(taken.first_byte[0], 'e');
    cr_assert_eq(taken.first_byte[10], 'l');
    directory_done(&directory);
}

Test(file_source, overlapping_files_are_merged_by_time)
{
    struct directory directory = directory_make();
    char *paths[] = {make_file(&directory, "a", 1000, 3, 1000, 'a'),
                     make_file(&directory, "b", 1001, 3, 1000, 'b'),
                     make_file(&directory, "c", 2500, 1, 1000, 'c')};
    cr_assert(read_paths(paths, 3, "", &taken));
    cr_assert_eq(taken.frames, 3000);
    cr_assert_eq(taken.steps_back, 0);
    cr_assert_eq(taken.first_byte[0], 'a');
    cr_assert_eq(taken.first_byte[1], 'b');
    cr_assert_eq(taken.first_byte[2], 'a');
    directory_done(&directory);
}

Test(file_source, more_overlapping_files_than_may_be_open_lose_nothing)
{
    struct directory directory = directory_make();
    char name[16];
    for (unsigned i = 0; i < 20; i++) { // a pool of 16 chunks allows four
        snprintf(name, sizeof name, "f%02u", i);
        make_file(&directory, name, 1000 + i, 10, 100, (uint8_t)i);
    }
    cr_assert(read_path(directory.path, "", &taken));
    cr_assert_eq(taken.verdict, ERROR_NONE);
    cr_assert_eq(taken.frames, 2000);
    cr_assert_gt(taken.steps_back, 0);
    directory_done(&directory);
}

Test(file_source, directories_stand_for_their_captures)
{
    struct directory directory = directory_make();
    make_file(&directory, "b.bin", 5, 1, 2, 'b');
    make_file(&directory, "a.bin", 5, 1, 2, 'a');
    write_file(path_in(&directory, "notes.txt"), "no capture", 10);
    write_file(path_in(&directory, "nothing"), "", 0);
    cr_assert_eq(mkdir(path_in(&directory, "sub"), 0700), 0);
    cr_assert(read_path(directory.path, "", &taken));
    cr_assert_eq(taken.verdict, ERROR_NONE);
    cr_assert_eq(taken.frames, 4);
    cr_assert_eq(taken.first_byte[0], 'a', "equal stamps: by name");
    char *empty = path_in(&directory, "sub");
    cr_assert_not(read_path(empty, "", &taken));
    cr_assert_eq(taken.error.kind, ERROR_UNAVAILABLE);
    cr_assert_not_null(strstr(taken.error.text, "holds no pcap"), "%s", taken.error.text);
    directory_done(&directory);
}

static void expect_refused(const void *bytes, size_t length, const char *sentence)
{
    struct directory directory = directory_make();
    char *path = path_in(&directory, "x");
    write_file(path, bytes, length);
    cr_assert_not(read_path(path, "", &taken));
    cr_assert_eq(taken.error.kind, ERROR_UNAVAILABLE);
    cr_assert_not_null(strstr(taken.error.text, sentence), "%s", taken.error.text);
    directory_done(&directory);
}

Test(file_source, what_is_no_capture_is_told_apart)
{
    expect_refused("", 0, "is empty");
    expect_refused("hello\n", 6, "text");
    expect_refused("PK\3\4aaaaaaaa", 12, "ZIP");
    expect_refused("\x7f"
                   "ELF\1\1\1\0",
                   8, "program");
    expect_refused("\0\1\2\3\4", 5, "unknown kind");
    expect_refused("snoop\0\0\0\0\0\0\2", 12, "snoop");
    expect_refused("ab", 2, "text");
}

Test(file_source, a_bad_file_among_good_ones_does_not_stop_them)
{
    struct directory directory = directory_make();
    char *good = make_file(&directory, "good", 10, 1, 5, 'g');
    char *text = path_in(&directory, "text");
    write_file(text, "hello", 5);
    char *paths[] = {text, good, path_in(&directory, "missing")};
    cr_assert(read_paths(paths, 3, "", &taken));
    cr_assert_eq(taken.frames, 5);
    cr_assert_eq(taken.verdict, ERROR_UNAVAILABLE);
    char sentence[512];
    snprintf(sentence, sizeof sentence, "2 of 3 inputs were not read whole, the first of them %s", text);
    cr_assert_str_eq(taken.error.text, sentence);

    file.length -= 7;
    char *cut = path_in(&directory, "cut");
    make_file(&directory, "cut", 20, 1, 5, 'c');
    cr_assert_eq(truncate(cut, (off_t)file.length - 7), 0);
    char *two[] = {good, cut};
    cr_assert(read_paths(two, 2, "", &taken));
    cr_assert_eq(taken.frames, 9);
    cr_assert_eq(taken.verdict, ERROR_DATA_LOSS);
    snprintf(sentence, sizeof sentence, "1 of 2 inputs was not read whole: %s", cut);
    cr_assert_str_eq(taken.error.text, sentence);
    cr_assert_not(read_paths((char *[]){text, text}, 2, "", &taken));
    snprintf(sentence, sizeof sentence, "2 of 2 inputs were not read whole, the first of them %s", text);
    cr_assert_str_eq(taken.error.text, sentence);
    directory_done(&directory);
}

Test(file_source, standard_input_is_read_once)
{
    char *paths[] = {(char *)"-", (char *)"-"};
    cr_assert_not(read_paths(paths, 2, "", &taken));
    cr_assert_eq(taken.error.kind, ERROR_INVALID_ARGUMENT);

    struct directory directory = directory_make();
    int fd = open(make_file(&directory, "x", 1, 1, 300, 'x'), O_RDONLY);
    cr_assert_eq(dup2(fd, STDIN_FILENO), STDIN_FILENO);
    close(fd);
    cr_assert(read_paths(paths, 1, "", &taken));
    cr_assert_eq(taken.frames, 300);
    directory_done(&directory);
}

// Each stays open, with a chunk: beyond three quarters of the pool reading would wait for ever.
Test(file_source, one_pipe_too_many_is_told, .timeout = 20)
{
    enum { PIPES = 4 };
    struct directory directory = directory_make();
    make_file(&directory, "x", 1000, 1, 10, 'x');
    char *paths[PIPES];
    int ends[PIPES];
    for (unsigned i = 0; i < PIPES; i++) {
        char name[16];
        snprintf(name, sizeof name, "pipe%u", i);
        paths[i] = path_in(&directory, name);
        cr_assert_eq(mkfifo(paths[i], 0600), 0);
        ends[i] = open(paths[i], O_RDWR);
        cr_assert_eq(write(ends[i], file.at, file.length), (ssize_t)file.length);
    }
    struct chunk_pool *pool = chunk_pool_create(PIPES, CHUNK_BYTES);
    struct string_list list = {.items = paths, .count = PIPES};
    struct error error = {0};
    cr_assert_null(file_source_create(&list, "", pool, &error));
    cr_assert_eq(error.kind, ERROR_EXHAUSTED);
    cr_assert_not_null(strstr(error.text, "pipe3 is a pipe too many: of those, 3 can be read"), "%s",
                       error.text);
    cr_assert_eq(chunk_pool_out(pool), 0);
    for (unsigned i = 0; i < PIPES; i++)
        close(ends[i]);
    chunk_pool_destroy(pool);
    directory_done(&directory);
}

Test(file_source, filtered_packets_are_left_out)
{
    struct directory directory = directory_make();
    char *path = make_file(&directory, "x", 1, 1, 10, 0);
    struct chunk_pool *pool = chunk_pool_create(4, CHUNK_BYTES);
    struct string_list list = {.items = &path, .count = 1};
    struct error error;
    static const struct {
        const char *filter;
        uint64_t frames;
    } cases[] = {{"", 10}, {"len > 0", 10}, {"tcp", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct source *source = file_source_create(&list, cases[i].filter, pool, &error);
        cr_assert_not_null(source, "%s", error.text);
        take_all(source, &taken);
        cr_assert_eq(taken.frames, cases[i].frames, "%s", cases[i].filter);
        source_destroy(source);
    }
    cr_assert_null(file_source_create(&list, "tcp and and", pool, &error));
    cr_assert_eq(error.kind, ERROR_INVALID_ARGUMENT);
    cr_assert_not_null(strstr(error.text, "syntax error"), "%s", error.text);
    chunk_pool_destroy(pool);
    directory_done(&directory);
}

Test(file_source, stop_ends_it)
{
    struct directory directory = directory_make();
    char *path = make_file(&directory, "x", 1, 1, 1000, 0);
    struct chunk_pool *pool = chunk_pool_create(4, CHUNK_BYTES);
    struct string_list list = {.items = &path, .count = 1};
    struct error error;
    struct source *source = file_source_create(&list, "", pool, &error);
    struct frame frames[16];
    unsigned count;
    cr_assert_eq(source_poll(source, 0, frames, 16, &count), SOURCE_FRAMES);
    cr_assert_eq(count, 16);
    source_stop(source, true);
    cr_assert_eq(source_poll(source, 0, frames, 16, &count), SOURCE_END);
    cr_assert_eq(source_verdict(source, &error), ERROR_NONE);
    source_destroy(source);
    chunk_pool_destroy(pool);
    directory_done(&directory);
}

static void expect_cut(unsigned frames_in_file, bool cut)
{
    struct directory directory = directory_make();
    char *path = make_file(&directory, "x", 1, 1, frames_in_file, 0);
    struct chunk_pool *pool = chunk_pool_create(4, CHUNK_BYTES);
    struct string_list list = {.items = &path, .count = 1};
    struct error error;
    struct source *source = file_source_create(&list, "", pool, &error);
    struct frame frames[16];
    unsigned count;
    cr_assert_eq(source_poll(source, 0, frames, 16, &count), SOURCE_FRAMES);
    source_stop(source, true);
    cr_assert_eq(source_poll(source, 0, frames, 16, &count), SOURCE_END);
    cr_expect_eq(file_source_was_cut(source), cut, "%u frames", frames_in_file);
    source_destroy(source);
    chunk_pool_destroy(pool);
    directory_done(&directory);
}

Test(file_source, is_cut_only_when_something_was_left)
{
    expect_cut(15, false);
    expect_cut(16, false);
    expect_cut(17, true);
    expect_cut(1000, true);
}

Test(file_source, kept_open_it_rests_after_its_end)
{
    struct directory directory = directory_make();
    char *path = make_file(&directory, "x", 1, 1, 10, 0);
    struct chunk_pool *pool = chunk_pool_create(4, CHUNK_BYTES);
    struct string_list list = {.items = &path, .count = 1};
    struct error error;
    struct source *source = file_source_create(&list, "", pool, &error);
    struct frame frames[16];
    unsigned count;
    source_keep_open(source, true);
    cr_assert_eq(source_poll(source, 0, frames, 16, &count), SOURCE_FRAMES);
    cr_assert_eq(count, 10);
    cr_assert_eq(source_poll(source, 0, frames, 16, &count), SOURCE_RESTS);
    cr_expect_not(file_source_rests(source), "what was handed over is not taken in yet");
    cr_assert_eq(source_poll(source, 0, frames, 16, &count), SOURCE_RESTS);
    cr_expect(file_source_rests(source));
    source_stop(source, true);
    cr_assert_eq(source_poll(source, 0, frames, 16, &count), SOURCE_END);
    cr_expect(!file_source_was_cut(source));
    source_destroy(source);
    chunk_pool_destroy(pool);
    directory_done(&directory);
}

Test(file_source, without_a_free_chunk_it_is_idle_and_frames_stay_whole)
{
    struct directory directory = directory_make();
    file.length = 0;
    put_pcap_header(&file, false, 0xa1b2c3d4, 1);
    for (uint8_t i = 0; i < 15; i++)
        put_pcap_record(&file, false, i, 0, 60000, i);
    char *path = path_in(&directory, "x");
    write_file(path, file.at, file.length);
    struct chunk_pool *pool = chunk_pool_create(2, 300000);
    struct string_list list = {.items = &path, .count = 1};
    struct error error;
    struct source *source = file_source_create(&list, "", pool, &error);
    struct frame frames[64];
    unsigned count;
    unsigned held = 0;
    struct frame kept[64];
    enum source_result result;
    while ((result = source_poll(source, 1, frames, 64, &count)) == SOURCE_FRAMES)
        for (unsigned i = 0; i < count; i++) {
            chunk_retain(frames[i].chunk);
            kept[held++] = frames[i];
        }
    cr_assert_eq(result, SOURCE_IDLE, "both chunks are held");
    cr_assert(held > 4 && held < 15, "%u", held);
    for (unsigned i = 0; i < held; i++) {
        cr_assert_eq(kept[i].bytes[0], i);
        cr_assert_eq(kept[i].bytes[59999], i);
        chunk_release(kept[i].chunk);
    }
    cr_assert_eq(source_poll(source, 1, frames, 64, &count), SOURCE_FRAMES);
    cr_assert_eq(frames[0].bytes[59999], held);
    source_destroy(source);
    chunk_pool_destroy(pool);
    directory_done(&directory);
}

// The packet counts of tshark, where the shared captures are at hand.
Test(file_source, packets_equal_the_oracle, .timeout = 250)
{
    FILE *rows = fopen(NETSCOPE_SOURCE_DIR "/../shared/captures/tshark-oracle/files.tsv", "r");
    if (rows == NULL)
        cr_skip_test("the shared captures are not here");
    char line[4096];
    unsigned files = 0;
    while (fgets(line, sizeof line, rows) != NULL) {
        char name[1024], path[2048];
        unsigned long packets, bytes;
        if (sscanf(line, "%1023s %lu %lu", name, &packets, &bytes) != 3 || strstr(line, "tshark: ") != NULL)
            continue;
        snprintf(path, sizeof path, NETSCOPE_SOURCE_DIR "/../shared/captures/%s", name);
        cr_expect(read_path(path, "", &taken), "%s: %s", name, taken.error.text);
        bool custom_blocks = strstr(name, "test102.pcapng") != NULL || strstr(name, "test018.pcapng") != NULL;
        if (!custom_blocks) // tshark counts those as packets
            cr_expect_eq(taken.frames, packets, "%s: %lu, not %lu", name, (unsigned long)taken.frames,
                         packets);
        cr_expect_eq(taken.verdict, ERROR_NONE, "%s: %s", name, taken.error.text);
        files++;
    }
    fclose(rows);
    cr_assert_gt(files, 1000);
}
