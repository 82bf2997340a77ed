#include "capture/pcap_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/file_series.h"
#include "base/log.h"
#include "capture/pcap_encode.h"

enum { WRITE_BUFFER_BYTES = 512 * 1024, FILE_MODE = 0640, BYTES_OF_MB = 1024 * 1024 };

struct pcap_writer {
    struct tap_consumer consumer;
    struct pcap_writer_options options;
    char path[PATH_MAX];       // of the file being written
    int fd;                    // -1 = to be opened
    bool is_file;              // it can be cut back to whole records
    struct file_series series; // when rotating
    uint64_t number;           // of the newest file
    uint64_t file_bytes;       // written to this file
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
        log_warning("capture", "%s %s: %s; packets are not recorded %s", writer->path, what,
                    strerror(failure), until);
    writer->failure = failure;
    if (writer->first_failure == 0)
        writer->first_failure = failure;
}

static void note_success(struct pcap_writer *writer)
{
    if (writer->failure != 0 && is_told_at_once(writer))
        log_warning("capture", "%s can be written again; %" PRIu64 " packets were not recorded", writer->path,
                    writer->lost);
    writer->failure = 0;
}

// Cuts a partly written record away, or moves past what a pipe has taken.
static void undo_partial_write(struct pcap_writer *writer, size_t written)
{
    if (written == 0)
        return;
    if (writer->is_file && ftruncate(writer->fd, (off_t)writer->file_bytes) == 0 &&
        lseek(writer->fd, (off_t)writer->file_bytes, SEEK_SET) >= 0)
        return;
    memmove(writer->buffer, writer->buffer + written, writer->buffered - written);
    writer->buffered -= written;
    writer->file_bytes += written;
}

static bool write_buffer(struct pcap_writer *writer)
{
    size_t written = 0;
    while (written < writer->buffered) {
        ssize_t result = write(writer->fd, writer->buffer + written, writer->buffered - written);
        if (result >= 0) {
            written += (size_t)result;
        } else if (errno != EINTR) {
            note_failure(writer, errno, "cannot be written");
            undo_partial_write(writer, written);
            return false;
        }
    }
    writer->file_bytes += written;
    writer->frames_written += writer->buffered_frames;
    writer->buffered = 0;
    writer->buffered_frames = 0;
    note_success(writer);
    return true;
}

static bool open_file(struct pcap_writer *writer)
{
    int fd = open(writer->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, FILE_MODE);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) != 0)
        return false;
    writer->fd = fd;
    writer->is_file = S_ISREG(status.st_mode);
    writer->file_bytes = 0;
    return true;
}

static bool reopen_file(struct pcap_writer *writer)
{
    bool opened = open_file(writer);
    if (!opened)
        note_failure(writer, errno, "cannot be opened");
    return opened;
}

static void start_file(struct pcap_writer *writer)
{
    pcap_encoder_init(&writer->encoder,
                      ends_with(writer->options.path, ".pcapng") ? PCAP_FORMAT_PCAPNG : PCAP_FORMAT_CLASSIC);
}

// The path of the next file of the series; false when it is too long.
static bool name_next_file(struct pcap_writer *writer)
{
    char *path = file_series_path(&writer->series, writer->number + 1, "");
    bool fits = path != NULL && strlen(path) < sizeof writer->path;
    if (fits) {
        memcpy(writer->path, path, strlen(path) + 1);
        writer->number++;
    }
    free(path);
    return fits;
}

static void delete_old_files(const struct pcap_writer *writer)
{
    if (writer->number > writer->options.max_files)
        file_series_delete_up_to(&writer->series, writer->number - writer->options.max_files);
}

static bool rotate(struct pcap_writer *writer)
{
    if (!write_buffer(writer))
        return false;
    if (close(writer->fd) != 0)
        note_failure(writer, errno, "cannot be closed");
    writer->fd = -1;
    if (!name_next_file(writer)) {
        note_failure(writer, ENAMETOOLONG, "cannot be followed");
        return false;
    }
    start_file(writer);
    delete_old_files(writer);
    return reopen_file(writer);
}

// A file without packets is a capture file nonetheless.
static void write_lone_header(struct pcap_writer *writer)
{
    const struct source *source = writer->options.source;
    uint16_t link_type = source_interfaces(source) > 0 ? source_interface(source, 0)->link_type : 1;
    if (writer->fd >= 0)
        writer->buffered +=
            pcap_encoder_header(&writer->encoder, link_type, writer->buffer + writer->buffered);
}

// Whether the path still leads to the file that is being written.
static bool is_in_place(const struct pcap_writer *writer)
{
    struct stat open_file_status, path_status;
    return fstat(writer->fd, &open_file_status) == 0 && stat(writer->path, &path_status) == 0 &&
           open_file_status.st_dev == path_status.st_dev && open_file_status.st_ino == path_status.st_ino;
}

// Begins a file at the path, whose file was moved away; that one is whole. It goes on as it was when it
// cannot be written out (tried again) or the new file not be opened.
static void follow_path(struct pcap_writer *writer)
{
    int moved = writer->fd;
    if (moved < 0 || !writer->is_file || is_in_place(writer))
        return;
    write_lone_header(writer);
    if (!write_buffer(writer)) {
        atomic_store(&writer->reopen_wanted, true);
        return;
    }
    uint16_t link_type = writer->encoder.link_type;
    if (!open_file(writer)) {
        log_warning("capture", "%s cannot be opened anew: %s; the file that was there is written on",
                    writer->path, strerror(errno));
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
    return limit > 0 && writer->encoder.started && writer->file_bytes + writer->buffered + bytes > limit;
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
                    writer->path, writer->encoder.link_type, frame->link_type);
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
    if (writer->file_bytes == 0)
        write_buffer(writer); // the file is a capture from its first packet on, whatever happens later
    return true;
}

