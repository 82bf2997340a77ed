#include "capture/record/pcap_writer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "capture/record/pcap_encode.h"
#include "capture/record/recorder_file.h"

enum { WRITE_BUFFER_BYTES = 512 * 1024, BYTES_OF_MB = 1024 * 1024 };

struct pcap_writer {
    struct tap_consumer consumer;
    struct pcap_writer_options options;
    struct recorder_file file;
    uint64_t frames_written;
    uint64_t refused;  // frames of another link type than the file's
    uint64_t lost;     // frames that came while it could not write
    int failure;       // errno of the last write or open; 0 = all is well
    bool no_room;      // less than min_free_mb
    int first_failure; // for the sentence at the end
    bool warned_link_type;
    bool finishing;
    atomic_bool reopen_wanted;
    struct pcap_encoder encoder;
    size_t buffered; // bytes
    uint64_t buffered_frames;
    uint8_t buffer[WRITE_BUFFER_BYTES];
};

static struct pcap_writer *writer_of(struct tap_consumer *consumer)
{
    return (struct pcap_writer *)consumer;
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text);
    size_t end_length = strlen(end);
    return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

// Of a file's packets, and of the last ones, the sentence at the end tells soon enough.
static bool is_told_at_once(const struct pcap_writer *writer)
{
    return !writer->options.source->ops->lossless && !writer->finishing;
}

static void note_failure(struct pcap_writer *writer, int failure, const char *what)
{
    const char *until = failure == EPIPE ? "any more" : "until it works again"; // readers never come back
    if (writer->failure == 0 && is_told_at_once(writer))
        log_warning("capture", "%s %s: %s; packets are not recorded %s", writer->file.path, what,
                    strerror(failure), until);
    writer->failure = failure;
    if (writer->first_failure == 0)
        writer->first_failure = failure;
}

static void note_success(struct pcap_writer *writer)
{
    if (writer->failure != 0 && is_told_at_once(writer))
        log_warning("capture", "%s can be written again; %" PRIu64 " packets were not recorded",
                    writer->file.path, writer->lost);
    writer->failure = 0;
}

// Cuts a partly written record away, or moves past what a pipe has taken.
static void undo_partial_write(struct pcap_writer *writer, size_t written)
{
    if (written == 0 || recorder_file_cut_back(&writer->file))
        return;
    memmove(writer->buffer, writer->buffer + written, writer->buffered - written);
    writer->buffered -= written;
    writer->file.bytes += written;
}

static bool write_buffer(struct pcap_writer *writer)
{
    size_t written = 0;
    while (written < writer->buffered) {
        ssize_t result = write(writer->file.fd, writer->buffer + written, writer->buffered - written);
        if (result >= 0) {
            written += (size_t)result;
        } else if (errno != EINTR) {
            note_failure(writer, errno, "cannot be written");
            undo_partial_write(writer, written);
            return false;
        }
    }
    writer->file.bytes += written;
    writer->frames_written += writer->buffered_frames;
    writer->buffered = 0;
    writer->buffered_frames = 0;
    note_success(writer);
    return true;
}

static bool reopen_file(struct pcap_writer *writer)
{
    bool opened = recorder_file_open(&writer->file);
    if (!opened)
        note_failure(writer, errno, "cannot be opened");
    return opened;
}

static void start_file(struct pcap_writer *writer)
{
    pcap_encoder_init(&writer->encoder,
                      ends_with(writer->options.path, ".pcapng") ? PCAP_FORMAT_PCAPNG : PCAP_FORMAT_CLASSIC);
}

static void close_file(struct pcap_writer *writer)
{
    if (!recorder_file_close(&writer->file))
        note_failure(writer, errno, "cannot be closed");
}

static bool rotate(struct pcap_writer *writer)
{
    if (!write_buffer(writer))
        return false;
    close_file(writer);
    if (!recorder_file_name_next(&writer->file)) {
        note_failure(writer, ENAMETOOLONG, "cannot be followed");
        return false;
    }
    start_file(writer);
    recorder_file_delete_old(&writer->file, writer->options.max_files);
    return reopen_file(writer);
}

// A file without packets is a capture file nonetheless.
static void write_lone_header(struct pcap_writer *writer)
{
    const struct source *source = writer->options.source;
    uint16_t link_type = source_interfaces(source) > 0 ? source_interface(source, 0)->link_type : 1;
    if (writer->file.fd >= 0)
        writer->buffered +=
            pcap_encoder_header(&writer->encoder, link_type, writer->buffer + writer->buffered);
}

// Begins a file at the path, whose file was moved away; that one is whole. It goes on as it was when it
// cannot be written out (tried again) or the new file not be opened.
static void follow_path(struct pcap_writer *writer)
{
    int moved = writer->file.fd;
    if (moved < 0 || !writer->file.is_regular || recorder_file_is_in_place(&writer->file))
        return;
    write_lone_header(writer);
    if (!write_buffer(writer)) {
        atomic_store(&writer->reopen_wanted, true);
        return;
    }
    uint16_t link_type = writer->encoder.link_type;
    if (!recorder_file_open(&writer->file)) {
        log_warning("capture", "%s cannot be opened anew: %s; the file that was there is written on",
                    writer->file.path, strerror(errno));
        return;
    }
    close(moved);
    start_file(writer);
    writer->buffered = pcap_encoder_header(&writer->encoder, link_type, writer->buffer);
}

static void reopen_if_wanted(struct pcap_writer *writer)
{
    if (writer->failure == 0 && atomic_exchange(&writer->reopen_wanted, false))
        follow_path(writer);
}

static bool is_rotation_due(const struct pcap_writer *writer, size_t bytes)
{
    uint64_t limit = (uint64_t)writer->options.rotate_mb * BYTES_OF_MB;
    return limit > 0 && writer->encoder.started && writer->file.bytes + writer->buffered + bytes > limit;
}

