// mix: makes the traffic of the benchmarks. See --help.
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "mix/capture_list.h"
#include "mix/trace.h"
#include "mix/weave.h"
#include "traffic/conversation.h"

enum { SPAN_S = 120, COPIES_MAXIMUM = 100000, FLOWS_MAXIMUM = 1 << 30, STEPS_MAXIMUM = 1 << 20 };

struct request {
    uint64_t copies, megabytes, span_s, syn_every;
    uint64_t flows, steps; // --synthetic
    uint64_t flood;
};

static const char usage[] =
    "Usage: mix [--copies N | --megabytes N] [--span SECONDS] [--syn-every N] OUT FILE...\n"
    "       mix --synthetic FLOWS PACKETS_PER_FLOW OUT\n"
    "       mix --flood N OUT\n"
    "\n"
    "Writes a capture (classic pcap, Ethernet; OUT may be - for standard output).\n"
    "\n"
    "From FILEs (captures, or directories of them): every Ethernet capture N times, each copy with "
    "addresses\n"
    "of its own and IPv4 header checksums mended, all interleaved in time. Memory: the size of the FILEs.\n"
    "  --copies N         copies of each capture (default 1)\n"
    "  --megabytes N      as many copies as it takes to get there\n"
    "  --span SECONDS     copies start within that time (default 120)\n"
    "  --syn-every N      behind every Nth packet one of the SYNs of --flood, at the packet's time\n"
    "\n"
    "Made from nothing, one packet a microsecond:\n"
    "  --synthetic FLOWS PACKETS_PER_FLOW\n"
    "                     TCP flows, all open at once: SYN, SYN-ACK, ACK, then request, response, ACK...\n"
    "  --flood N          N SYNs from spoofed addresses to one server\n";

static void fail_usage(const char *why)
{
    fprintf(stderr, "mix: %s; see --help\n", why);
    exit(2);
}

static uint64_t number(const char *text, uint64_t most)
{
    char *end;
    errno = 0;
    unsigned long long value = text != NULL ? strtoull(text, &end, 10) : 0;
    if (text == NULL || errno != 0 || end == text || *end != '\0' || text[0] == '-' || value == 0 ||
        value > most)
        fail_usage("a number is missing, or out of range");
    return value;
}

static void write_synthetic(struct trace *trace, uint64_t flows, unsigned steps)
{
    uint8_t frame[CONVERSATION_FRAME_BYTES];
    for (unsigned step = 0; step < steps; step++)
        for (uint64_t place = 0; place < flows; place++) {
            uint32_t length = conversation_frame(conversation_turn(flows, step, place), step, frame);
            trace_write(trace, trace->packets, frame, length, length);
        }
}

static void write_flood(struct trace *trace, uint64_t count)
{
    uint8_t frame[CONVERSATION_FRAME_BYTES];
    for (uint64_t i = 0; i < count; i++) {
        uint32_t length = flood_frame(i, frame);
        trace_write(trace, i, frame, length, length);
    }
}

static void load(struct capture_list *list, struct request *request, char **paths, int count)
{
    for (int i = 0; i < count; i++)
        capture_list_add(list, paths[i]);
    if (list->count == 0)
        mix_fail("no Ethernet capture among the %u files", list->skipped);
    if (request->megabytes != 0)
        request->copies = (request->megabytes * 1000000 + list->bytes - 1) / list->bytes;
    if (request->copies > COPIES_MAXIMUM)
        mix_fail("%" PRIu64 " copies are too many: name more captures", request->copies);
    fprintf(stderr, "%u captures (%u files skipped) in %" PRIu64 " copies\n", list->count, list->skipped,
            request->copies);
}

// The index of the first word that is no option.
static int read_options(int count, char **words, struct request *request)
{
    static const struct option options[] = {
        {"copies", required_argument, NULL, 'c'},
        {"megabytes", required_argument, NULL, 'm'},
        {"span", required_argument, NULL, 't'},
        {"syn-every", required_argument, NULL, 'e'},
        {"synthetic", required_argument, NULL, 's'},
        {"flood", required_argument, NULL, 'f'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    for (int option; (option = getopt_long(count, words, "+h", options, NULL)) != -1;) {
        if (option == 'h') {
            fputs(usage, stdout);
            exit(0);
        } else if (option == 'c') {
            request->copies = number(optarg, COPIES_MAXIMUM);
        } else if (option == 'm') {
            request->megabytes = number(optarg, 1000000);
        } else if (option == 't') {
            request->span_s = number(optarg, 86400);
        } else if (option == 'e') {
            request->syn_every = number(optarg, UINT32_MAX);
        } else if (option == 's') {
            request->flows = number(optarg, FLOWS_MAXIMUM);
            request->steps = number(words[optind], STEPS_MAXIMUM);
            optind++;
        } else if (option == 'f') {
            request->flood = number(optarg, UINT32_MAX);
        } else {
            fail_usage("an option is not known, or incomplete");
        }
    }
    return optind;
}

int main(int count, char **words)
{
    struct request request = {.copies = 1, .span_s = SPAN_S};
    int at = read_options(count, words, &request);
    bool made = request.flows != 0 || request.flood != 0;
    if (made ? count - at != 1 : count - at < 2)
        fail_usage(made ? "one OUT is needed" : "OUT and a FILE are needed");
    struct capture_list list = {0};
    if (!made)
        load(&list, &request, words + at + 1, count - at - 1);
    struct trace trace;
    trace_open(&trace, words[at]);
    if (request.flows != 0)
        write_synthetic(&trace, request.flows, (unsigned)request.steps);
    else if (request.flood != 0)
        write_flood(&trace, request.flood);
    else
        weave(&list, (uint32_t)request.copies, request.span_s * 1000000, (uint32_t)request.syn_every, &trace);
    uint64_t packets = trace.packets, bytes = trace.bytes, last_us = trace.last_us;
    trace_close(&trace);
    capture_list_done(&list);
    fprintf(stderr, "%" PRIu64 " packets, %.1f MB, %.1f s\n", packets, (double)(bytes + 16 * packets) / 1e6,
            (double)last_us / 1e6);
    return 0;
}
