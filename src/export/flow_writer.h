// An output of flows: a reader of the event log with a thread of its own, and the end of both, shared by all of them.
// What is done with an event is the row `ops`, called by that thread only. A flow_writer is the first member of the
// output that it belongs to.
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "aggregate/sink.h"
#include "base/output_file.h"
#include "export/export.h"

enum { OUTPUT_MODE = 0644 }; // of the files

struct flow_writer;

struct flow_writer_ops {
    void (*take)(struct flow_writer *writer, const struct flow_event *event, int64_t now_ns);
    void (*idle)(struct flow_writer *writer, int64_t now_ns); // everything that is out was taken
    void (*reopen)(struct flow_writer *writer, int64_t now_ns);
    bool (*close)(struct flow_writer *writer, struct error *error); // the thread's last call
    void (*destroy)(struct flow_writer *writer);                    // after the thread; frees the output
};

struct flow_writer {
    struct sink sink;
    const struct flow_writer_ops *ops;
    char name[256]; // of the output, for its sentences
    struct event_reader *reader;
    pthread_t thread;
    bool running;
    bool complete; // what close() said; valid after the thread
    struct error error;
    atomic_bool reopen_wanted;
    struct output_counts counts;
};

// Starts the thread. False with a sentence; then flow_writer_done() is still to be called.
bool flow_writer_start(struct flow_writer *writer, const char *name, const struct flow_writer_ops *ops,
                       const struct export_options *options, struct error *error);
// Joins the thread if finish() did not; for `destroy` before it frees.
void flow_writer_done(struct flow_writer *writer);
