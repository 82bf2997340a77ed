#include "capture/file/pcapng_file.h"

#include "fixtures.h"

static struct bytes file;
static struct taken taken;
static bool big; // byte order of what is put

static void put_section(void)
{
    put32(&file, big, 0x0a0d0d0a);
    put32(&file, big, 28);
    put32(&file, big, 0x1a2b3c4d);
    put16(&file, big, 1);
    put16(&file, big, 0);
    put32(&file, big, 0xffffffff);
    put32(&file, big, 0xffffffff);
    put32(&file, big, 28);
}

static void put_interface(uint16_t link_type, uint32_t snaplen, const void *options, uint32_t options_length)
{
    uint32_t length = 20 + options_length;
    put32(&file, big, 1);
    put32(&file, big, length);
    put16(&file, big, link_type);
    put16(&file, big, 0);
    put32(&file, big, snaplen);
    put(&file, options, options_length);
    put32(&file, big, length);
}

// A file anew: a section with one interface.
static void begin(uint32_t snaplen, const void *options, uint32_t options_length)
{
    big = false;
    file.length = 0;
    put_section();
    put_interface(1, snaplen, options, options_length);
}

static void put_enhanced(uint32_t interface, uint64_t units, const char *text)
{
    uint32_t captured = (uint32_t)strlen(text);
    uint32_t padded = (captured + 3) & ~3u;
    put32(&file, big, 6);
    put32(&file, big, 32 + padded);
    put32(&file, big, interface);
    put32(&file, big, (uint32_t)(units >> 32));
    put32(&file, big, (uint32_t)units);
    put32(&file, big, captured);
    put32(&file, big, captured + 1000);
    put(&file, text, captured);
    put(&file, "\0\0\0", padded - captured);
    put32(&file, big, 32 + padded);
}

static void put_skipped(uint32_t type, uint32_t body)
{
    put32(&file, big, type);
    put32(&file, big, 12 + body);
    memset(file.at + file.length, 0xaa, body);
    file.length += body;
    put32(&file, big, 12 + body);
}

static void write_and_read(void)
{
    struct directory directory = directory_make();
    char *path = path_in(&directory, "x.pcapng");
    write_file(path, file.at, file.length);
    memset(&taken, 0, sizeof taken);
    read_path(path, "", &taken);
    directory_done(&directory);
}

static void check_byte_order(bool big_endian)
{
    big = big_endian;
    file.length = 0;
    put_section();
    put_interface(1, 0, NULL, 0);
    put_interface(113, 96, NULL, 0);
    put_enhanced(0, 1714564800123456, "first");
    put_skipped(0x0bad, 400000); // longer than what is read at once
    put_enhanced(1, 1714564801000000, "second!");
    write_and_read();
    cr_assert_eq(taken.verdict, ERROR_NONE, "%s", taken.error.text);
    cr_assert_eq(taken.frames, 2);
    cr_assert_eq(taken.time_ns[0], 1714564800123456000);
    cr_assert_eq(taken.captured[0], 5);
    cr_assert_eq(taken.length[0], 1005);
    cr_assert_eq(taken.link_type[0], 1);
    cr_assert_eq(taken.link_type[1], 113);
    cr_assert_eq(taken.first_byte[1], 's');
    cr_assert_neq(taken.interface[0], taken.interface[1]);
}

Test(pcapng_file, both_byte_orders_and_several_interfaces)
{
    check_byte_order(false);
    check_byte_order(true);
}

Test(pcapng_file, sections_may_change_the_byte_order_and_forget_interfaces)
{
    begin(0, NULL, 0);
    put_enhanced(0, 1, "one");
    big = true;
    put_section();
    put_interface(101, 0, NULL, 0);
    put_enhanced(0, 2, "two");
    put_section();
    put_enhanced(0, 3, "no interface");
    write_and_read();
    cr_assert_eq(taken.frames, 2);
    cr_assert_eq(taken.link_type[1], 101);
    cr_assert_eq(taken.verdict, ERROR_DATA_LOSS);
    cr_assert_not_null(strstr(taken.error.text, "not described"), "%s", taken.error.text);
}

static int64_t stamp_with(const void *options, uint32_t length, uint64_t units)
{
    begin(0, options, length);
    put_enhanced(0, units, "x");
    write_and_read();
    cr_assert_eq(taken.frames, 1);
    return taken.time_ns[0];
}

