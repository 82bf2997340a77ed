// The pipeline with one worker: the shard runs in the source thread, and so does the consumer.
#include "pipeline/ledger.h"
#include "pipeline/pipeline_parts.h"

static const struct ended_record *next_inline(struct tick_run *run)
{
    struct inline_shard *alone = (struct inline_shard *)run;
    return shard_next_ended(alone->shard, &alone->record) ? &alone->record : NULL;
}

struct batch *pipeline_run_inline(void *owner, struct batch *batch, bool wait)
{
    struct pipeline *pipeline = owner;
    struct inline_shard *alone = &pipeline->alone;
    (void)wait;
    shard_batch(alone->shard, batch);
    shard_answer(alone->shard);
    if (batch->mark == BATCH_SOURCE_END)
        shard_end_answering(alone->shard);
    if (batch->mark != BATCH_PACKETS) {
        shard_tick(alone->shard, batch->now_ns, batch->mark == BATCH_SOURCE_END);
        shard_swap_dns(alone->shard, &alone->run.dns);
        alone->run.dns_taken = 0;
        alone->run.top_count =
            batch->interval_end ? shard_top_flows(alone->shard, alone->top, TICK_TOP_FLOWS) : 0;
        if (!pipeline->dispatch.settings.lossless)
            ledger_take_drops(&pipeline->counted, pipeline->source);
        totals_copy(&pipeline->merged, &pipeline->counted);
        pipeline_add_totals(&pipeline->merged, shard_totals(alone->shard));
        pipeline_consume(pipeline, batch->tick, batch->now_ns, 1, batch->mark == BATCH_SOURCE_END);
    }
    batch_clear(batch);
    return batch;
}

bool pipeline_create_inline(struct pipeline *pipeline)
{
    struct inline_shard *alone = &pipeline->alone;
    struct shard_setup setup = {
        .policy = pipeline->setup.policy,
        .shards = 1,
        .names = pipeline->setup.names,
        .top_flows = pipeline->setup.top_flows,
    };
    alone->run = (struct tick_run){.next = next_inline, .top = alone->top};
    alone->shard = shard_create(&setup);
    pipeline->runs[0] = &alone->run;
    return alone->shard != NULL && batch_init(&alone->batch, pipeline->setup.batch);
}
