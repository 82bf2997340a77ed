#include "export/flow_queue.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "../api/sample_flow.h"

enum { CAPACITY = 16 * 1024 };

static void push(struct flow_queue *queue, unsigned first, unsigned count)
{
    struct sample_flow sample;
    sample_flow_empty(&sample);
    for (unsigned i = first; i < first + count; i++) {
        sample.record.record_seq = i;
        flow_queue_push(queue, &sample.flow);
    }
}

// Takes a batch; flows are to come in order from `next` on. Returns the one that is to come after them.
static unsigned take(struct flow_queue *queue, unsigned next, bool *more)
{
    struct flow_batch batch;
    *more = flow_queue_take(queue, 10, &batch);
    for (const struct packed_flow *packed; (packed = flow_batch_next(&batch)) != NULL; next++)
        cr_assert(eq(uint, packed->record.record_seq, next));
    return next;
}

Test(flow_queue, drops_and_counts_when_full)
{
    struct flow_queue queue;
    bool more;
    cr_assert(flow_queue_init(&queue, CAPACITY, false));
    push(&queue, 0, 1000);
    unsigned taken = take(&queue, 0, &more);
    cr_assert(taken > 0 && taken < 1000 && more);
    cr_assert(eq(u64, queue.dropped, 1000 - taken));
    push(&queue, taken, 3); // there is room again
    cr_assert(eq(uint, take(&queue, taken, &more), taken + 3));
    cr_assert(flow_queue_is_empty(&queue));
    flow_queue_done(&queue);
}

static void *push_many(void *queue)
{
    push(queue, 0, 20000);
    flow_queue_close(queue);
    return NULL;
}

Test(flow_queue, waits_when_full_and_loses_nothing)
{
    struct flow_queue queue;
    pthread_t producer;
    bool more = true;
    unsigned next = 0;
    cr_assert(flow_queue_init(&queue, CAPACITY, true));
    cr_assert(pthread_create(&producer, NULL, push_many, &queue) == 0);
    while (more)
        next = take(&queue, next, &more);
    pthread_join(producer, NULL);
    cr_assert(eq(uint, next, 20000));
    cr_assert(eq(u64, queue.dropped, 0));
    flow_queue_done(&queue);
}