Test(pcapng_file, time_resolutions_and_offsets)
{
    cr_assert_eq(stamp_with("\x09\0\x01\0\x09\0\0\0", 8, 1714564800123456789), 1714564800123456789);
    cr_assert_eq(stamp_with("\x09\0\x01\0\x03\0\0\0", 8, 5), 5000000);
    cr_assert_eq(stamp_with("\x09\0\x01\0\x0c\0\0\0", 8, 5999), 5, "picoseconds");
    cr_assert_eq(stamp_with("\x09\0\x01\0\x8a\0\0\0", 8, 1536), 1500000000, "2^-10 s");
    cr_assert_eq(stamp_with("\x09\0\x01\0\x7f\0\0\0", 8, UINT64_MAX), 1, "10^-127 s: as 10^-28");
    cr_assert_eq(stamp_with("\x09\0\x01\0\xff\0\0\0", 8, UINT64_MAX), 0);
    cr_assert_eq(stamp_with("\x0e\0\x08\0\x10\0\0\0\0\0\0\0", 12, 7), 16 * INT64_C(1000000000) + 7000);
    cr_assert_eq(stamp_with("", 0, UINT64_MAX), INT64_MAX, "clamped");
    cr_assert_eq(stamp_with("\x0e\0\x08\0\xff\xff\xff\xff\xff\xff\xff\x7f", 12, UINT64_MAX), INT64_MAX);
    cr_assert_eq(stamp_with("\x0e\0\x08\0\0\0\0\0\0\0\0\x80", 12, 0), INT64_MIN);
}

Test(pcapng_file, simple_and_old_packets)
{
    begin(6, NULL, 0);
    put_enhanced(0, 1000000, "stamped");
    put32(&file, big, 3); // simple: 10 bytes on the wire, snaplen 6
    put32(&file, big, 16 + 8);
    put32(&file, big, 10);
    put(&file, "sixbyt\0\0", 8);
    put32(&file, big, 16 + 8);
    put32(&file, big, 2); // the old block
    put32(&file, big, 32 + 4);
    put16(&file, big, 0);
    put16(&file, big, 9);
    put32(&file, big, 0);
    put32(&file, big, 2000000);
    put32(&file, big, 3);
    put32(&file, big, 30);
    put(&file, "old\0", 4);
    put32(&file, big, 32 + 4);
    write_and_read();
    cr_assert_eq(taken.verdict, ERROR_NONE, "%s", taken.error.text);
    cr_assert_eq(taken.frames, 3);
    cr_assert_eq(taken.captured[1], 6);
    cr_assert_eq(taken.length[1], 10);
    cr_assert_eq(taken.time_ns[1], 1000000000, "it has none of its own: the last one");
    cr_assert_eq(taken.captured[2], 3);
    cr_assert_eq(taken.time_ns[2], 2000000000);
}

static void damage(size_t at, uint8_t value, const char *sentence)
{
    begin(0, NULL, 0);
    put_enhanced(0, 1, "good");
    size_t second = file.length;
    put_enhanced(0, 2, "bad!");
    file.at[second + at] = value;
    write_and_read();
    cr_assert_eq(taken.verdict, ERROR_DATA_LOSS);
    cr_assert_geq(taken.frames, 1);
    cr_assert_not_null(strstr(taken.error.text, sentence), "%s", taken.error.text);
}

Test(pcapng_file, damaged_blocks_end_the_file)
{
    damage(4, 3, "impossible length");
    damage(4, 8, "impossible length");
    damage(4, 20, "too short");
    damage(8, 1, "not described");
    damage(20, 200, "longer packet");
    damage(32, 40, "length as 36 first and as 40");
    damage(7, 0x70, "cut short"); // a length of gigabytes
}

Test(pcapng_file, any_cut_gives_every_whole_packet)
{
    begin(0, NULL, 0);
    put_enhanced(0, 1, "aaaa");
    put_enhanced(0, 2, "bbbb");
    size_t whole = file.length;
    for (size_t length = 4; length < whole; length++) {
        file.length = length;
        write_and_read();
        unsigned frames = length >= 48 + 68 ? 2 : length >= 48 + 32 ? 1 : 0;
        bool clean = length == 28 || length == 48 || length == 48 + 36;
        cr_assert_eq(taken.frames, frames, "cut at %zu: %lu", length, (unsigned long)taken.frames);
        cr_assert_eq(taken.verdict, clean ? ERROR_NONE : ERROR_DATA_LOSS, "cut at %zu", length);
    }
}

