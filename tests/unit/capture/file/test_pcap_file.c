#include "capture/file/pcap_file.h"

#include "fixtures.h"

static struct bytes file;
static struct taken taken;

static void write_and_read(const char *name)
{
    struct directory directory = directory_make();
    char *path = path_in(&directory, name);
    write_file(path, file.at, file.length);
    read_path(path, "", &taken);
    directory_done(&directory);
}

static void check_order(bool big_endian, uint32_t magic, uint32_t fraction, int64_t fraction_ns)
{
    file.length = 0;
    put_pcap_header(&file, big_endian, magic, 0xf4000071); // FCS length 4 and SLL
    put_pcap_record(&file, big_endian, 1714564800, fraction, 60, 'a');
    put_pcap_record(&file, big_endian, 4294967295u, 0, 0, 0);
    write_and_read("x");
    cr_assert_eq(taken.verdict, ERROR_NONE);
    cr_assert_eq(taken.frames, 2);
    cr_assert_eq(taken.time_ns[0], 1714564800 * INT64_C(1000000000) + fraction_ns);
    cr_assert_eq(taken.time_ns[1], 4294967295 * INT64_C(1000000000));
    cr_assert_eq(taken.captured[0], 60);
    cr_assert_eq(taken.first_byte[0], 'a');
    cr_assert_eq(taken.link_type[0], 113);
    cr_assert_eq(taken.captured[1], 0, "a packet without bytes is a packet");
}

Test(pcap_file, both_byte_orders_and_resolutions)
{
    check_order(false, 0xa1b2c3d4, 123456, 123456000);
    check_order(true, 0xa1b2c3d4, 123456, 123456000);
    check_order(false, 0xa1b23c4d, 123456789, 123456789);
    check_order(true, 0xa1b23c4d, 123456789, 123456789);
}

Test(pcap_file, modified_format_has_longer_record_headers)
{
    file.length = 0;
    put_pcap_header(&file, true, 0xa1b2cd34, 1);
    for (int i = 0; i < 3; i++) {
        put32(&file, true, 7);
        put32(&file, true, 8);
        put32(&file, true, 4);
        put32(&file, true, 40);
        put32(&file, true, 2);
        put32(&file, true, 0x08000400);
        put(&file, "wxyz", 4);
    }
    write_and_read("x");
    cr_assert_eq(taken.frames, 3);
    cr_assert_eq(taken.first_byte[2], 'w');
    cr_assert_eq(taken.length[2], 40);
}

Test(pcap_file, old_versions_swap_the_lengths)
{
    file.length = 0;
    put_pcap_header(&file, false, 0xa1b2c3d4, 1);
    file.at[6] = 2; // version 2.2
    put32(&file, false, 1);
    put32(&file, false, 0);
    put32(&file, false, 100);
    put32(&file, false, 4);
    put(&file, "abcd", 4);
    write_and_read("x");
    cr_assert_eq(taken.frames, 1);
    cr_assert_eq(taken.captured[0], 4);
    cr_assert_eq(taken.length[0], 100);
}

Test(pcap_file, wire_length_is_never_below_the_captured)
{
    file.length = 0;
    put_pcap_header(&file, false, 0xa1b2c3d4, 1);
    put_pcap_record(&file, false, 1, 0, 60, 'a');
    file.at[24 + 12] = 10;
    write_and_read("x");
    cr_assert_eq(taken.length[0], 60);
}

Test(pcap_file, impossible_length_ends_the_file_and_keeps_what_came_before)
{
    file.length = 0;
    put_pcap_header(&file, false, 0xa1b2c3d4, 1);
    put_pcap_record(&file, false, 1, 0, 60, 'a');
    put_pcap_record(&file, false, 1, 0, 60, 'b');
    memset(file.at + 24 + 76 + 8, 0xff, 4); // 4 GiB
    write_and_read("x");
    cr_assert_eq(taken.frames, 1);
    cr_assert_eq(taken.verdict, ERROR_DATA_LOSS);
    cr_assert_not_null(strstr(taken.error.text, "4294967295"), "%s", taken.error.text);
}

Test(pcap_file, greatest_packets_pass_whole)
{
    file.length = 0;
    put_pcap_header(&file, false, 0xa1b2c3d4, 1);
    for (uint8_t i = 0; i < 3; i++)
        put_pcap_record(&file, false, i, 0, FRAME_CAPTURED_MAX, i);
    write_and_read("x");
    cr_assert_eq(taken.frames, 3);
    cr_assert_eq(taken.captured[2], FRAME_CAPTURED_MAX);
    cr_assert_eq(taken.first_byte[2], 2);
}

Test(pcap_file, any_cut_gives_every_whole_packet)
{
    file.length = 0;
    put_pcap_header(&file, false, 0xa1b2c3d4, 1);
    for (uint8_t i = 0; i < 4; i++)
        put_pcap_record(&file, false, i, 0, 20, i);
    size_t whole = file.length;
    for (size_t length = 4; length < whole; length++) {
        file.length = length;
        write_and_read("x");
        size_t behind_header = length < 24 ? 0 : length - 24;
        cr_assert_eq(taken.frames, behind_header / 36, "cut at %zu", length);
        bool clean = length >= 24 && behind_header % 36 == 0;
        cr_assert_eq(taken.verdict, clean ? ERROR_NONE : ERROR_DATA_LOSS, "cut at %zu", length);
    }
}

Test(pcap_file, unknown_version_is_refused)
{
    file.length = 0;
    put_pcap_header(&file, false, 0xa1b2c3d4, 1);
    file.at[4] = 3;
    write_and_read("x");
    cr_assert_eq(taken.verdict, ERROR_UNAVAILABLE);
    cr_assert_not_null(strstr(taken.error.text, "version 3.4"), "%s", taken.error.text);
}
