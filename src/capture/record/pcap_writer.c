#include "capture/record/pcap_writer.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/output_file.h"
#include "capture/clock.h"
#include "capture/record/pcap_encode.h"

enum { BYTES_OF_MB = 1024 * 1024 };

struct pcap_writer {
    struct tap_consumer consumer;
    struct pcap_writer_options options;
    struct output_file *file; // NULL once closed
    struct output_counts counts;
    uint64_t not_taken;       // frames that packet() said no to, lost or refused
    _Atomic uint64_t refused; // of these: of another link type than the file's
    bool warned_link_type;
    atomic_bool reopen_wanted;
    bool follows;   // wanted, and not done yet
    int64_t now_ns; // of the last flush: close enough for what happens once a second
    struct pcap_encoder encoder;
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

static void begin_file(void *owner)
{
    struct pcap_writer *writer = owner;
    pcap_encoder_init(&writer->encoder,
                      ends_with(writer->options.path, ".pcapng") ? PCAP_FORMAT_PCAPNG : PCAP_FORMAT_CLASSIC);
}

// With the first interface's description: libpcap reads no pcapng without any.
static void put_header(struct pcap_writer *writer, uint16_t link_type)
{
    const struct source *source = writer->options.source;
    uint8_t *place = output_file_place(writer->file, 2 * pcap_encoder_bound(0));
    if (place == NULL)
        return;
    size_t length = pcap_encoder_header(&writer->encoder, link_type, place);
    if (length > 0 && source_interfaces(source) > 0)
        length += pcap_encoder_interface(&writer->encoder, 0, source_interface(source, 0), place + length);
    output_file_commit_head(writer->file, length);
}

// A file without packets is a capture file nonetheless.
static void put_lone_header(struct pcap_writer *writer)
{
    const struct source *source = writer->options.source;
    uint16_t link_type = source_interfaces(source) > 0 ? source_interface(source, 0)->link_type : 1;
    if (!writer->encoder.started && output_file_is_empty(writer->file))
        put_header(writer, link_type);
}

// Begins a file at the path, whose file was moved away; that one is whole, and the new one from its beginning on.
static bool follow_path(struct pcap_writer *writer)
{
    bool moved = output_file_is_moved(writer->file);
    if (moved)
        put_lone_header(writer);
    uint16_t link_type = writer->encoder.link_type;
    if (!output_file_follow(writer->file, writer->now_ns))
        return false;
    if (moved)
        put_header(writer, link_type);
    return true;
}

// What cannot be done is tried again at the next flush.
static void reopen_if_wanted(struct pcap_writer *writer, bool again)
{
    if (atomic_exchange(&writer->reopen_wanted, false) || (again && writer->follows))
        writer->follows = !follow_path(writer);
}

static void refuse_link_type(struct pcap_writer *writer, const struct frame *frame)
{
    writer->refused++;
    if (!writer->warned_link_type)
        log_warning("capture",
                    "%s holds link type %u; packets of link type %u are not recorded (a name that ends "
                    "in .pcapng makes a file for all of them)",
                    writer->options.path, writer->encoder.link_type, frame->link_type);
    writer->warned_link_type = true;
}

static bool write_frame(struct pcap_writer *writer, const struct frame *frame)
{
    uint8_t *place = output_file_reserve(writer->file, pcap_encoder_bound(frame->captured), writer->now_ns);
    if (place == NULL)
        return false;
    const struct source_interface *interface = source_interface(writer->options.source, frame->interface);
    bool first = output_file_is_empty(writer->file);
    size_t bytes = pcap_encoder_frame(&writer->encoder, frame, interface, place);
    if (bytes == 0) {
        refuse_link_type(writer, frame);
        return false;
    }
    output_file_commit(writer->file, bytes);
    if (first) // the file is a capture from its first packet on, whatever happens later
        output_file_flush(writer->file, writer->now_ns);
    return true;
}

static bool writer_packet(struct tap_consumer *consumer, const struct frame *frame, uint64_t number)
{
    (void)number;
    struct pcap_writer *writer = writer_of(consumer);
    reopen_if_wanted(writer, false);
    bool written = write_frame(writer, frame);
    writer->not_taken += !written;
    return written;
}

static void writer_flush(struct tap_consumer *consumer)
{
    struct pcap_writer *writer = writer_of(consumer);
    writer->now_ns = clock_now_ns();
    reopen_if_wanted(writer, true);
    output_file_flush(writer->file, writer->now_ns);
}

static bool report_refused(const struct pcap_writer *writer, struct error *error)
{
    return writer->refused == 0 ||
           error_set(error, ERROR_DATA_LOSS,
                     "%s is incomplete: %" PRIu64 " packets of another link type do not fit into a classic "
                     "pcap file; give it a name that ends in .pcapng",
                     writer->options.path, writer->refused);
}

static bool writer_finish(struct tap_consumer *consumer, uint64_t *unwritten, struct error *error)
{
    struct pcap_writer *writer = writer_of(consumer);
    put_lone_header(writer);
    bool complete = output_file_close(writer->file, error);
    writer->file = NULL;
    *unwritten = atomic_load(&writer->counts.lost) + writer->refused - writer->not_taken;
    return complete && report_refused(writer, error);
}

static void writer_destroy(struct tap_consumer *consumer)
{
    struct pcap_writer *writer = writer_of(consumer);
    struct error ignored;
    if (writer->file != NULL)
        output_file_close(writer->file, &ignored);
    free(writer);
}

static const struct tap_consumer_ops writer_ops = {
    .name = "recorder",
    .packet = writer_packet,
    .flush = writer_flush,
    .finish = writer_finish,
    .destroy = writer_destroy,
};

static bool check_stdout(const struct pcap_writer_options *options, struct error *error)
{
    if (strcmp(options->path, "-") != 0)
        return true;
    if (options->rotate_mb > 0)
        return error_set(error, ERROR_UNAVAILABLE,
                         "standard output cannot be rotated: give --write-pcap a file name");
    if (isatty(STDOUT_FILENO))
        return error_set(error, ERROR_UNAVAILABLE,
                         "packets are not written to a terminal: redirect standard output");
    return true;
}

static bool open_file(struct pcap_writer *writer, struct error *error)
{
    const struct pcap_writer_options *options = &writer->options;
    struct output_options output = {
        .component = "capture",
        .unit = "packets",
        .mode = PCAP_FILE_MODE,
        .replace = true,
        .rotate_bytes = (uint64_t)options->rotate_mb * BYTES_OF_MB,
        .max_files = options->max_files,
        .min_free_bytes = (uint64_t)options->min_free_mb * BYTES_OF_MB,
        .gives_up = options->gives_up,
        .keep_trying = !options->source->ops->lossless,
        .head = "",
        .tail = "",
        .owner = writer,
        .begun = begin_file,
    };
    writer->file = output_file_open(options->path, &output, &writer->counts, error);
    return writer->file != NULL;
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
    writer->now_ns = clock_now_ns();
    if (!check_stdout(options, error) || !open_file(writer, error)) {
        writer_destroy(&writer->consumer);
        return NULL;
    }
    return &writer->consumer;
}

struct pcap_writer_counts pcap_writer_counts(struct tap_consumer *recorder)
{
    struct pcap_writer *writer = writer_of(recorder);
    return (struct pcap_writer_counts){
        .packets = atomic_load(&writer->counts.records),
        .bytes = atomic_load(&writer->counts.bytes),
        .lost = atomic_load(&writer->counts.lost) + atomic_load(&writer->refused),
        .errors = atomic_load(&writer->counts.errors),
        .failing = atomic_load(&writer->counts.failing),
    };
}

void pcap_writer_keep_free(struct tap_consumer *recorder, uint32_t min_free_mb)
{
    atomic_store(&writer_of(recorder)->counts.min_free_bytes, (uint64_t)min_free_mb * BYTES_OF_MB);
}

void pcap_writer_reopen(struct tap_consumer *recorder)
{
    atomic_store(&writer_of(recorder)->reopen_wanted, true);
}
