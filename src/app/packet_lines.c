#include "app/packet_lines.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "aggregate/sink.h"
#include "app/terminal.h"
#include "decode/fields.h"
#include "pipeline/frame_packet.h"

enum { PACKET_TEXT_BYTES = 4 << 20 };

struct packet_lines {
    struct tap_consumer consumer; // first
    struct packet_lines_setup setup;
    struct fields fields; // scratch
    struct strbuf text;
    uint64_t left_out;
};

static bool print_packet(struct tap_consumer *consumer, const struct frame *frame, uint64_t number)
{
    struct packet_lines *lines = (struct packet_lines *)consumer;
    struct packet packet;
    frame_decode(frame, number, &(struct decode_options){.tunnels = lines->setup.tunnels}, &packet);
    char name[SINK_INTERFACE_BYTES];
    strbuf_clear(&lines->text);
    packet_add_line(&lines->text, &packet, sink_interface_name(lines->setup.source, packet.interface, name));
    strbuf_add_char(&lines->text, '\n');
    if (lines->setup.hex_dump) {
        packet_add_detail(&lines->text, &packet, &lines->fields);
        packet_add_hex(&lines->text, packet.bytes, packet.captured);
    }
    bool taken = terminal_add(lines->setup.terminal, lines->text.text, lines->text.length);
    lines->left_out += !taken;
    return taken;
}

// The terminal writes at once.
static void flush_lines(struct tap_consumer *consumer)
{
    (void)consumer;
}

static bool finish_lines(struct tap_consumer *consumer, uint64_t *unwritten, struct error *error)
{
    (void)unwritten; // a line is taken or fails at once
    const struct packet_lines *lines = (const struct packet_lines *)consumer;
    struct terminal *terminal = lines->setup.terminal;
    if (!terminal_flush(terminal, error))
        return false;
    if (lines->left_out == 0 || terminal_failure(terminal) == EPIPE)
        return true; // a reader that has seen enough (head) is no failure
    return error_set(error, ERROR_DATA_LOSS, "%s was not read in time: %" PRIu64 " packet lines are left out",
                     terminal_name(terminal), lines->left_out);
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
