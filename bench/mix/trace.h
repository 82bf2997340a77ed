// The trace that is written: classic pcap, Ethernet, microseconds, "-" for standard output. Time starts at a
// fixed date. Failures end the program with a sentence.
#pragma once

#include <pcap/pcap.h>
#include <stdint.h>
#include <stdio.h>

struct trace {
    const char *path;
    FILE *file;
    pcap_t *kind;
    pcap_dumper_t *dumper;
    uint64_t packets, bytes; // written; bytes are those captured
    uint64_t last_us;
};

void trace_open(struct trace *trace, const char *path);
// `captured` bytes of a frame of `length`, `at_us` after the start.
void trace_write(struct trace *trace, uint64_t at_us, const uint8_t *bytes, uint32_t captured,
                 uint32_t length);
void trace_close(struct trace *trace);

// "mix: ..." and exit 1.
void mix_fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
