// The pipeline: one source, its dispatch, the shards, and what leaves them at each tick. pipeline_run() is the source
// thread; a crew of threads runs the shards, or nobody but the source's thread does; ticks are consumed on the
// aggregate thread. The result is the same for any number of workers and threads.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

#include "base/error.h"
#include "capture/source.h"
#include "flow/policy.h"
#include "flow/query.h"
#include "pipeline/dispatch.h"
#include "pipeline/messages.h"
#include "pipeline/tick.h"

struct question;

// Where ticks go: aggregate. Called by the aggregate thread.
struct tick_consumer {
    // Takes every ended flow of the tick.
    void (*tick)(struct tick_consumer *consumer, struct pipeline_tick *tick);
    // The answer of all shards is there: whatever is to be added to its rows. NULL = nothing.
    void (*answer)(struct tick_consumer *consumer, struct question *question);
    // A message of kind MESSAGE_SERVICE that pipeline_post() sent: does a slice of it, some 100 us, and says whether that
    // was the last one. NULL = none come.
    bool (*serve)(struct tick_consumer *consumer, struct message *message);
    // The consumer's readers lag: flows whose time is over had better end by and by.
    atomic_bool behind;
};

struct pipeline_setup {
    struct flow_policy policy;
    struct decode_options decode;
    int64_t tick_ns;
    uint32_t tick_packets; // a tick ends after so many at the latest; 0 = TICK_PACKETS
    unsigned datagrams;    // in fragments that are known at a time; 0 = DATAGRAMS_KNOWN
    uint64_t packet_limit;
    unsigned workers; // 1 to PIPELINE_WORKERS
    unsigned
        threads; // that run them, besides the source's; more than workers = as many, 0 = the source's alone
    unsigned batch;      // packets
    int64_t interval_ns; // of top flows and totals->interval_end; 0 = none
    uint64_t generation; // of the settings at the start
    uint64_t instance;   // random: tells the page tokens of this run from those of others
    bool names, top_flows;
};

struct pipeline;

// The source and the consumer are borrowed.
struct pipeline *pipeline_create(const struct pipeline_setup *setup, struct source *source,
                                 struct tick_consumer *consumer, struct error *error);
void pipeline_destroy(struct pipeline *pipeline);

// What batches, records on their way and reports take, at most.
uint64_t pipeline_most_bytes(bool lossless, unsigned workers, unsigned batch);

// Runs to the end of the source (its end, source_stop(), run.count). Returns when the last tick was
// consumed. False when the ledger does not add up, with the figures.
bool pipeline_run(struct pipeline *pipeline, struct error *error);

// Of the last tick that was consumed: exact after the run.
const struct totals *pipeline_totals(const struct pipeline *pipeline);

// --- From any other thread, before or during the run ---

// Batches on their way through the shards, and how many there may be.
struct pipeline_queue {
    unsigned depth, capacity;
};
struct pipeline_queue pipeline_queue_of(struct pipeline *pipeline);

// The tap gets every frame from now on. False when there are too many.
bool pipeline_add_tap(struct pipeline *pipeline, struct tap *tap, struct error *error);
// Waits until the source offers it no more frames.
void pipeline_remove_tap(struct pipeline *pipeline, struct tap *tap);

// During the run only: ERROR_FAILED_PRECONDITION says that it has not begun, or has ended.

// New settings: in force for new flows at once, for all others when snapshots tell the generation. Does not wait.
// ERROR_FAILED_PRECONDITION also where max_flows would rise above what the run began with.
bool pipeline_change(struct pipeline *pipeline, const struct pipeline_change *change, struct error *error);

// Asks all shards about the flows that are alive: posts the question, which the caller waits for as a message
// (question->message), and goes on. Packets are not held up: shards answer in slices between batches. On failure, too,
// the caller releases the question.
struct question *pipeline_question(struct pipeline *pipeline, const struct flow_query *query,
                                   int64_t deadline_ns, struct error *error);
bool pipeline_ask(struct pipeline *pipeline, struct question *question, struct error *error);

// Posts a message of kind MESSAGE_SERVICE for one receiver to the consumer, between two ticks, and goes on. On failure the
// message is the caller's alone, and never arrives.
bool pipeline_post(struct pipeline *pipeline, struct message *message, struct error *error);

// Flows in pages (flow/listing.h): without a token the first page of a new listing, with one the page that it names. What
// comes is a question to ask, as above, whose page carries the token of the next one; or the page itself, held, when it
// was turned before.
struct pipeline_listed {
    struct question *question;
    struct flow_page *again;
};
bool pipeline_list(struct pipeline *pipeline, const struct flow_query *query, const char *token,
                   int64_t deadline_ns, struct pipeline_listed *out, struct error *error);
