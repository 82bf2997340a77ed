#include "capture/file/stream.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/denial.h"
#include "base/memory_limit.h"
#include "capture/file/decompress.h"

enum { STREAM_INPUT_BYTES = 128 * 1024 };

struct stream {
    int fd;
    bool is_file;
    bool started;             // the first bytes were looked at
    enum stream_result ended; // a final result, or STREAM_BYTES
    const struct decompressor *decompressor;
    void *decompression;
    bool whole;      // the compressed data may end here
    size_t at, held; // input[at..held) is not handed on yet
    struct error error;
    uint8_t input[STREAM_INPUT_BYTES];
};

static const char *shown_name(const char *path)
{
    return strcmp(path, "-") == 0 ? "standard input" : path;
}

static int open_input(const char *path, struct error *error)
{
    if (strcmp(path, "-") == 0)
        return dup(STDIN_FILENO);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        error_set(error, error_kind_of_errno(errno), "%s cannot be opened: %s%s", path, strerror(errno),
                  denial_reading(errno));
    return fd;
}

static bool check_kind(int fd, const char *path, bool *is_file, struct error *error)
{
    struct stat status;
    if (fd < 0 || fstat(fd, &status) != 0)
        return error_set(error, ERROR_UNAVAILABLE, "%s cannot be read: %s", shown_name(path),
                         strerror(errno));
    if (S_ISDIR(status.st_mode))
        return error_set(error, ERROR_UNAVAILABLE, "%s is a directory, not a capture file", shown_name(path));
    *is_file = S_ISREG(status.st_mode) && strcmp(path, "-") != 0;
    if (S_ISREG(status.st_mode))
        (void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    return true;
}

struct stream *stream_open(const char *path, struct error *error)
{
    int fd = open_input(path, error);
    if (fd < 0 && strcmp(path, "-") != 0)
        return NULL;
    bool is_file = false;
    if (!check_kind(fd, path, &is_file, error)) {
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    struct stream *stream = malloc(sizeof *stream);
    if (stream == NULL) {
        close(fd);
        error_set(error, ERROR_EXHAUSTED, "%s cannot be read: no memory", shown_name(path));
        return NULL;
    }
    memset(stream, 0, offsetof(struct stream, input));
    stream->fd = fd;
    stream->is_file = is_file;
    stream->ended = STREAM_BYTES;
    return stream;
}

void stream_close(struct stream *stream)
{
    if (stream == NULL)
        return;
    if (stream->decompression != NULL)
        stream->decompressor->destroy(stream->decompression);
    close(stream->fd);
    free(stream);
}

static enum stream_result end_with(struct stream *stream, enum stream_result result)
{
    assert(stream->ended == STREAM_BYTES && result != STREAM_BYTES && result != STREAM_WAIT);
    stream->ended = result;
    return result;
}

static enum stream_result fail_with(struct stream *stream, const char *reason)
{
    error_set(&stream->error, ERROR_UNAVAILABLE, "%s", reason);
    return end_with(stream, STREAM_FAILED);
}

// read(2), after waiting when it is a pipe. STREAM_END is not recorded here.
static enum stream_result read_input(struct stream *stream, void *into, size_t capacity, size_t *length,
                                     int timeout_ms)
{
    struct pollfd ready = {.fd = stream->fd, .events = POLLIN};
    if (!stream->is_file && poll(&ready, 1, timeout_ms) <= 0)
        return STREAM_WAIT;
    ssize_t got = read(stream->fd, into, capacity);
    if (got < 0 && (errno == EINTR || errno == EAGAIN))
        return STREAM_WAIT;
    if (got < 0)
        return fail_with(stream, strerror(errno));
    assert((size_t)got <= capacity);
    *length = (size_t)got;
    return got == 0 ? STREAM_END : STREAM_BYTES;
}

// Looks at the first bytes, which stay in `input`.
static enum stream_result start(struct stream *stream, int timeout_ms)
{
    enum stream_result result = STREAM_BYTES;
    while (stream->held < DECOMPRESS_MAGIC_BYTES && result == STREAM_BYTES) {
        size_t length = 0;
        result = read_input(stream, stream->input + stream->held, DECOMPRESS_MAGIC_BYTES - stream->held,
                            &length, timeout_ms);
        stream->held += length;
    }
    if (result == STREAM_WAIT || result == STREAM_FAILED)
        return result;
    stream->started = true;
    stream->decompressor = decompressor_for(stream->input, stream->held);
    if (stream->decompressor == NULL)
        return STREAM_BYTES;
    stream->decompression = stream->decompressor->create();
    return stream->decompression != NULL ? STREAM_BYTES : fail_with(stream, "no memory to decompress");
}

static enum stream_result read_plain(struct stream *stream, uint8_t *into, size_t capacity, size_t *length,
                                     int timeout_ms)
{
    assert(stream->at <= stream->held && stream->held <= sizeof stream->input);
    size_t held = stream->held - stream->at;
    if (held > 0) {
        *length = held < capacity ? held : capacity;
        memcpy(into, stream->input + stream->at, *length);
        stream->at += *length;
        return STREAM_BYTES;
    }
    enum stream_result result = read_input(stream, into, capacity, length, timeout_ms);
    return result == STREAM_END ? end_with(stream, STREAM_END) : result;
}

static enum stream_result refill(struct stream *stream, int timeout_ms)
{
    size_t length = 0;
    enum stream_result result = read_input(stream, stream->input, sizeof stream->input, &length, timeout_ms);
    if (result == STREAM_END)
        return end_with(stream, stream->whole ? STREAM_END : STREAM_TRUNCATED);
    assert(stream->at == stream->held); // what is overwritten was used
    stream->at = 0;
    stream->held = length;
    return result;
}

static void note_refusal(struct stream *stream, enum decompress_result result)
{
    const char *name = stream->decompressor->name;
    if (result == DECOMPRESS_CORRUPT)
        error_set(&stream->error, ERROR_DATA_LOSS, "the %s data is damaged", name);
    else
        error_set(&stream->error, ERROR_EXHAUSTED,
                  "the %s data needs a window of more than %u MB of memory (made by --long or --ultra): "
                  "unpack it, and "
                  "read that",
                  name, (unsigned)(decompress_window_most(memory_limit()) >> 20));
}

static enum stream_result decompress(struct stream *stream, uint8_t *into, size_t capacity, size_t *length)
{
    if (stream->whole && stream->at == stream->held)
        return STREAM_BYTES;
    struct decompress_step step = {
        .in = stream->input + stream->at,
        .in_left = stream->held - stream->at,
        .out = into,
        .out_left = capacity,
    };
    enum decompress_result result = stream->decompressor->run(stream->decompression, &step);
    assert(step.in_left <= stream->held - stream->at && step.out_left <= capacity);
    stream->at = stream->held - step.in_left;
    stream->whole = result == DECOMPRESS_WHOLE;
    *length = capacity - step.out_left;
    if (result == DECOMPRESS_MORE || result == DECOMPRESS_WHOLE)
        return STREAM_BYTES;
    note_refusal(stream, result);
    stream->ended = STREAM_FAILED;
    return *length > 0 ? STREAM_BYTES : STREAM_FAILED;
}

// A decompressor may hold output back with no input left, hence it runs once before each refill.
static enum stream_result read_compressed(struct stream *stream, uint8_t *into, size_t capacity,
                                          size_t *length, int timeout_ms)
{
    for (;;) {
        enum stream_result result = decompress(stream, into, capacity, length);
        if (result != STREAM_BYTES || *length > 0)
            return result;
        if (stream->at < stream->held)
            continue;
        result = refill(stream, timeout_ms);
        if (result != STREAM_BYTES)
            return result;
    }
}

enum stream_result stream_read(struct stream *stream, void *into, size_t capacity, size_t *length,
                               int timeout_ms)
{
    *length = 0;
    if (stream->ended != STREAM_BYTES)
        return stream->ended;
    assert(capacity > 0); // no bytes would pass for the end
    if (!stream->started) {
        enum stream_result result = start(stream, timeout_ms);
        if (result != STREAM_BYTES)
            return result;
    }
    if (stream->decompressor != NULL)
        return read_compressed(stream, into, capacity, length, timeout_ms);
    return read_plain(stream, into, capacity, length, timeout_ms);
}

bool stream_is_file(const struct stream *stream)
{
    return stream->is_file;
}

const char *stream_compression(const struct stream *stream)
{
    return stream->decompressor != NULL ? stream->decompressor->name : NULL;
}

const struct error *stream_error(const struct stream *stream)
{
    return &stream->error;
}
