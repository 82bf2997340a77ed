// Frames as bytes of a capture file: classic pcap (nanosecond magic) or pcapng (nanosecond stamps, one
// interface description for each interface that occurs). Pure; one thread per encoder.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/source.h"

enum pcap_format { PCAP_FORMAT_CLASSIC, PCAP_FORMAT_PCAPNG };

struct pcap_encoder {
    enum pcap_format format;
    bool started;                       // the file header is out
    uint16_t link_type;                 // classic: of the whole file
    uint32_t described;                 // pcapng: interface blocks so far
    uint32_t id[SOURCE_INTERFACES_MAX]; // pcapng: block of an interface, + 1; 0 = none
    const struct source_interface
        *id_of[SOURCE_INTERFACES_MAX]; // whose it is: a number may be another one's later
    uint16_t id_link_type[SOURCE_INTERFACES_MAX];
};

void pcap_encoder_init(struct pcap_encoder *encoder, enum pcap_format format);

// The most bytes that the next frame can take, headers before it included.
size_t pcap_encoder_bound(uint32_t captured);

// The frame, with the file header and the interface's description before it when they are due. Returns the
// bytes written to `into`; 0 = a classic file cannot hold this link type beside its own.
size_t pcap_encoder_frame(struct pcap_encoder *encoder, const struct frame *frame,
                          const struct source_interface *interface, uint8_t *into);

// Ahead of an interface's first frame: its description, of a pcapng whose header is out; 0 when it is out, or there is none in
// the format. libpcap reads no pcapng without any. `into` has pcap_encoder_bound(0).
size_t pcap_encoder_interface(struct pcap_encoder *encoder, uint16_t number,
                              const struct source_interface *interface, uint8_t *into);

// The file header alone, for a file without frames; 0 when it is out.
size_t pcap_encoder_header(struct pcap_encoder *encoder, uint16_t link_type, uint8_t *into);
