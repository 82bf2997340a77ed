#include "capture/file/decompress.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "base/cursor.h"
#include "base/memory_limit.h"

static bool is_gzip(const uint8_t *bytes, size_t length)
{
    return length >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b;
}

struct gzip {
    z_stream zlib;
    bool between; // members: the last one ended
    bool over;    // what followed it was none: gzip ignores that, to the end of the file
};

static void *gzip_create(void)
{
    struct gzip *gzip = calloc(1, sizeof *gzip);
    if (gzip != NULL && inflateInit2(&gzip->zlib, 15 + 16) != Z_OK) {
        free(gzip);
        return NULL;
    }
    return gzip;
}

static void gzip_destroy(void *state)
{
    struct gzip *gzip = state;
    inflateEnd(&gzip->zlib);
    free(gzip);
}

// What follows a member is another member, or padding, which gzip ignores.
static bool gzip_next_member(struct gzip *gzip, struct decompress_step *step)
{
    while (step->in_left > 0 && step->in[0] == 0) {
        step->in++;
        step->in_left--;
    }
    gzip->over = gzip->over || (step->in_left > 0 && step->in[0] != 0x1f);
    if (gzip->over)
        step->in_left = 0;
    if (step->in_left == 0)
        return false;
    gzip->between = false;
    return inflateReset(&gzip->zlib) == Z_OK;
}

static enum decompress_result gzip_run(void *state, struct decompress_step *step)
{
    struct gzip *gzip = state;
    if (gzip->between && !gzip_next_member(gzip, step))
        return DECOMPRESS_WHOLE;
    assert(step->in_left <= UINT_MAX && step->out_left <= UINT_MAX && step->out_left > 0);
    z_stream *zlib = &gzip->zlib;
    zlib->next_in = (z_const Bytef *)(uintptr_t)step->in; // zlib without ZLIB_CONST: it does not write there
    zlib->avail_in = (uInt)step->in_left;
    zlib->next_out = step->out;
    zlib->avail_out = (uInt)step->out_left;
    int result = inflate(zlib, Z_NO_FLUSH);
    assert(zlib->avail_in <= step->in_left && zlib->avail_out <= step->out_left);
    step->in += step->in_left - zlib->avail_in;
    step->in_left = zlib->avail_in;
    step->out = zlib->next_out;
    step->out_left = zlib->avail_out;
    gzip->between = result == Z_STREAM_END;
    if (gzip->between)
        return DECOMPRESS_WHOLE;
    return result == Z_OK || result == Z_BUF_ERROR ? DECOMPRESS_MORE : DECOMPRESS_CORRUPT;
}

static bool is_zstd(const uint8_t *bytes, size_t length)
{
    struct cursor cursor = cursor_of(bytes, length);
    uint32_t magic = cursor_u32le(&cursor);
    return !cursor.failed &&
           (magic == ZSTD_MAGICNUMBER || (magic & 0xfffffff0) == ZSTD_MAGIC_SKIPPABLE_START);
}

uint64_t decompress_window_most(uint64_t limit_bytes)
{
    enum { WINDOW_LEAST = 8 << 20, WINDOW_MOST = 128 << 20, LIMIT_PART = 8 };
    uint64_t part = limit_bytes / LIMIT_PART;
    if (limit_bytes == 0 || part > WINDOW_MOST)
        return WINDOW_MOST;
    return part > WINDOW_LEAST ? part : WINDOW_LEAST;
}

// zstd takes the bound as a power of two.
static int window_log_most(void)
{
    uint64_t most = decompress_window_most(memory_limit());
    int log = 0;
    while (UINT64_C(2) << log <= most)
        log++;
    return log;
}

static void *zstd_create(void)
{
    ZSTD_DStream *stream = ZSTD_createDStream();
    if (stream == NULL ||
        !ZSTD_isError(ZSTD_DCtx_setParameter(stream, ZSTD_d_windowLogMax, window_log_most())))
        return stream;
    ZSTD_freeDStream(stream);
    return NULL;
}

static void zstd_destroy(void *state)
{
    ZSTD_freeDStream(state);
}

static enum decompress_result zstd_run(void *state, struct decompress_step *step)
{
    ZSTD_inBuffer in = {.src = step->in, .size = step->in_left};
    ZSTD_outBuffer out = {.dst = step->out, .size = step->out_left};
    size_t result = ZSTD_decompressStream(state, &out, &in);
    assert(in.pos <= in.size && out.pos <= out.size);
    step->in += in.pos;
    step->in_left -= in.pos;
    step->out += out.pos;
    step->out_left -= out.pos;
    if (ZSTD_isError(result))
        return ZSTD_getErrorCode(result) == ZSTD_error_frameParameter_windowTooLarge ? DECOMPRESS_TOO_LARGE
                                                                                     : DECOMPRESS_CORRUPT;
    return result == 0 ? DECOMPRESS_WHOLE : DECOMPRESS_MORE;
}

static const struct decompressor decompressors[] = {
    {"gzip", is_gzip, gzip_create, gzip_run, gzip_destroy},
    {"zstd", is_zstd, zstd_create, zstd_run, zstd_destroy},
};

const struct decompressor *decompressor_for(const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < sizeof decompressors / sizeof *decompressors; i++)
        if (decompressors[i].matches(bytes, length))
            return &decompressors[i];
    return NULL;
}
