#include "capture/record/pcap_writer.h"

#include <dirent.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "fixtures.h"
#include "made_source.h"

static struct taken expected, taken;

static struct made_traffic traffic(uint64_t packets)
{
    return (struct made_traffic){
        .packets = packets, .flows = 20, .start_ns = 1714564800123456789, .step_ns = 1000003};
}

// Sends made traffic through a tap into a writer; the tap's result.
static bool record(struct pcap_writer_options options, uint64_t packets, struct tap_counts *counts,
                   struct error *error)
{
    struct chunk_pool *pool = chunk_pool_create(4, CHUNK_BYTES);
    struct made_traffic made = traffic(packets);
    struct source *source = made_source_create(&made, pool);
    options.source = source;
    struct tap_consumer *writer = pcap_writer_create(&options, error);
    struct tap *tap = writer != NULL ? tap_create(writer, 1 << 20, error) : NULL;
    bool complete = false;
    if (tap != NULL) {
        struct frame frames[64];
        unsigned count;
        uint64_t number = 0;
        while (source_poll(source, 100, frames, 64, &count) == SOURCE_FRAMES)
            for (unsigned i = 0; i < count; i++)
                tap_offer(tap, &frames[i], ++number, true);
        complete = tap_finish(tap, error);
        *counts = tap_counts(tap);
        cr_assert_eq(counts->offered, counts->dropped + counts->written + counts->failed);
    }
    tap_destroy(tap);
    source_destroy(source);
    chunk_pool_destroy(pool);
    return complete;
}

static void expect_traffic(uint64_t packets)
{
    struct chunk_pool *pool = chunk_pool_create(4, CHUNK_BYTES);
    struct made_traffic made = traffic(packets);
    struct source *source = made_source_create(&made, pool);
    take_all(source, &expected);
    source_destroy(source);
    chunk_pool_destroy(pool);
}

static void expect_reproduced(char *path)
{
    cr_assert(read_path(path, "", &taken), "%s", taken.error.text);
    cr_assert_eq(taken.verdict, ERROR_NONE, "%s", taken.error.text);
    cr_assert_eq(taken.frames, expected.frames);
    cr_assert_eq(taken.bytes, expected.bytes);
    cr_assert_eq(taken.steps_back, 0);
    size_t kept = sizeof taken.time_ns / sizeof *taken.time_ns;
    size_t compared = expected.frames < kept ? expected.frames : kept;
    cr_assert_eq(memcmp(taken.time_ns, expected.time_ns, compared * sizeof *taken.time_ns), 0);
    cr_assert_eq(memcmp(taken.captured, expected.captured, compared * sizeof *taken.captured), 0);
    cr_assert_eq(memcmp(taken.link_type, expected.link_type, compared * sizeof *taken.link_type), 0);
}

Test(pcap_writer, both_formats_reproduce_every_packet)
{
    struct directory directory = directory_make();
    expect_traffic(4000);
    static const char *const names[] = {"x.pcap", "x.pcapng", "x"};
    for (int i = 0; i < 3; i++) {
        struct pcap_writer_options options = {.path = path_in(&directory, names[i])};
        struct tap_counts counts;
        struct error error;
        cr_assert(record(options, 4000, &counts, &error), "%s", error.text);
        cr_assert_eq(counts.written, 4000);
        expect_reproduced(path_in(&directory, names[i]));
    }
    uint32_t magic = 0;
    FILE *pcapng = fopen(path_in(&directory, "x.pcapng"), "r");
    cr_assert_eq(fread(&magic, 4, 1, pcapng), 1);
    fclose(pcapng);
    cr_assert_eq(magic, 0x0a0d0d0a);
    struct stat status;
    cr_assert_eq(stat(path_in(&directory, "x.pcap"), &status), 0);
    cr_assert_eq(status.st_mode & 0137, 0, "not for everybody's eyes");
    directory_done(&directory);
}

Test(pcap_writer, a_file_without_packets_is_a_capture)
{
    struct directory directory = directory_make();
    struct pcap_writer_options options = {.path = path_in(&directory, "x.pcap")};
    struct tap_counts counts;
    struct error error;
    cr_assert(record(options, 0, &counts, &error));
    cr_assert(read_path(path_in(&directory, "x.pcap"), "", &taken));
    cr_assert_eq(taken.verdict, ERROR_NONE);
    options.path = path_in(&directory, "x.pcapng");
    cr_assert(record(options, 0, &counts, &error));
    cr_assert(read_path(path_in(&directory, "x.pcapng"), "", &taken));
    cr_assert_eq(taken.verdict, ERROR_NONE);
    uint32_t blocks[8];
    FILE *file = fopen(path_in(&directory, "x.pcapng"), "rb");
    cr_assert_eq(fread(blocks, 1, sizeof blocks, file), sizeof blocks);
    fclose(file);
    cr_expect_eq(blocks[7], 1, "behind the section an interface: libpcap reads no file without any");
    directory_done(&directory);
}

