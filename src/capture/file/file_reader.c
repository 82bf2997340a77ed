#include "capture/file/file_reader.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "capture/file/file_kind.h"

enum { READ_BYTES = 256 * 1024, READ_MIN_BYTES = 16 * 1024, MAGIC_BYTES = 4 };

bool file_reader_open(struct file_reader *reader, const char *path, const struct file_identity *identity,
                      struct chunk_pool *pool, struct error *error)
{
    *reader = (struct file_reader){
        .path = strcmp(path, "-") == 0 ? "standard input" : path,
        .identity = *identity,
        .pool = pool,
    };
    reader->stream = stream_open(path, error);
    return reader->stream != NULL;
}

void file_reader_close(struct file_reader *reader)
{
    if (reader->chunk != NULL)
        chunk_release(reader->chunk);
    reader->chunk = NULL;
    stream_close(reader->stream);
    reader->stream = NULL;
    pcapng_file_done(&reader->pcapng);
}

static size_t bytes_left(const struct file_reader *reader)
{
    return reader->chunk != NULL ? reader->chunk->used - reader->at : 0;
}

// What an offset counts, for a sentence.
static const char *in_unpacked_data(const struct file_reader *reader)
{
    return stream_compression(reader->stream) != NULL ? " of the unpacked data" : "";
}

static enum reader_result end_damaged(struct file_reader *reader)
{
    reader->verdict = reader->header_read ? ERROR_DATA_LOSS : ERROR_UNAVAILABLE;
    error_set(&reader->error, reader->verdict,
              "%s is damaged at byte %" PRIu64 "%s, after %" PRIu64 " packets: %s", reader->path,
              reader->offset, in_unpacked_data(reader), reader->frames, reader->step.reason);
    return READER_END;
}

static enum reader_result end_cut_short(struct file_reader *reader, const char *why)
{
    reader->verdict = ERROR_DATA_LOSS;
    error_set(&reader->error, ERROR_DATA_LOSS,
              "%s is cut short at byte %" PRIu64 "%s, after %" PRIu64 " packets: %s", reader->path,
              reader->offset + bytes_left(reader), in_unpacked_data(reader), reader->frames, why);
    return READER_END;
}

static enum reader_result end_failed(struct file_reader *reader)
{
    reader->verdict = reader->frames > 0 ? ERROR_DATA_LOSS : ERROR_UNAVAILABLE;
    error_set(&reader->error, reader->verdict, "%s cannot be read on after %" PRIu64 " packets: %s",
              reader->path, reader->frames, stream_error(reader->stream)->text);
    return READER_END;
}

static enum reader_result end_not_a_capture(struct file_reader *reader)
{
    reader->verdict = ERROR_UNAVAILABLE;
    size_t left = bytes_left(reader);
    if (left == 0)
        error_set(&reader->error, ERROR_UNAVAILABLE, "%s is empty: not even a file header", reader->path);
    else
        error_set(&reader->error, ERROR_UNAVAILABLE, "%s is not a pcap or pcapng file: it seems to be %s",
                  reader->path,
                  file_kind_describe(reader->step.bytes, left < FILE_KIND_BYTES ? left : FILE_KIND_BYTES));
    return READER_END;
}

// The input is over and the next step wants more bytes than it has left.
static enum reader_result end_of_input(struct file_reader *reader)
{
    size_t length;
    enum stream_result how = stream_read(reader->stream, NULL, 0, &length, 0);
    if (how == STREAM_FAILED)
        return end_failed(reader);
    if (how == STREAM_TRUNCATED)
        return end_cut_short(reader, "its compressed data ends early");
    if (reader->format == READER_UNKNOWN)
        return end_not_a_capture(reader);
    if (reader->format == READER_PCAP_HEADER)
        return end_cut_short(reader, "it ends in its file header");
    if (bytes_left(reader) > 0 || reader->skip > 0 || reader->pcapng.trailer_due)
        return end_cut_short(reader, "it ends in the middle of a record");
    return READER_END;
}

// The kind of file, from its first bytes.
static enum parse_result recognise(struct file_reader *reader)
{
    struct parse_step *step = &reader->step;
    bool whole = step->left >= FILE_KIND_BYTES || reader->input_ended;
    step->needed = step->left < MAGIC_BYTES ? MAGIC_BYTES : FILE_KIND_BYTES;
    step->taken = 0;
    if (pcap_file_matches(step->bytes, step->left))
        reader->format = READER_PCAP_HEADER;
    else if (pcapng_file_matches(step->bytes, step->left))
        reader->format = READER_PCAPNG;
    else if (!whole || step->left < MAGIC_BYTES)
        return PARSE_MORE;
    else
        return PARSE_CORRUPT;
    return PARSE_OTHER;
}