static bool make_room(struct pcap_writer *writer, size_t bytes)
{
    if (writer->failure != 0 || writer->no_room)
        return false;
    if (is_rotation_due(writer, bytes) && !rotate(writer))
        return false;
    return writer->buffered + bytes <= sizeof writer->buffer || write_buffer(writer);
}

static void refuse_link_type(struct pcap_writer *writer, const struct frame *frame)
{
    writer->refused++;
    if (!writer->warned_link_type)
        log_warning("capture",
                    "%s holds link type %u; packets of link type %u are not recorded (a name that ends "
                    "in .pcapng makes a file for all of them)",
                    writer->file.path, writer->encoder.link_type, frame->link_type);
    writer->warned_link_type = true;
}

static bool writer_packet(struct tap_consumer *consumer, const struct frame *frame, uint64_t number)
{
    (void)number;
    struct pcap_writer *writer = writer_of(consumer);
    reopen_if_wanted(writer);
    if (!make_room(writer, pcap_encoder_bound(frame->captured))) {
        writer->lost++;
        return false;
    }
    const struct source_interface *interface = source_interface(writer->options.source, frame->interface);
    size_t bytes = pcap_encoder_frame(&writer->encoder, frame, interface, writer->buffer + writer->buffered);
    if (bytes == 0) {
        refuse_link_type(writer, frame);
        return false;
    }
    writer->buffered += bytes;
    writer->buffered_frames++;
    if (writer->file.bytes == 0)
        write_buffer(writer); // the file is a capture from its first packet on, whatever happens later
    return true;
}

static void check_free_room(struct pcap_writer *writer)
{
    uint64_t wanted = (uint64_t)writer->options.min_free_mb * BYTES_OF_MB;
    bool no_room = !recorder_file_has_room(&writer->file, wanted);
    if (no_room && !writer->no_room)
        log_warning("capture",
                    "%s: less than %" PRIu32 " MB are free (output.min_free_mb); packets are not recorded",
                    writer->file.path, writer->options.min_free_mb);
    if (!no_room && writer->no_room)
        log_warning("capture", "%s: recording goes on; %" PRIu64 " packets were not recorded",
                    writer->file.path, writer->lost);
    writer->no_room = no_room;
}

// Also the retry after a failure: what is buffered goes first.
static void writer_flush(struct tap_consumer *consumer)
{
    struct pcap_writer *writer = writer_of(consumer);
    reopen_if_wanted(writer);
    check_free_room(writer);
    if (writer->file.fd < 0 && !reopen_file(writer))
        return;
    if (writer->buffered > 0 || writer->failure != 0)
        write_buffer(writer);
}

static bool report(const struct pcap_writer *writer, uint64_t lost, struct error *error)
{
    bool to_stdout = strcmp(writer->options.path, "-") == 0;
    const char *name = to_stdout ? writer->file.path : writer->options.path;
    const char *reason = writer->first_failure != 0 ? strerror(writer->first_failure)
                                                    : "less free space than output.min_free_mb";
    if (lost > 0)
        return error_set(error, ERROR_DATA_LOSS,
                         "%s is incomplete: %" PRIu64 " packets could not be written: %s", name, lost,
                         reason);
    if (writer->failure != 0)
        return error_set(error, ERROR_DATA_LOSS, "%s is incomplete: %s", name, reason);
    return writer->refused == 0 ||
           error_set(error, ERROR_DATA_LOSS,
                     "%s is incomplete: %" PRIu64 " packets of another link type do not fit into a classic "
                     "pcap file; give it a name that ends in .pcapng",
                     name, writer->refused);
}

static bool writer_finish(struct tap_consumer *consumer, uint64_t *unwritten, struct error *error)
{
    struct pcap_writer *writer = writer_of(consumer);
    writer->finishing = true;
    if (!writer->encoder.started && writer->frames_written == 0)
        write_lone_header(writer);
    writer_flush(consumer);
    close_file(writer);
    *unwritten = writer->buffered_frames;
    return report(writer, writer->lost + writer->buffered_frames, error);
}

static void writer_destroy(struct tap_consumer *consumer)
{
    struct pcap_writer *writer = writer_of(consumer);
    recorder_file_done(&writer->file);
    free(writer);
}

static const struct tap_consumer_ops writer_ops = {
    .name = "recorder",
    .packet = writer_packet,
    .flush = writer_flush,
    .finish = writer_finish,
    .destroy = writer_destroy,
};

static bool open_first_file(struct pcap_writer *writer, struct error *error)
{
    const char *path = writer->options.path;
    bool rotating = writer->options.rotate_mb > 0;
    if (strcmp(path, "-") == 0)
        return recorder_file_open_stdout(&writer->file, rotating, error);
    if (!recorder_file_open_first(&writer->file, path, rotating, error))
        return false;
    if (rotating)
        recorder_file_delete_old(&writer->file, writer->options.max_files);
    check_free_room(writer);
    return true;
}

struct tap_consumer *pcap_writer_create(const struct pcap_writer_options *options, struct error *error)
{
    struct pcap_writer *writer = calloc(1, sizeof *writer);
    if (writer == NULL) {
        error_set(error, ERROR_EXHAUSTED, "the recorder finds no memory");
        return NULL;
    }
    writer->consumer.ops = &writer_ops;
    writer->options = *options;
    recorder_file_init(&writer->file);
    start_file(writer);
    if (!open_first_file(writer, error)) {
        writer_destroy(&writer->consumer);
        return NULL;
    }
    return &writer->consumer;
}

void pcap_writer_reopen(struct tap_consumer *recorder)
{
    atomic_store(&writer_of(recorder)->reopen_wanted, true);
}