static bool has_free_room(const struct pcap_writer *writer)
{
    struct statvfs system;
    if (writer->options.min_free_mb == 0 || !writer->is_file || writer->fd < 0 ||
        fstatvfs(writer->fd, &system) != 0)
        return true;
    uint64_t free_bytes = (uint64_t)system.f_bavail * system.f_frsize;
    return free_bytes >= (uint64_t)writer->options.min_free_mb * BYTES_OF_MB;
}

static void check_free_room(struct pcap_writer *writer)
{
    bool no_room = !has_free_room(writer);
    if (no_room && !writer->no_room)
        log_warning("capture",
                    "%s: less than %" PRIu32 " MB are free (output.min_free_mb); packets are not recorded",
                    writer->path, writer->options.min_free_mb);
    if (!no_room && writer->no_room)
        log_warning("capture", "%s: recording goes on; %" PRIu64 " packets were not recorded", writer->path,
                    writer->lost);
    writer->no_room = no_room;
}

// Also the retry after a failure: what is buffered goes first.
static void writer_flush(struct tap_consumer *consumer)
{
    struct pcap_writer *writer = writer_of(consumer);
    reopen_if_wanted(writer);
    check_free_room(writer);
    if (writer->fd < 0 && !reopen_file(writer))
        return;
    if (writer->buffered > 0 || writer->failure != 0)
        write_buffer(writer);
}

static bool report(const struct pcap_writer *writer, uint64_t lost, struct error *error)
{
    bool to_stdout = strcmp(writer->options.path, "-") == 0;
    const char *name = to_stdout ? writer->path : writer->options.path;
    const char *reason = writer->first_failure != 0 ? strerror(writer->first_failure)
                                                    : "less free space than output.min_free_mb";
    if (lost > 0)
        return error_set(error, EXIT_OUTPUT, "%s is incomplete: %" PRIu64 " packets could not be written: %s",
                         name, lost, reason);
    if (writer->failure != 0)
        return error_set(error, EXIT_OUTPUT, "%s is incomplete: %s", name, reason);
    return writer->refused == 0 ||
           error_set(error, EXIT_OUTPUT,
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
    if (writer->fd >= 0 && writer->fd != STDOUT_FILENO && close(writer->fd) != 0)
        note_failure(writer, errno, "cannot be closed");
    writer->fd = -1;
    *unwritten = writer->buffered_frames;
    return report(writer, writer->lost + writer->buffered_frames, error);
}

static void writer_destroy(struct tap_consumer *consumer)
{
    struct pcap_writer *writer = writer_of(consumer);
    if (writer->fd >= 0 && writer->fd != STDOUT_FILENO)
        close(writer->fd);
    file_series_done(&writer->series);
    free(writer);
}

static const struct tap_consumer_ops writer_ops = {
    .name = "recorder",
    .packet = writer_packet,
    .flush = writer_flush,
    .finish = writer_finish,
    .destroy = writer_destroy,
};

static bool open_stdout(struct pcap_writer *writer, struct error *error)
{
    if (writer->options.rotate_mb > 0)
        return error_set(error, EXIT_OUTPUT,
                         "standard output cannot be rotated: give --write-pcap a file name");
    if (isatty(STDOUT_FILENO))
        return error_set(error, EXIT_OUTPUT,
                         "packets are not written to a terminal: redirect standard output");
    writer->fd = STDOUT_FILENO;
    memcpy(writer->path, "standard output", sizeof "standard output");
    return true;
}

static bool begin_series(struct pcap_writer *writer)
{
    if (!file_series_init(&writer->series, writer->options.path))
        return false;
    writer->number = file_series_last(&writer->series);
    return name_next_file(writer);
}

static bool name_first_file(struct pcap_writer *writer, struct error *error)
{
    const char *path = writer->options.path;
    size_t length = strlen(path);
    bool named = length < sizeof writer->path;
    if (named)
        memcpy(writer->path, path, length + 1);
    if (named && writer->options.rotate_mb > 0)
        named = begin_series(writer);
    return named || error_set(error, EXIT_OUTPUT, "the name of the capture file to write is too long");
}

static bool open_first_file(struct pcap_writer *writer, struct error *error)
{
    if (!name_first_file(writer, error))
        return false;
    if (!open_file(writer))
        return error_set(error, EXIT_OUTPUT, "%s cannot be written: %s", writer->path, strerror(errno));
    if (writer->options.rotate_mb > 0)
        delete_old_files(writer);
    check_free_room(writer);
    return true;
}

struct tap_consumer *pcap_writer_create(const struct pcap_writer_options *options, struct error *error)
{
    struct pcap_writer *writer = calloc(1, sizeof *writer);
    if (writer == NULL) {
        error_set(error, EXIT_OUTPUT, "the recorder finds no memory");
        return NULL;
    }
    writer->consumer.ops = &writer_ops;
    writer->options = *options;
    writer->fd = -1;
    start_file(writer);
    bool to_stdout = strcmp(options->path, "-") == 0;
    if (!(to_stdout ? open_stdout(writer, error) : open_first_file(writer, error))) {
        writer_destroy(&writer->consumer);
        return NULL;
    }
    return &writer->consumer;
}

void pcap_writer_reopen(struct tap_consumer *recorder)
{
    atomic_store(&writer_of(recorder)->reopen_wanted, true);
}