Test(pcapng_file, interface_name_comes_from_the_block)
{
    begin(0, "\x02\0\x05\0eth42\0\0\0", 12);
    put_enhanced(0, 1, "x");
    struct directory directory = directory_make();
    char *path = path_in(&directory, "x.pcapng");
    write_file(path, file.at, file.length);
    struct chunk_pool *pool = chunk_pool_create(4, CHUNK_BYTES);
    struct string_list list = {.items = &path, .count = 1};
    struct error error;
    struct source *source = file_source_create(&list, "", pool, &error);
    cr_assert_not_null(source);
    cr_assert_eq(source_interfaces(source), 1);
    cr_assert_str_eq(source_interface(source, 0)->name, "eth42");
    source_destroy(source);
    chunk_pool_destroy(pool);
    directory_done(&directory);
}

// Loss that a file records.

static void put_statistics(uint32_t interface, uint64_t interface_drop, uint64_t system_drop)
{
    put32(&file, big, 5);
    put32(&file, big, 24 + 28);
    put32(&file, big, interface);
    put32(&file, big, 0);
    put32(&file, big, 0);
    put16(&file, big, 5);
    put16(&file, big, 8);
    put(&file, &interface_drop, 8);
    put16(&file, big, 7);
    put16(&file, big, 8);
    put(&file, &system_drop, 8);
    put32(&file, big, 0);
    put32(&file, big, 24 + 28);
}

// An enhanced packet with a comment of five bytes and its drop count.
static void put_enhanced_behind(uint64_t drops)
{
    put32(&file, big, 6);
    put32(&file, big, 32 + 4 + 12 + 12 + 4);
    put(&file, "\0\0\0\0\0\0\0\0\1\0\0\0", 12);
    put32(&file, big, 3);
    put32(&file, big, 3);
    put(&file, "abc\0", 4);
    put(&file, "\1\0\5\0hello\0\0\0", 12);
    put(&file, "\4\0\x08\0", 4);
    put(&file, &drops, 8);
    put32(&file, big, 0);
    put32(&file, big, 32 + 4 + 12 + 12 + 4);
}

// What the ledger is told, all in all.
static uint64_t loss_of_file(void)
{
    struct directory directory = directory_make();
    char *path = path_in(&directory, "x.pcapng");
    write_file(path, file.at, file.length);
    struct chunk_pool *pool = chunk_pool_create(4, CHUNK_BYTES);
    struct string_list list = {.items = &path, .count = 1};
    struct error error;
    struct source *source = file_source_create(&list, "", pool, &error);
    cr_assert_not_null(source);
    struct frame frames[16];
    unsigned count;
    while (source_poll(source, 100, frames, 16, &count) == SOURCE_FRAMES)
        continue;
    uint64_t lost = 0;
    struct source_drops drops;
    for (bool first = true; source->ops->drops(source, first, &drops); first = false)
        lost += drops.interface_dropped;
    cr_expect_not(source->ops->drops(source, true, &drops), "all was told");
    source_destroy(source);
    chunk_pool_destroy(pool);
    directory_done(&directory);
    return lost;
}

Test(pcapng_file, statistics_tell_of_loss_and_the_last_counts)
{
    begin(0, NULL, 0);
    put_enhanced(0, 1, "aaaa");
    put_statistics(0, 100, 5);
    put_statistics(0, 900, 50);
    put_statistics(7, 1, 1); // of no interface
    cr_expect_eq(loss_of_file(), 950);
}

Test(pcapng_file, packets_tell_of_loss_before_them)
{
    begin(0, NULL, 0);
    put_enhanced_behind(3);
    put_enhanced_behind(4);
    cr_expect_eq(loss_of_file(), 7);
    put_statistics(0, 6, 0); // of the same loss
    cr_expect_eq(loss_of_file(), 7);
    put_statistics(0, 9, 0);
    cr_expect_eq(loss_of_file(), 9);
}

Test(pcapng_file, loss_without_bound_stays_the_greatest_number)
{
    begin(0, NULL, 0);
    put_statistics(0, UINT64_MAX, UINT64_MAX);
    put_enhanced_behind(UINT64_MAX);
    put_enhanced_behind(UINT64_MAX);
    cr_expect_eq(loss_of_file(), UINT64_MAX);
}

Test(pcapng_file, an_old_packet_block_tells_too_unless_it_does_not_know)
{
    for (unsigned drops = 2; drops <= 0xffff; drops += 0xfffd) {
        begin(0, NULL, 0);
        put32(&file, big, 2);
        put32(&file, big, 36);
        put16(&file, big, 0);
        put16(&file, big, (uint16_t)drops);
        put(&file, "\0\0\0\0\1\0\0\0", 8);
        put32(&file, big, 3);
        put32(&file, big, 3);
        put(&file, "abc\0", 4);
        put32(&file, big, 36);
        cr_expect_eq(loss_of_file(), drops == 2 ? 2 : 0);
    }
}
