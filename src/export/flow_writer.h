// A sink that hands its flows to a thread of its own: the queue, the thread and the end of both, shared
// by all outputs of flows. What is done with a flow is the row `ops`, called by the writer thread only.
// A flow_writer is the first member of the output that it belongs to.
#pragma once

#include <stdatomic.h>

#include "export/export.h"
#include "export/flow_queue.h"
#include "export/output_file.h"

struct flow_writer;

struct flow_writer_ops {
    bool final_only; // interim records of long flows are not for this output
    void (*take)(struct flow_writer *writer, const struct packed_flow *packed, int64_t now_ns);
    void (*idle)(struct flow_writer *writer, int64_t now_ns); // everything queued was taken
    void (*reopen)(struct flow_writer *writer, int64_t now_ns);
    bool (*close)(struct flow_writer *writer, struct error *error); // the thread's last call
    void (*destroy)(struct flow_writer *writer);                    // after the thread; frees the output
};

struct flow_writer {
    struct sink sink;
    const struct flow_writer_ops *ops;
    char name[256]; // of the output, for its sentences
    struct flow_queue queue;
    pthread_t thread;
    bool running;
    bool complete; // what close() said; valid after the thread
    struct error error;
    atomic_bool reopen_wanted;
    struct output_counts counts;
};

// Starts the thread. False with a sentence; then flow_writer_done() is still to be called.
bool flow_writer_start(struct flow_writer *writer, const char *name, const struct flow_writer_ops *ops,
                       bool live, struct error *error);
// Joins the thread if finish() did not; for `destroy` before it frees.
void flow_writer_done(struct flow_writer *writer);