static unsigned files_in(const char *path)
{
    DIR *directory = opendir(path);
    unsigned count = 0;
    const struct dirent *entry;
    while ((entry = readdir(directory)) != NULL)
        count += entry->d_name[0] != '.';
    closedir(directory);
    return count;
}

Test(pcap_writer, rotation_loses_nothing_between_files_and_keeps_the_newest)
{
    struct directory directory = directory_make();
    expect_traffic(40000);
    struct pcap_writer_options options = {
        .path = path_in(&directory, "x.pcap"), .rotate_mb = 1, .max_files = 100};
    struct tap_counts counts;
    struct error error;
    cr_assert(record(options, 40000, &counts, &error), "%s", error.text);
    unsigned files = files_in(directory.path);
    cr_assert_geq(files, 5);
    expect_reproduced(directory.path);

    options.max_files = 3;
    cr_assert(record(options, 40000, &counts, &error));
    cr_assert_eq(files_in(directory.path), 3);
    cr_assert_neq(access(path_in(&directory, "x.000001.pcap"), F_OK), 0);
    char newest[32];
    snprintf(newest, sizeof newest, "x.%06u.pcap", 2 * files);
    cr_assert_eq(access(path_in(&directory, newest), F_OK), 0, "it goes on behind the earlier run: %s",
                 newest);
    cr_assert(read_path(directory.path, "", &taken));
    cr_assert(taken.frames > 0 && taken.frames < 40000);
    cr_assert_eq(taken.verdict, ERROR_NONE);
    directory_done(&directory);
}

Test(pcap_writer, what_cannot_be_opened_says_so)
{
    struct error error;
    struct tap_counts counts;
    struct pcap_writer_options options = {.path = "/nowhere/x.pcap"};
    cr_assert_not(record(options, 1, &counts, &error));
    cr_assert_eq(error.kind, ERROR_NOT_FOUND);
    cr_assert_not_null(strstr(error.text, "cannot write /nowhere/x.pcap: No such file"), "%s", error.text);
    options = (struct pcap_writer_options){.path = "-", .rotate_mb = 1, .max_files = 1};
    cr_assert_not(record(options, 1, &counts, &error));
}

Test(pcap_writer, a_device_without_room_is_an_error_with_a_count)
{
    struct error error;
    struct tap_counts counts;
    struct pcap_writer_options options = {.path = "/dev/full"};
    cr_assert_not(record(options, 20000, &counts, &error));
    cr_assert_eq(error.kind, ERROR_DATA_LOSS);
    cr_assert_eq(counts.failed, 20000);
    cr_assert_not_null(strstr(error.text, "No space left on device; 20000 packets were not written"), "%s",
                       error.text);
}

Test(pcap_writer, a_full_disk_leaves_whole_records)
{
    struct directory directory = directory_make();
    if (mount("none", directory.path, "tmpfs", 0, "size=1m") != 0) {
        directory_done(&directory);
        cr_skip_test("no permission to make a small file system");
    }
    struct error error;
    struct tap_counts counts;
    struct pcap_writer_options options = {.path = path_in(&directory, "x.pcap")};
    cr_expect_not(record(options, 20000, &counts, &error));
    bool read = read_path(path_in(&directory, "x.pcap"), "", &taken);
    cr_assert_eq(umount(directory.path), 0);
    cr_assert(read);
    cr_assert_eq(taken.verdict, ERROR_NONE, "%s", taken.error.text);
    cr_assert_eq(taken.frames, counts.written);
    cr_assert(counts.written > 500 && counts.failed > 1000);
    directory_done(&directory);
}

Test(pcap_writer, below_the_free_room_nothing_is_written)
{
    struct directory directory = directory_make();
    struct error error;
    struct tap_counts counts;
    struct pcap_writer_options options = {.path = path_in(&directory, "x.pcap"), .min_free_mb = UINT32_MAX};
    cr_assert_not(record(options, 100, &counts, &error));
    cr_assert_eq(counts.failed, 100);
    cr_assert_not_null(strstr(error.text, "min_free_mb"), "%s", error.text);
    directory_done(&directory);
}

Test(pcap_writer, a_second_link_type_needs_pcapng)
{
    static struct bytes file;
    struct directory directory = directory_make();
    struct chunk_pool *pool = chunk_pool_create(2, CHUNK_BYTES);
    struct made_traffic made = traffic(1);
    struct source *source = made_source_create(&made, pool);
    for (int pcapng = 0; pcapng < 2; pcapng++) {
        char *path = path_in(&directory, pcapng ? "x.pcapng" : "x.pcap");
        struct pcap_writer_options options = {.path = path, .source = source};
        struct error error;
        struct tap *tap = tap_create(pcap_writer_create(&options, &error), 65536, &error);
        struct frame frame = {.bytes = file.at, .captured = 60, .length = 60, .link_type = 1, .time_ns = 5};
        tap_offer(tap, &frame, 1, true);
        frame.link_type = 101;
        tap_offer(tap, &frame, 2, true);
        bool complete = tap_finish(tap, &error);
        cr_assert_eq(complete, pcapng == 1);
        cr_assert_eq(tap_counts(tap).written, pcapng ? 2 : 1);
        if (!pcapng)
            cr_assert_not_null(strstr(error.text, ".pcapng"), "%s", error.text);
        tap_destroy(tap);
        cr_assert(read_path(path, "", &taken));
        cr_assert_eq(taken.frames, pcapng ? 2 : 1);
    }
    cr_assert_eq(taken.link_type[1], 101);
    source_destroy(source);
    chunk_pool_destroy(pool);
    directory_done(&directory);
}

