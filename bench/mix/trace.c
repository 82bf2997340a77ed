#include "mix/trace.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { TRACE_START_S = 1700000000, TRACE_BUFFER_BYTES = 1 << 20, TRACE_SNAPLEN = 262144 };

void mix_fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("mix: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(1);
}

void trace_open(struct trace *trace, const char *path)
{
    *trace = (struct trace){.path = path};
    trace->file = strcmp(path, "-") == 0 ? stdout : fopen(path, "wbe");
    if (trace->file == NULL)
        mix_fail("%s: %s", path, strerror(errno));
    setvbuf(trace->file, NULL, _IOFBF, TRACE_BUFFER_BYTES);
    trace->kind = pcap_open_dead(DLT_EN10MB, TRACE_SNAPLEN);
    trace->dumper = trace->kind != NULL ? pcap_dump_fopen(trace->kind, trace->file) : NULL;
    if (trace->dumper == NULL)
        mix_fail("%s: the header was not written", path);
}

void trace_write(struct trace *trace, uint64_t at_us, const uint8_t *bytes, uint32_t captured,
                 uint32_t length)
{
    struct pcap_pkthdr header = {
        .ts = {.tv_sec = TRACE_START_S + (time_t)(at_us / 1000000),
               .tv_usec = (suseconds_t)(at_us % 1000000)},
        .caplen = captured,
        .len = length,
    };
    pcap_dump((u_char *)trace->dumper, &header, bytes);
    trace->packets++;
    trace->bytes += captured;
    trace->last_us = at_us;
    if (ferror(trace->file) != 0)
        mix_fail("%s: %s", trace->path, strerror(errno));
}

void trace_close(struct trace *trace)
{
    if (pcap_dump_flush(trace->dumper) != 0)
        mix_fail("%s: %s", trace->path, strerror(errno));
    pcap_dump_close(trace->dumper);
    pcap_close(trace->kind);
}
