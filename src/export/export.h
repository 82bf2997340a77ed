// The outputs of events: streamed as they come (flows as JSON Lines or CSV, alerts as JSON Lines or to a webhook), or all
// flows of the run in one sorted file (JSON array, CSV). Each is a reader of an event log with a thread of its own, where
// messages are rendered and written, so that no disk and no server stalls the aggregate; as a sink it is there for its
// end only. Created and destroyed by app; export_reopen() and export_counts() from any thread.
#pragma once

#include "aggregate/sink.h"
#include "config/settings.h"

struct export_options {
    struct event_log *events; // of flows, or of alerts; outlives the output
    bool live; // who lags too far misses events, and a failed file is tried again; else the log waits
    bool (*gives_up)(void);  // whether who reads a pipe is waited for no longer; NULL = never
    bool append;             // streams: to what is at the path; another number when rotating
    uint64_t rotate_bytes;   // streams: a new file when it would grow past this; 0 = one file
    unsigned max_files;      // streams: files kept, the current one included; 0 = all
    bool compress;           // streams: gzip the files that are complete
    uint64_t min_free_bytes; // below this much free space nothing is written; 0 = not checked
    size_t sort_bytes;       // of what is sorted as much waits in memory; 0 = EXPORT_BYTES
};

// `path` is a file, which is truncated, or "-" for standard output. With rotate_bytes "flows.jsonl" stands
// for flows.000001.jsonl and so on, continued after the highest number that is there. NULL with a
// sentence when it cannot be written.
struct sink *stream_jsonl_create(const char *path, const struct export_options *options, struct error *error);
struct sink *stream_csv_create(const char *path, const struct export_options *options, struct error *error);
struct sink *stream_alerts_create(const char *path, const struct export_options *options,
                                  struct error *error);

// Memory: WEBHOOK_BYTES. Posts to `url`; of the options only events and gives_up. NULL with a sentence when the URL cannot be used. Counts:
// `lost` are those that the queue had no more room for, that the server refused, or that were left at the end.
enum { WEBHOOK_BYTES = 16 << 20 };
struct sink *alert_webhook_create(const char *url, enum webhook_format format,
                                  const struct export_options *options, struct error *error);

// Final records only, ordered by flow_record_compare(), written by finish(): aside, and put at the path once whole;
// until then that holds an empty array, or the head of the CSV. The lines wait in sort_bytes of memory, more of them in
// an unlinked file beside the output. Rotation does not apply.
enum { EXPORT_BYTES = 64 << 20, EXPORT_FILE_MODE = 0644 };
struct sink *export_json_create(const char *path, const struct export_options *options, struct error *error);
struct sink *export_csv_create(const char *path, const struct export_options *options, struct error *error);

struct export_counts {
    uint64_t records, bytes; // written
    uint64_t dropped;        // it lagged too far (live)
    uint64_t lost;           // the disk did not take them
    uint64_t errors;         // failures of the output
    bool failing;            // the latest of them lasts
};

// Of a sink made here.
void export_counts(const struct sink *sink, struct export_counts *out);
// SIGHUP: the writer closes its file and opens the path again, without truncating (log rotation moved it).
void export_reopen(struct sink *sink);
// Another min_free_bytes.
void export_keep_free(struct sink *sink, uint64_t min_free_bytes);