static void offer_and_wait(struct tap *tap, const struct frame *frame, unsigned count, uint64_t wanted)
{
    for (unsigned i = 0; i < count; i++)
        tap_offer(tap, frame, 1, true);
    while (tap_counts(tap).written < wanted)
        usleep(1000);
}

static void expect_frames(const char *path, uint64_t frames)
{
    cr_assert(read_path((char *)path, "", &taken), "%s", taken.error.text);
    cr_assert_eq(taken.verdict, ERROR_NONE, "%s", taken.error.text);
    cr_assert_eq(taken.frames, frames);
}

Test(pcap_writer, a_folder_that_comes_back_is_followed)
{
    static const uint8_t bytes[60];
    struct directory directory = directory_make();
    struct chunk_pool *pool = chunk_pool_create(2, CHUNK_BYTES);
    struct made_traffic made = traffic(1);
    struct source *source = made_source_create(&made, pool);
    char folder[512], away[512], path[600], moved[600];
    snprintf(folder, sizeof folder, "%s", path_in(&directory, "folder"));
    snprintf(away, sizeof away, "%s", path_in(&directory, "away"));
    snprintf(path, sizeof path, "%s/x.pcap", folder);
    snprintf(moved, sizeof moved, "%s/x.pcap", away);
    mkdir(folder, 0755);
    struct pcap_writer_options options = {.path = path, .source = source};
    struct error error;
    struct tap_consumer *writer = pcap_writer_create(&options, &error);
    struct tap *tap = tap_create(writer, 65536, &error);
    struct frame frame = {.bytes = bytes, .captured = 60, .length = 60, .link_type = 1, .time_ns = 5};
    offer_and_wait(tap, &frame, 3, 3);
    cr_assert_eq(rename(folder, away), 0);
    pcap_writer_reopen(writer);
    offer_and_wait(tap, &frame, 2, 5);
    cr_assert_eq(mkdir(folder, 0755), 0);
    for (int looks = 0; looks < 500 && access(path, F_OK) != 0; looks++)
        usleep(10000);
    offer_and_wait(tap, &frame, 4, 9);
    cr_assert(tap_finish(tap, &error), "%s", error.text);
    tap_destroy(tap);
    expect_frames(moved, 5);
    expect_frames(path, 4);
    cr_expect(unlink(path) == 0 && rmdir(folder) == 0 && unlink(moved) == 0 && rmdir(away) == 0);
    source_destroy(source);
    chunk_pool_destroy(pool);
    directory_done(&directory);
}

Test(pcap_writer, a_moved_file_is_followed_by_one_that_is_whole)
{
    static const uint8_t bytes[60];
    static const char *const names[] = {"x.pcap", "x.pcapng"};
    struct directory directory = directory_make();
    struct chunk_pool *pool = chunk_pool_create(2, CHUNK_BYTES);
    struct made_traffic made = traffic(1);
    struct source *source = made_source_create(&made, pool);
    for (int i = 0; i < 2; i++) {
        char *path = path_in(&directory, names[i]), *moved = path_in(&directory, "moved");
        struct pcap_writer_options options = {.path = path, .source = source};
        struct error error;
        struct tap_consumer *writer = pcap_writer_create(&options, &error);
        struct tap *tap = tap_create(writer, 65536, &error);
        struct frame frame = {.bytes = bytes, .captured = 60, .length = 60, .link_type = 1, .time_ns = 5};
        offer_and_wait(tap, &frame, 3, 3);
        pcap_writer_reopen(writer); // it is in its place: nothing to do
        offer_and_wait(tap, &frame, 2, 5);
        cr_assert_eq(rename(path, moved), 0);
        pcap_writer_reopen(writer);
        offer_and_wait(tap, &frame, 4, 9);
        expect_frames(moved, 5);
        cr_assert_eq(rename(path, path_in(&directory, "second")), 0);
        pcap_writer_reopen(writer);
        cr_assert(tap_finish(tap, &error), "%s", error.text);
        tap_destroy(tap);
        expect_frames(path_in(&directory, "second"), 4);
        expect_frames(path, 0);
    }
    source_destroy(source);
    chunk_pool_destroy(pool);
    directory_done(&directory);
}
