// The recorder: a tap's consumer that writes frames to capture files. Classic pcap with nanosecond stamps,
// or pcapng when the path ends in ".pcapng"; "-" is stdout. Only whole records go to write(2), at least
// once a second, so that whatever kills the process leaves a readable file. Files are replaced, mode 0640.
// What happens to its files when the disk is full, or a write fails: base/output_file.h. Live it is tried again each
// second; what was written stays readable.
#pragma once

#include "capture/record/tap.h"

enum { PCAP_FILE_MODE = 0640 };

struct pcap_writer_options {
    const char *path;   // borrowed
    uint32_t rotate_mb; // 0 = one file; else `max_files` of at most this size are kept
    uint32_t max_files;
    uint32_t min_free_mb;        // with less room on the file system nothing is written; 0 = no limit
    bool (*gives_up)(void);      // whether who reads a pipe is waited for no longer; NULL = never
    const struct source *source; // for names and link types of interfaces; borrowed
};

struct pcap_writer_counts {
    uint64_t packets, bytes; // written
    uint64_t lost;           // the disk did not take them, or their link type is not the file's
    uint64_t errors;         // failures
    bool failing;            // the latest of them lasts
};

// Opens the first file. NULL with a sentence (ERROR_UNAVAILABLE).
struct tap_consumer *pcap_writer_create(const struct pcap_writer_options *options, struct error *error);

// SIGHUP: when its file was moved away (log rotation), the writer begins a new one at the path. Any thread.
void pcap_writer_reopen(struct tap_consumer *recorder);
// Any thread.
struct pcap_writer_counts pcap_writer_counts(struct tap_consumer *recorder);
// Another min_free_mb. Any thread.
void pcap_writer_keep_free(struct tap_consumer *recorder, uint32_t min_free_mb);
