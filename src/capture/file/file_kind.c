#include "capture/file/file_kind.h"

#include <assert.h>
#include <string.h>

#include "capture/file/pcap_file.h"
#include "capture/file/pcapng_file.h"

bool file_kind_is_capture(const uint8_t *bytes, size_t length)
{
    return pcap_file_matches(bytes, length) || pcapng_file_matches(bytes, length);
}

static const struct {
    const char *magic;
    uint8_t length;
    const char *kind;
} kinds[] = {
    {"snoop\0\0\0", 8, "a snoop capture, which NetScope does not read (editcap -F pcapng converts it)"},
    {"GMBU", 4, "a Network Monitor capture, which NetScope does not read (editcap -F pcapng converts it)"},
    {"RTSS", 4, "a Network Monitor capture, which NetScope does not read (editcap -F pcapng converts it)"},
    {"TRSNIFF data", 12, "a Sniffer capture, which NetScope does not read (editcap -F pcapng converts it)"},
    {"XCP\0", 4, "a Sniffer capture, which NetScope does not read (editcap -F pcapng converts it)"},
    {"\xfd"
     "7zXZ",
     5, "xz-compressed, which NetScope does not read (unpack it with xz -d)"},
    {"BZh", 3, "bzip2-compressed, which NetScope does not read (unpack it with bzip2 -d)"},
    {"\x04\x22\x4d\x18", 4, "lz4-compressed, which NetScope does not read (unpack it with lz4 -d)"},
    {"PK\x03\x04", 4, "a ZIP archive"},
    {"7z\xbc\xaf\x27\x1c", 6, "a 7-Zip archive"},
    {"\x7f"
     "ELF",
     4, "a program"},
    {"%PDF", 4, "a PDF document"},
    {"\x89PNG", 4, "a picture"},
    {"\xff\xd8\xff", 3, "a picture"},
    {"GIF8", 4, "a picture"},
    {"SQLite format 3", 15, "an SQLite database"},
};

static bool is_text(const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        bool control = bytes[i] < 0x20 && bytes[i] != '\n' && bytes[i] != '\r' && bytes[i] != '\t';
        if (control || bytes[i] == 0x7f)
            return false;
    }
    return true;
}

const char *file_kind_describe(const uint8_t *bytes, size_t length)
{
    assert(length <= FILE_KIND_BYTES);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (length >= kinds[i].length && memcmp(bytes, kinds[i].magic, kinds[i].length) == 0)
            return kinds[i].kind;
    if (length > 262 && memcmp(bytes + 257, "ustar", 5) == 0)
        return "a tar archive";
    return is_text(bytes, length) ? "text" : "an unknown kind of file";
}
