// What the files of the pipeline share: pipeline.c reads the source, pipeline_send.c sends batches to the shards,
// pipeline_merge.c is the aggregate thread, pipeline_post.c speaks for other threads. For these only.
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "pipeline/batch_ring.h"
#include "pipeline/crew.h"
#include "pipeline/pipeline.h"
#include "pipeline/question.h"
#include "pipeline/worker.h"

// What the source knows at the end of a tick.
struct tick_slot {
    atomic_bool filled; // by the source; the aggregate empties it
    int64_t now_ns;
    bool last;
    struct totals totals;
};

struct pipeline {
    struct pipeline_setup setup;
    struct source *source;
    struct tick_consumer *consumer;
    struct dispatch dispatch;
    struct totals counted; // the source thread's
    struct totals merged;  // the aggregate's: with what the shards counted
    struct worker *workers[PIPELINE_WORKERS];
    struct crew crew;
    struct bell helping; // rings for the source's thread when there is a step that it could take
    struct batch_ring batches;
    unsigned unannounced; // batches sent since the workers were woken
    struct tick_slot
        *slots;       // of ticks on their way: the first empty one is filled, so that few are ever touched
    uint8_t *slot_of; // by tick number % slot_count
    unsigned slot_count;
    struct mailbox source_box; // for the source's thread
    pthread_mutex_t tapping;   // one tap begins or ends at a time:
    struct tap_message tap_message;
    unsigned taps;
    pthread_t aggregate;
    struct bell merging;     // rings for the aggregate thread
    struct mailbox answers;  // for it
    struct message *service; // of these: the one that slices are done of; NULL = none
    struct flow_listings *listings;
};

// pipeline_send.c: the source's thread
bool pipeline_create_workers(struct pipeline *pipeline);
deliver_function pipeline_send_batch; // `owner` is the pipeline
// Takes a step for every worker that nobody runs. Whether there was anything to do.
bool pipeline_help_workers(struct pipeline *pipeline);
void pipeline_flush_workers(struct pipeline *pipeline); // before the thread sleeps: worker_flush()
void pipeline_wake_workers(struct pipeline *pipeline);  // when something was sent that they do not know of
// Whether the workers have enough to do, so that what comes may wait for a batch to be full.
bool pipeline_is_busy(const struct pipeline *pipeline);
bool pipeline_start_threads(struct pipeline *pipeline, struct error *error);
void pipeline_join_threads(struct pipeline *pipeline);

// pipeline_merge.c
void *pipeline_aggregate(void *argument);             // the aggregate thread
void pipeline_end_answers(struct pipeline *pipeline); // takes no more of them, and gives those that came

// pipeline_post.c
void pipeline_serve_source(struct pipeline *pipeline); // the source's thread: what others posted
