// The aggregate thread: the parts of a tick of all workers meet here, and so do their answers to questions.
#include <assert.h>

#include "pipeline/pipeline_parts.h"

static void add_totals(struct totals *to, const struct shard_totals *from)
{
    to->analysed += from->analysed;
    to->analysed_bytes += from->analysed_bytes;
    to->duplicate += from->duplicate;
    to->second_sightings += from->second_sightings;
    to->flows_created += from->flows_created;
    to->flows_active += from->flows_active;
    to->flows_refused += from->flows_refused;
    to->flows_unanswered += from->flows_unanswered;
    to->flows_inconclusive += from->flows_inconclusive;
    to->flow_table_bytes += from->flow_table_bytes;
    to->arp += from->arp;
    to->arp_bytes += from->arp_bytes;
    to->not_ip += from->not_ip;
    to->not_ip_bytes += from->not_ip_bytes;
    to->dns_messages += from->payload.dns_messages;
    to->answers_given_up += from->payload.answers_given_up;
    to->tls_hellos += from->payload.tls_hellos;
    to->streams_given_up += from->payload.streams_given_up;
    to->decode_errors[DECODE_LAYER_APP][DECODE_BAD_MESSAGE] += from->payload.bad_messages;
    for (int reason = 0; reason < END_REASONS; reason++)
        to->flows_ended[reason] += from->flows_ended[reason];
    for (int protocol = 0; protocol < 256; protocol++) {
        to->protocol_packets[protocol] += from->protocol_packets[protocol];
        to->protocol_bytes[protocol] += from->protocol_bytes[protocol];
    }
}

static void give_answer(struct pipeline *pipeline, struct question *question)
{
    if (question_merge(question) && pipeline->consumer->answer != NULL)
        pipeline->consumer->answer(pipeline->consumer, question);
    question_finish(question);
}

// The next answer, or a slice of what the consumer is asked for. Whether there was anything to do.
static bool serve_one(struct pipeline *pipeline)
{
    struct message *message =
        pipeline->service != NULL ? pipeline->service : mailbox_take(&pipeline->answers);
    pipeline->service = NULL;
    if (message == NULL)
        return false;
    if (message->kind == MESSAGE_QUESTION) {
        give_answer(pipeline, (struct question *)message);
        return true;
    }
    assert(message->kind == MESSAGE_SERVICE && pipeline->consumer->serve != NULL);
    if (pipeline->consumer->serve(pipeline->consumer, message))
        message_arrive(message);
    else
        pipeline->service = message;
    return true;
}

void pipeline_end_answers(struct pipeline *pipeline)
{
    mailbox_close(&pipeline->answers);
    while (serve_one(pipeline))
        ;
}

static bool all_have_come(const struct pipeline *pipeline)
{
    for (unsigned i = 0; i < pipeline->setup.workers; i++)
        if (!worker_has_run(pipeline->workers[i]))
            return false;
    return true;
}

// Waits for the next tick of all workers; answers go out meanwhile, but one between two ticks at least and, where ticks
// wait, at most: whoever asks never holds them up.
static void await_tick(struct pipeline *pipeline)
{
    for (;;) {
        unsigned count = bell_count(&pipeline->merging);
        bool served = serve_one(pipeline);
        if (all_have_come(pipeline))
            return;
        if (!served)
            bell_wait(&pipeline->merging, count, -1);
    }
}

static bool take_tick(struct pipeline *pipeline, uint64_t number)
{
    struct tick_run *runs[PIPELINE_WORKERS];
    unsigned workers = pipeline->setup.workers;
    assert(workers > 0 && workers <= PIPELINE_WORKERS);
    struct pipeline_tick tick = {
        .number = number, .totals = &pipeline->merged, .runs = runs, .run_count = workers};
    for (unsigned i = 0; i < workers; i++)
        runs[i] = worker_run(pipeline->workers[i]);
    // After the parts: they carry the order of memory.
    struct tick_slot *slot = &pipeline->slots[pipeline->slot_of[number % pipeline->slot_count]];
    assert(atomic_load_explicit(&slot->filled, memory_order_relaxed));
    tick.last = slot->last;
    tick.now_ns = slot->now_ns;
    tick.generation = runs[0]->report->generation;
    totals_copy(&pipeline->merged, &slot->totals);
    atomic_store_explicit(&slot->filled, false, memory_order_release);
    for (unsigned i = 0; i < workers; i++) {
        add_totals(&pipeline->merged, &runs[i]->report->totals);
        if (runs[i]->report->generation < tick.generation)
            tick.generation = runs[i]->report->generation;
    }
    tick_begin(&tick);
    pipeline->consumer->tick(pipeline->consumer, &tick);
    return !tick.last;
}

void *pipeline_aggregate(void *argument)
{
    struct pipeline *pipeline = argument;
    uint64_t number = 0;
    do
        await_tick(pipeline);
    while (take_tick(pipeline, number++));
    pipeline_end_answers(pipeline);
    return NULL;
}
