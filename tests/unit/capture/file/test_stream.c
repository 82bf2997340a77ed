#include "capture/file/stream.h"

#include <zlib.h>
#include <zstd.h>

#include "capture/file/decompress.h"
#include "fixtures.h"

enum { PLAIN_BYTES = 700000 };

static uint8_t plain[PLAIN_BYTES], packed[2 * PLAIN_BYTES], got[2 * PLAIN_BYTES];

static void fill_plain(void)
{
    uint32_t state = 1;
    for (size_t i = 0; i < PLAIN_BYTES; i++) {
        state = state * 1664525 + 1013904223;
        plain[i] = (uint8_t)(state >> (i % 3 == 0 ? 24 : 31)); // compresses, but not away
    }
}

static size_t pack_gzip(size_t from, size_t length, uint8_t *into)
{
    z_stream zlib = {0};
    cr_assert_eq(deflateInit2(&zlib, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    zlib.next_in = plain + from;
    zlib.avail_in = (uInt)length;
    zlib.next_out = into;
    zlib.avail_out = PLAIN_BYTES;
    cr_assert_eq(deflate(&zlib, Z_FINISH), Z_STREAM_END);
    deflateEnd(&zlib);
    return PLAIN_BYTES - zlib.avail_out;
}

static char failure[sizeof((struct error *)0)->text]; // of the last read_packed()

// Reads a file of `packed` to its end and returns the final result.
static enum stream_result read_packed(size_t length, size_t *got_length, const char **compression)
{
    struct directory directory = directory_make();
    char *path = path_in(&directory, "x");
    write_file(path, packed, length);
    struct error error;
    struct stream *stream = stream_open(path, &error);
    cr_assert_not_null(stream);
    cr_assert(stream_is_file(stream));
    enum stream_result result;
    size_t piece;
    *got_length = 0;
    while ((result = stream_read(stream, got + *got_length, 10007, &piece, -1)) == STREAM_BYTES)
        *got_length += piece;
    cr_assert_eq(stream_read(stream, got, 1, &piece, -1), result, "final results repeat");
    *compression = stream_compression(stream);
    memcpy(failure, stream_error(stream)->text, sizeof failure);
    stream_close(stream);
    directory_done(&directory);
    return result;
}

static void expect_plain(size_t packed_length, const char *name)
{
    size_t length;
    const char *compression;
    cr_assert_eq(read_packed(packed_length, &length, &compression), STREAM_END);
    cr_assert_eq(length, PLAIN_BYTES);
    cr_assert_eq(memcmp(got, plain, PLAIN_BYTES), 0);
    if (name == NULL)
        cr_assert_null(compression);
    else
        cr_assert_str_eq(compression, name);
}

Test(stream, plain_gzip_and_zstd_give_the_same_bytes)
{
    fill_plain();
    memcpy(packed, plain, PLAIN_BYTES);
    expect_plain(PLAIN_BYTES, NULL);
    expect_plain(pack_gzip(0, PLAIN_BYTES, packed), "gzip");
    expect_plain(ZSTD_compress(packed, sizeof packed, plain, PLAIN_BYTES, 3), "zstd");
}

Test(stream, several_members_and_padding_are_one_stream)
{
    fill_plain();
    size_t length = pack_gzip(0, 300000, packed);
    length += pack_gzip(300000, PLAIN_BYTES - 300000, packed + length);
    memset(packed + length, 0, 512);
    expect_plain(length + 512, "gzip");
    length = ZSTD_compress(packed, sizeof packed, plain, 300000, 3);
    length += ZSTD_compress(packed + length, sizeof packed - length, plain + 300000, PLAIN_BYTES - 300000, 3);
    expect_plain(length, "zstd");
}

// A frame of one raw block that says how far it may look back: 2 to the power of `window_log`.
static size_t pack_zstd_frame(unsigned window_log, const char *text)
{
    enum { MAGIC_BYTES = 4, LAST_RAW_BLOCK = 1, WINDOW_LOG_LEAST = 10 };
    static const uint8_t magic[MAGIC_BYTES] = {0x28, 0xb5, 0x2f, 0xfd};
    size_t length = strlen(text);
    memcpy(packed, magic, MAGIC_BYTES);
    packed[4] = 0; // neither the size nor a checksum
    packed[5] = (uint8_t)((window_log - WINDOW_LOG_LEAST) << 3);
    packed[6] = (uint8_t)(length << 3 | LAST_RAW_BLOCK);
    packed[7] = packed[8] = 0;
    memcpy(packed + 9, text, length);
    return 9 + length;
}

Test(stream, a_window_beyond_the_bound_is_no_damage)
{
    const char *compression;
    size_t length = 0;
    cr_assert_eq(read_packed(pack_zstd_frame(23, "plain"), &length, &compression), STREAM_END);
    cr_expect_eq(length, 5);
    cr_assert_eq(read_packed(pack_zstd_frame(31, "plain"), &length, &compression), STREAM_FAILED);
    cr_expect_not_null(strstr(failure, "needs a window of more than"), "%s", failure);
}

Test(stream, the_window_follows_the_memory_limit)
{
    cr_expect_eq(decompress_window_most(0), 128 << 20);
    cr_expect_eq(decompress_window_most(64 << 20), 8 << 20);
    cr_expect_eq(decompress_window_most(512 << 20), 64 << 20);
    cr_expect_eq(decompress_window_most(UINT64_C(64) << 30), 128 << 20);
}

// As gzip has it, however much of it there is and whatever it looks like.
Test(stream, what_follows_the_last_member_is_ignored)
{
    fill_plain();
    size_t length = pack_gzip(0, PLAIN_BYTES, packed);
    size_t following = sizeof packed - length;
    cr_assert_gt(following, 2 * 128 * 1024, "more than is read at once");
    memset(packed + length, 0x1f, following);
    packed[length] = 'x';
    expect_plain(length + following, "gzip");
}

static void expect_cut(size_t length)
{
    size_t got_length;
    const char *compression;
    cr_assert_eq(read_packed(length / 2, &got_length, &compression), STREAM_TRUNCATED);
    cr_assert(got_length > PLAIN_BYTES / 4 && got_length < PLAIN_BYTES);
    cr_assert_eq(memcmp(got, plain, got_length), 0);
    cr_assert_eq(read_packed(length - 1, &got_length, &compression), STREAM_TRUNCATED);
}

Test(stream, cut_compression_gives_what_is_there)
{
    fill_plain();
    expect_cut(pack_gzip(0, PLAIN_BYTES, packed));
    expect_cut(ZSTD_compress(packed, sizeof packed, plain, PLAIN_BYTES, 3));
}

Test(stream, damaged_compression_is_an_error_after_what_is_good)
{
    fill_plain();
    size_t length = pack_gzip(0, PLAIN_BYTES, packed);
    memset(packed + length / 2, 0xff, 64);
    size_t got_length;
    const char *compression;
    cr_assert_eq(read_packed(length, &got_length, &compression), STREAM_FAILED);
    cr_assert_gt(got_length, 0);
}

Test(stream, short_files)
{
    size_t length;
    const char *compression;
    for (size_t bytes = 0; bytes < 6; bytes++) {
        memcpy(packed, "hello", 5);
        cr_assert_eq(read_packed(bytes < 5 ? bytes : 5, &length, &compression), STREAM_END);
        cr_assert_eq(length, bytes < 5 ? bytes : 5);
    }
    memcpy(packed, "\x1f\x8b", 2);
    cr_assert_eq(read_packed(2, &length, &compression), STREAM_TRUNCATED);
}

Test(stream, what_cannot_be_opened_says_why)
{
    struct error error;
    cr_assert_null(stream_open("/tmp", &error));
    cr_assert_not_null(strstr(error.text, "directory"));
    cr_assert_eq(error.kind, ERROR_UNAVAILABLE);
    cr_assert_null(stream_open("/nowhere/x.pcap", &error));
    cr_assert_not_null(strstr(error.text, "No such file"));
}

Test(stream, an_empty_pipe_makes_nobody_wait_longer_than_asked, .timeout = 10)
{
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", ends[0]);
    struct error error;
    struct stream *stream = stream_open(path, &error);
    cr_assert_not_null(stream);
    cr_assert_not(stream_is_file(stream));
    size_t length;
    cr_assert_eq(stream_read(stream, got, 100, &length, 5), STREAM_WAIT);
    cr_assert_eq(write(ends[1], "abcdef", 6), 6);
    cr_assert_eq(stream_read(stream, got, 100, &length, 5), STREAM_BYTES);
    cr_assert_eq(length, 4, "the first bytes are looked at first");
    cr_assert_eq(stream_read(stream, got, 100, &length, 5), STREAM_BYTES);
    cr_assert_eq(stream_read(stream, got, 100, &length, 5), STREAM_WAIT);
    close(ends[1]);
    cr_assert_eq(stream_read(stream, got, 100, &length, -1), STREAM_END);
    stream_close(stream);
    close(ends[0]);
}
