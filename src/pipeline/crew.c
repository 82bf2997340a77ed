#include "pipeline/crew.h"

#include <assert.h>

#include "base/thread.h"

// One round over the workers of a member. Whether anything was done.
static bool take_round(const struct crew_member *member, bool wait)
{
    const struct crew *crew = member->crew;
    bool worked = false;
    for (unsigned i = member->number; i < crew->worker_count; i += crew->threads)
        worked |= worker_step(crew->workers[i], wait) == WORKER_WORKED;
    return worked;
}

// Whether a worker of the member has not seen the end yet.
static bool is_running(const struct crew_member *member)
{
    const struct crew *crew = member->crew;
    for (unsigned i = member->number; i < crew->worker_count; i += crew->threads)
        if (!worker_has_ended(crew->workers[i]))
            return true;
    return false;
}

static void flush(const struct crew_member *member)
{
    const struct crew *crew = member->crew;
    for (unsigned i = member->number; i < crew->worker_count; i += crew->threads)
        worker_flush(crew->workers[i]);
}

static void *work(void *argument)
{
    struct crew_member *member = argument;
    while (is_running(member)) {
        unsigned count = bell_count(&member->bell);
        if (take_round(member, false) || take_round(member, true) || !is_running(member))
            continue;
        flush(member);
        bell_wait(&member->bell, count, -1);
    }
    return NULL;
}

void crew_init(struct crew *crew, struct worker **workers, unsigned worker_count, unsigned threads)
{
    assert(threads <= worker_count && worker_count <= PIPELINE_WORKERS);
    *crew = (struct crew){.workers = workers, .worker_count = worker_count, .threads = threads};
    for (unsigned i = 0; i < threads; i++)
        crew->members[i] = (struct crew_member){.crew = crew, .number = i};
}

struct bell *crew_bell(struct crew *crew, unsigned worker)
{
    assert(crew->threads > 0 && worker < crew->worker_count);
    return &crew->members[worker % crew->threads].bell;
}

void crew_ring(struct crew *crew)
{
    for (unsigned i = 0; i < crew->threads; i++)
        bell_ring(&crew->members[i].bell);
}

bool crew_start(struct crew *crew)
{
    for (unsigned i = 0; i < crew->worker_count; i++)
        worker_begin(crew->workers[i]);
    for (; crew->started < crew->threads; crew->started++) {
        struct crew_member *member = &crew->members[crew->started];
        if (!thread_start(&member->thread, work, member))
            break;
    }
    return crew->started == crew->threads;
}

void crew_join(struct crew *crew)
{
    for (unsigned i = 0; i < crew->started; i++)
        pthread_join(crew->members[i].thread, NULL);
}
