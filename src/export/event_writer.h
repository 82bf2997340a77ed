// An output of events: a reader of an event log with a thread of its own, and the end of both, shared by all of them.
// What is done with an event is the row `ops`, called by that thread only. An event_writer is the first member of the
// output that it belongs to.
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "aggregate/sink.h"
#include "base/output_file.h"
#include "export/export.h"

struct event_writer;

// Which events a log's blocks hold.
struct event_layout {
    size_t first, bytes; // of an event in its block
    const char *name;    // in sentences: "flows"
};
extern const struct event_layout flow_events_layout, alert_events_layout;

struct event_writer_ops {
    void (*take)(struct event_writer *writer, const void *event, int64_t now_ns);
    void (*idle)(struct event_writer *writer,
                 int64_t now_ns); // everything that is out was taken; at least every 200 ms
    void (*reopen)(struct event_writer *writer, int64_t now_ns);
    bool (*close)(struct event_writer *writer, struct error *error); // the thread's last call
    void (*destroy)(struct event_writer *writer);                    // after the thread; frees the output
};

struct event_writer {
    struct sink sink;
    const struct event_writer_ops *ops;
    const struct event_layout *layout;
    char name[256]; // of the output, for its sentences
    struct event_reader *reader;
    pthread_t thread;
    bool running;
    bool complete; // what close() said; valid after the thread
    struct error error;
    atomic_bool reopen_wanted, ending;
    struct output_counts counts;
};

struct event_writer_setup {
    const char *name; // of the output: a path, "-", or what sentences call it
    const struct event_writer_ops *ops;
    const struct event_layout *layout;
    struct event_log *events;
    enum event_policy policy;
};

// Starts the thread. False with a sentence; then event_writer_done() is still to be called.
bool event_writer_start(struct event_writer *writer, const struct event_writer_setup *setup,
                        struct error *error);
// What is waited for: live an output that lags misses events until the run ends, else the log waits for it.
enum event_policy event_writer_policy(const struct export_options *options);
// Any thread: whether the run has ended, and the writer is waited for.
bool event_writer_is_ending(const struct event_writer *writer);
// Joins the thread if finish() did not; for `destroy` before it frees.
void event_writer_done(struct event_writer *writer);
