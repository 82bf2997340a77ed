#include "capture/filter.h"

#include "fixtures.h"

static struct taken taken;

// "65535,0,65535" against the packets that the filter leaves.
static void check_row(char *path, const char *filter, char *expected)
{
    static struct taken all;
    static uint64_t kept;
    cr_assert(read_path(path, "", &all), "%s", all.error.text);
    cr_assert(read_path(path, filter, &taken), "%s", taken.error.text);
    kept = 0;
    uint64_t packets = 0;
    for (char *result = strtok(expected, ","); result != NULL; result = strtok(NULL, ",")) {
        bool accepted = strcmp(result, "0") != 0;
        if (accepted) {
            cr_expect_lt(kept, taken.frames, "%s: %s", path, filter);
            cr_expect(taken.time_ns[kept] == all.time_ns[packets] &&
                          taken.length[kept] == all.length[packets],
                      "%s: %s: packet %lu", path, filter, (unsigned long)packets + 1);
            kept++;
        }
        packets++;
    }
    cr_expect_eq(kept, taken.frames, "%s: %s", path, filter);
    cr_expect_eq(packets, all.frames, "%s: %s", path, filter);
}

// "gateway" is not built into Debian's libpcap, and its names only the machine of libpcap's own tests knows.
static bool needs_names(const char *filter)
{
    return strstr(filter, ".libpcap.test") != NULL;
}

Test(filter, accepts_exactly_what_libpcap_expects, .timeout = 60)
{
    FILE *rows = fopen(NETSCOPE_SOURCE_DIR "/../shared/captures/libpcap/FILTER_EXPECTED.tsv", "r");
    if (rows == NULL)
        cr_skip_test("the shared captures are not here");
    char line[4096], path[2048];
    unsigned checked = 0;
    while (fgets(line, sizeof line, rows) != NULL) {
        char *rest = line;
        char *name = strsep(&rest, "\t\n");
        strsep(&rest, "\t\n");
        char *filter = strsep(&rest, "\t\n");
        char *expected = strsep(&rest, "\t\n");
        if (expected == NULL || strcmp(name, "savefile") == 0 || needs_names(filter))
            continue;
        snprintf(path, sizeof path, NETSCOPE_SOURCE_DIR "/../shared/captures/libpcap/%s", name);
        check_row(path, filter, expected);
        checked++;
    }
    fclose(rows);
    cr_assert_eq(checked, 52);
}

Test(filter, a_bad_expression_carries_the_reason)
{
    struct error error;
    cr_assert_null(filter_create("host", 1, &error));
    cr_assert_eq(error.kind, ERROR_INVALID_ARGUMENT);
    cr_assert_null(filter_create("nonsense here", 1, &error));
    cr_assert_not_null(strstr(error.text, "nonsense"), "%s", error.text);
}

Test(filter, what_only_the_kernel_knows_is_refused)
{
    struct error error;
    cr_assert_null(filter_create("inbound", 1, &error));
    cr_assert_eq(error.kind, ERROR_INVALID_ARGUMENT);
    struct filter *cooked = filter_create("inbound", 113, &error);
    cr_assert_not_null(cooked, "cooked captures hold the direction: %s", error.text);
    filter_destroy(cooked);
}

static const uint8_t udp_in_ethernet[42] = {2, 0, 0,    0, 0, 1,  2, 0, 0, 0, 0,  2,
                                            8, 0, 0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17};

Test(filter, compiles_for_each_link_type_that_comes)
{
    struct error error;
    struct filter *filter = filter_create("udp", 1, &error);
    cr_assert_not_null(filter);
    struct frame frame = {.bytes = udp_in_ethernet, .captured = 42, .length = 42, .link_type = 1};
    cr_assert_gt(filter_accepts(filter, &frame), 0);
    frame.link_type = 101;
    cr_assert_eq(filter_accepts(filter, &frame), 0, "an Ethernet header is no IP header");
    frame.bytes += 14;
    frame.captured = frame.length = 28;
    cr_assert_gt(filter_accepts(filter, &frame), 0);
    filter_destroy(filter);
}

Test(filter, rejects_link_types_beyond_its_room_and_goes_on_with_the_others)
{
    struct error error;
    struct filter *filter = filter_create("udp", 1, &error);
    struct frame frame = {.bytes = udp_in_ethernet, .captured = 42, .length = 42};
    for (frame.link_type = 150; frame.link_type < 190; frame.link_type++)
        filter_accepts(filter, &frame);
    struct frame raw = {.bytes = udp_in_ethernet + 14, .captured = 28, .length = 28, .link_type = 101};
    cr_assert_eq(filter_accepts(filter, &raw), 0, "no place is left to compile for it");
    frame.link_type = 1;
    cr_assert_gt(filter_accepts(filter, &frame), 0);
    filter_destroy(filter);
}

