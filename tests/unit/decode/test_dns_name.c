#include "decode/app/dns_name.h"

#include "wire.h"

#define HEADER "000000000000000000000000"

// Reads the name at `offset` of a message given in hex behind an empty header; returns how far the
// cursor went, 0 when the name is refused.
static size_t read_at(const char *hex, size_t offset, struct dns_name *name)
{
    char whole[4096];
    snprintf(whole, sizeof whole, HEADER "%s", hex);
    struct packet message = wire_hex(LINK_RAW, whole);
    struct cursor reader = cursor_of(message.bytes + offset, message.captured - offset);
    struct cursor skipper = reader;
    bool read = dns_name_read(&reader, message.bytes, false, name);
    if (read) {
        cr_expect(dns_name_skip(&skipper, message.bytes), "%s", hex);
        cr_expect_eq(skipper.at, reader.at, "both end at the same place");
    }
    return read ? (size_t)(reader.at - message.bytes) - offset : 0;
}

static void expect_name(const char *hex, const char *expected)
{
    struct dns_name name;
    cr_expect_gt(read_at(hex, 12, &name), 0, "%s", hex);
    cr_expect_str_eq(name.text, expected);
    cr_expect_eq(name.length, strlen(expected));
}

static void expect_refused(const char *hex, size_t offset)
{
    struct dns_name name;
    cr_expect_eq(read_at(hex, offset, &name), 0, "%s", hex);
    cr_expect_str_empty(name.text);
}

Test(dns_name, escapes)
{
    expect_name("00", ".");
    expect_name("03 612e62 01 63 00", "a\\.b.c");
    expect_name("03 615c62 00", "a\\\\b");
    expect_name("04 61000aff 00", "a\\000\\010\\255");
    expect_name("03 612062 00", "a b");
    expect_name("07 4578616d506c45 00", "ExamPlE");
}

// 63 bytes of four characters each do not fit twice: cut behind a whole escape.
Test(dns_name, cuts_a_text_that_escapes_made_too_long)
{
    char hex[512] = "3f", expected[256] = "";
    for (unsigned i = 0; i < 63; i++)
        strcat(hex, "01");
    strcat(hex, "02 0101 00");
    for (unsigned i = 0; i < 63; i++)
        strcat(expected, "\\001");
    strcat(expected, ".");
    expect_name(hex, expected);
}

Test(dns_name, has_at_most_255_bytes)
{
    char hex[2048] = "";
    struct dns_name name;
    for (unsigned i = 0; i < 126; i++)
        strcat(hex, "0161");
    size_t length = strlen(hex);
    strcpy(hex + length, "0161 00");
    cr_expect_eq(read_at(hex, 12, &name), 255);
    cr_expect_eq(name.length, 253);
    strcpy(hex + length, "026161 00");
    expect_refused(hex, 12);
}

Test(dns_name, follows_pointers_back)
{
    struct dns_name name;
    cr_expect_eq(read_at("03 636f6d 00 01 61 c00c 01 62 c011", 12 + 9, &name), 4);
    cr_expect_str_eq(name.text, "b.a.com");
    cr_expect_eq(read_at("00 c00c", 13, &name), 2);
    cr_expect_str_eq(name.text, ".");
}

Test(dns_name, refuses_pointers_that_do_not_go_back)
{
    expect_refused("c00c", 12);            // to itself
    expect_refused("01 61 c00c", 12);      // to the start of its own labels
    expect_refused("c00e 01 61 00", 12);   // forward
    expect_refused("01 61 c010 c00c", 16); // back, and from there forward again
    expect_refused("00 c004", 13);         // into the header
    expect_refused("00 c0", 13);           // half a pointer
}

// Pointers to pointers, each going back: 128 jumps are allowed.
Test(dns_name, bounds_the_jumps)
{
    char hex[2048] = "00 c00c";
    struct dns_name name;
    for (unsigned i = 0; i < 200; i++)
        snprintf(hex + strlen(hex), 5, "%04x", 0xc00d + 2 * i);
    cr_expect_eq(read_at(hex, 13 + 2 * 127, &name), 2);
    expect_refused(hex, 13 + 2 * 128);
}

Test(dns_name, counts_the_bytes_of_all_runs)
{
    char hex[2048] = "";
    for (unsigned i = 0; i < 100; i++)
        strcat(hex, "0161");
    size_t length = strlen(hex);
    strcat(hex, "00");
    for (unsigned i = 0; i < 27; i++)
        strcat(hex, "0162");
    strcat(hex, "c00c");
    struct dns_name name;
    cr_expect_eq(length, 400);
    cr_expect_eq(read_at(hex, 12 + 201, &name), 56);
    expect_refused(hex, 12 + 1); // "a" is 0x61: no label has that many bytes
    strcat(hex, "0162 c0d5");
    expect_refused(hex, 12 + 201 + 56);
}

Test(dns_name, refuses_unknown_labels)
{
    expect_refused("40 00", 12);
    expect_refused("80 00", 12);
}

Test(dns_name, tells_the_end_from_a_contradiction)
{
    const uint8_t cut[] = {3, 'a'}, broken[] = {0x40, 'a'};
    struct dns_name name;
    struct cursor cursor = cursor_of(cut, sizeof cut);
    cr_expect_not(dns_name_read(&cursor, cut, false, &name));
    cr_expect(cursor.failed);
    cursor = cursor_of(broken, sizeof broken);
    cr_expect_not(dns_name_read(&cursor, broken, false, &name));
    cr_expect_not(cursor.failed);
    cursor = cursor_of(cut, sizeof cut);
    cr_expect_not(dns_name_skip(&cursor, cut));
    cr_expect(cursor.failed);
}
