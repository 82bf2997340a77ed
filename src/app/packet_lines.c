#include "app/packet_lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate/sink.h"
#include "decode/decode.h"
#include "decode/fields.h"
#include "pipeline/observation.h"

enum { PACKET_TEXT_BYTES = 4 << 20 };

struct packet_lines {
    struct tap_consumer consumer; // first
    struct packet_lines_setup setup;
    struct fields fields; // scratch
    struct strbuf text;
    int failure; // errno of the first write that failed
};

static void decode_frame(const struct packet_lines *lines, const struct frame *frame, uint64_t number,
                         struct packet *packet)
{
    *packet = (struct packet){
        .time_ns = frame->time_ns,
        .number = number,
        .bytes = frame->bytes,
        .captured = frame->captured,
        .length = frame->length,
        .interface = frame->interface,
        .link_type = frame->link_type,
    };
    decode_packet(packet, &(struct decode_options){.tunnels = lines->setup.tunnels});
    if (packet->link_interface != 0)
        packet->interface = observation_interface(packet->link_interface);
}

static bool print_packet(struct tap_consumer *consumer, const struct frame *frame, uint64_t number)
{
    struct packet_lines *lines = (struct packet_lines *)consumer;
    struct packet packet;
    decode_frame(lines, frame, number, &packet);
    char name[SINK_INTERFACE_BYTES];
    strbuf_clear(&lines->text);
    packet_add_line(&lines->text, &packet, sink_interface_name(lines->setup.source, packet.interface, name));
    strbuf_add_char(&lines->text, '\n');
    if (lines->setup.hex_dump) {
        packet_add_detail(&lines->text, &packet, &lines->fields);
        packet_add_hex(&lines->text, packet.bytes, packet.captured);
    }
    if (lines->failure == 0 &&
        fwrite(lines->text.text, 1, lines->text.length, lines->setup.stream) != lines->text.length)
        lines->failure = errno;
    return lines->failure == 0;
}

static void flush_lines(struct tap_consumer *consumer)
{
    struct packet_lines *lines = (struct packet_lines *)consumer;
    if (fflush(lines->setup.stream) != 0 && lines->failure == 0)
        lines->failure = errno;
}

static bool finish_lines(struct tap_consumer *consumer, uint64_t *unwritten, struct error *error)
{
    (void)unwritten; // a line is written or fails at once
    const struct packet_lines *lines = (const struct packet_lines *)consumer;
    flush_lines(consumer);
    if (lines->failure == 0 || lines->failure == EPIPE)
        return true; // a reader that has seen enough (head) is no failure
    return error_set(error, ERROR_UNAVAILABLE, "cannot print packet lines: %s", strerror(lines->failure));
}

static void destroy_lines(struct tap_consumer *consumer)
{
    struct packet_lines *lines = (struct packet_lines *)consumer;
    fields_done(&lines->fields);
    strbuf_done(&lines->text);
    free(lines);
}

static const struct tap_consumer_ops packet_lines_ops = {
    .name = "packet-lines",
    .packet = print_packet,
    .flush = flush_lines,
    .finish = finish_lines,
    .destroy = destroy_lines,
};

struct tap_consumer *packet_lines_create(const struct packet_lines_setup *setup)
{
    struct packet_lines *lines = calloc(1, sizeof *lines);
    if (lines == NULL)
        return NULL;
    lines->consumer.ops = &packet_lines_ops;
    lines->setup = *setup;
    fields_init(&lines->fields);
    strbuf_init(&lines->text, PACKET_TEXT_BYTES);
    return &lines->consumer;
}