// Whichever link type comes first.
Test(filter, rejects_the_first_link_type_as_any_other)
{
    struct error error;
    struct filter *filter = filter_create("ether host 2:0:0:0:0:1", 101, &error);
    cr_assert_not_null(filter, "%s", error.text);
    struct frame frame = {.bytes = udp_in_ethernet, .captured = 42, .length = 42, .link_type = 101};
    cr_assert_eq(filter_accepts(filter, &frame), 0);
    frame.link_type = 1;
    cr_assert_gt(filter_accepts(filter, &frame), 0);
    filter_destroy(filter);
    cr_assert_null(filter_create("ether hosst 2:0:0:0:0:1", 101, &error), "wrong for any");
}

Test(filter, rejects_what_it_cannot_compile_for)
{
    struct error error;
    struct filter *filter = filter_create("ether host 2:0:0:0:0:1", 1, &error);
    struct frame frame = {.bytes = udp_in_ethernet, .captured = 42, .length = 42, .link_type = 1};
    cr_assert_gt(filter_accepts(filter, &frame), 0);
    frame.link_type = 101;
    cr_assert_eq(filter_accepts(filter, &frame), 0);
    frame.link_type = 1;
    cr_assert_gt(filter_accepts(filter, &frame), 0, "as before");
    filter_destroy(filter);
}

// Frames of "any" with tags, as libpcap writes them: the filter sees what the kernel's would have.

static void put_cooked(struct bytes *file, uint32_t link_type, const char *header, size_t header_bytes)
{
    static const uint8_t datagram[28] = {0x45, 0, 0,  28, 0, 0, 0,    0, 64, 17, 0, 0, 10, 0,
                                         0,    1, 10, 0,  0, 2, 0x10, 0, 0,  53, 0, 8, 0,  0};
    file->length = 0;
    put_pcap_header(file, false, 0xa1b2c3d4, link_type);
    put32(file, false, 1);
    put32(file, false, 0);
    put32(file, false, (uint32_t)(header_bytes + sizeof datagram));
    put32(file, false, (uint32_t)(header_bytes + sizeof datagram));
    put(file, header, header_bytes);
    put(file, datagram, sizeof datagram);
}

static bool takes_cooked(const struct bytes *file, const char *filter)
{
    struct directory directory = directory_make();
    char *path = path_in(&directory, "any.pcap");
    write_file(path, file->at, file->length);
    bool read = read_path(path, filter, &taken);
    directory_done(&directory);
    return read && taken.frames == 1;
}

Test(filter, of_any_sees_what_is_behind_tags)
{
    static struct bytes file;
    static const struct {
        uint32_t link_type;
        const char *header;
        size_t bytes;
        bool two;
    } forms[] = {
        {113, "\0\0\0\1\0\6\2\0\0\0\0\1\0\0\x81\0\0\x64\x08\0", 20, false},
        {113, "\0\0\0\1\0\6\2\0\0\0\0\1\x81\0\0\x64\0\0\x08\0", 20, false}, // in the address
        {276, "\x81\0\0\0\0\0\0\3\0\1\0\6\2\0\0\0\0\1\0\0\0\x64\x08\0", 24, false},
        {276, "\x88\xa8\0\0\0\0\0\3\0\1\0\6\2\0\0\0\0\1\0\0\0\x64\x81\0\0\7\x08\0", 28, true},
    };
    for (unsigned i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        put_cooked(&file, forms[i].link_type, forms[i].header, forms[i].bytes);
        cr_expect(takes_cooked(&file, "udp port 53"), "form %u", i);
        cr_expect_not(takes_cooked(&file, "tcp"), "form %u", i);
        cr_expect(takes_cooked(&file, "vlan 100"), "form %u", i);
        cr_expect_not(takes_cooked(&file, "vlan 101"), "form %u", i);
        cr_expect_eq(takes_cooked(&file, "vlan 100 and vlan 7"), forms[i].two, "form %u", i);
        cr_expect(takes_cooked(&file, "ether src 02:00:00:00:00:01"), "form %u", i);
    }
    put_cooked(&file, 276, "\x08\0\0\0\0\0\0\3\0\1\0\6\2\0\0\0\0\1\0\0", 20);
    cr_expect(takes_cooked(&file, "udp port 53"));
    cr_expect_not(takes_cooked(&file, "vlan"));
}