static enum parse_result open_pcap(struct file_reader *reader)
{
    enum parse_result result = pcap_file_open(&reader->pcap, &reader->identity, &reader->step);
    if (result == PARSE_OTHER)
        reader->format = READER_PCAP;
    reader->header_read = reader->format == READER_PCAP;
    return result;
}

static enum parse_result parse_pcapng(struct file_reader *reader)
{
    enum parse_result result = pcapng_file_next(&reader->pcapng, &reader->identity, &reader->step);
    if (result == PARSE_OTHER)
        reader->header_read |= reader->pcapng.interfaces > 0;
    return result;
}

static enum parse_result parse(struct file_reader *reader)
{
    switch (reader->format) {
    case READER_PCAP:
        return pcap_file_next(&reader->pcap, &reader->step);
    case READER_PCAPNG:
        return parse_pcapng(reader);
    case READER_PCAP_HEADER:
        return open_pcap(reader);
    case READER_UNKNOWN:
        break;
    }
    return recognise(reader);
}

static void take(struct file_reader *reader, uint64_t taken)
{
    assert(reader->skip == 0); // else something was parsed that has to be passed over first
    uint64_t left = bytes_left(reader);
    uint64_t here = taken < left ? taken : left;
    reader->at += here;
    reader->offset += here;
    reader->skip = taken - here;
}

static enum reader_result want_bytes(struct file_reader *reader)
{
    if (reader->input_ended)
        return end_of_input(reader);
    assert(reader->step.needed > bytes_left(reader) && reader->step.needed <= FILE_FORMAT_NEEDED_MAX);
    if (reader->step.needed > chunk_pool_capacity(reader->pool)) {
        snprintf(reader->step.reason, sizeof reader->step.reason, "a record of %zu bytes",
                 reader->step.needed);
        return end_damaged(reader);
    }
    return READER_NEEDS_BYTES;
}

enum reader_result file_reader_next(struct file_reader *reader, struct frame *frame)
{
    struct parse_step *step = &reader->step;
    step->frame = frame;
    for (;;) {
        if (reader->skip > 0 || reader->chunk == NULL) {
            step->needed = 1;
            return want_bytes(reader);
        }
        assert(reader->at <= reader->chunk->used);
        step->bytes = reader->chunk->bytes + reader->at;
        step->left = reader->chunk->used - reader->at;
        switch (parse(reader)) {
        case PARSE_FRAME:
            frame->chunk = reader->chunk;
            reader->frames++;
            take(reader, step->taken);
            return READER_FRAME;
        case PARSE_OTHER:
            take(reader, step->taken);
            break;
        case PARSE_MORE:
            return want_bytes(reader);
        case PARSE_CORRUPT:
            return reader->format == READER_UNKNOWN ? end_not_a_capture(reader) : end_damaged(reader);
        }
    }
}

// Room for what is needed in one piece: a new chunk that starts with what the old one has left.
static bool make_room(struct file_reader *reader, int timeout_ms)
{
    struct chunk *old = reader->chunk;
    if (old != NULL && reader->at + reader->step.needed <= old->capacity &&
        (old->capacity - old->used >= READ_MIN_BYTES || reader->at == 0) && old->used < old->capacity)
        return true;
    struct chunk *chunk = chunk_pool_take(reader->pool, timeout_ms);
    if (chunk == NULL)
        return false;
    if (old != NULL) {
        assert(old->used - reader->at <= chunk->capacity);
        chunk->used = old->used - reader->at;
        memcpy(chunk->bytes, old->bytes + reader->at, chunk->used);
        chunk_release(old);
    }
    reader->chunk = chunk;
    reader->at = 0;
    return true;
}

static size_t read_capacity(const struct file_reader *reader)
{
    size_t room = reader->chunk->capacity - reader->chunk->used;
    assert(room > 0 && room <= reader->chunk->capacity);
    if (room > READ_BYTES)
        room = READ_BYTES;
    return reader->skip > 0 && reader->skip < room ? (size_t)reader->skip : room;
}

enum fill_result file_reader_fill(struct file_reader *reader, int timeout_ms)
{
    assert(!reader->input_ended);
    if (!make_room(reader, timeout_ms))
        return FILL_NO_CHUNK;
    struct chunk *chunk = reader->chunk;
    size_t length = 0;
    switch (
        stream_read(reader->stream, chunk->bytes + chunk->used, read_capacity(reader), &length, timeout_ms)) {
    case STREAM_BYTES:
        break;
    case STREAM_WAIT:
        return FILL_WAIT;
    case STREAM_END:
    case STREAM_TRUNCATED:
    case STREAM_FAILED:
        reader->input_ended = true;
        return FILL_DONE;
    }
    assert(length > 0 && length <= read_capacity(reader));
    if (reader->skip > 0) { // read and left lying: the next bytes overwrite them
        reader->skip -= length;
        reader->offset += length;
    } else {
        chunk->used += length;
    }
    return FILL_DONE;
}
