#include "ctl/finder.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/thread.h"
#include "base/time.h"
#include "capture/clock.h"
#include "ctl/complaint.h"

static const int64_t dns_every_ns = 30 * NS_PER_S, pods_every_ns = 10 * NS_PER_S;

// A source, and what waits of it.
struct looked {
    struct places places; // under the lock
    bool fresh;           // likewise: nobody has taken it
    int64_t due_ns;       // the thread's
    bool failing;         // likewise: which was told
};

struct finder {
    const struct source *sources;
    struct looked *looked;
    unsigned count;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t ending_now;
    bool ending; // under the lock
};

static void look(struct finder *finder, unsigned index)
{
    assert(index < finder->count && finder->sources[index].kind != SOURCE_ADDRESS);
    struct looked *looked = &finder->looked[index];
    struct places places;
    struct error error;
    bool fine = source_look(&finder->sources[index], &places, &error);
    if (!fine && !looked->failing)
        complain(error.text);
    looked->failing = !fine;
    looked->due_ns =
        clock_now_ns() + (finder->sources[index].kind == SOURCE_DNS ? dns_every_ns : pods_every_ns);
    if (!fine)
        return;
    pthread_mutex_lock(&finder->lock);
    places_done(&looked->places);
    looked->places = places;
    looked->fresh = true;
    pthread_mutex_unlock(&finder->lock);
}

// Until something is due, or the end has come.
static bool wait_for_work(struct finder *finder, int64_t due_ns)
{
    struct timespec due = {.tv_sec = due_ns / NS_PER_S, .tv_nsec = due_ns % NS_PER_S};
    pthread_mutex_lock(&finder->lock);
    while (!finder->ending && clock_now_ns() < due_ns)
        pthread_cond_clockwait(&finder->ending_now, &finder->lock, CLOCK_MONOTONIC, &due);
    bool goes_on = !finder->ending;
    pthread_mutex_unlock(&finder->lock);
    return goes_on;
}

static void *run(void *argument)
{
    struct finder *finder = argument;
    for (;;) {
        int64_t next_ns = INT64_MAX;
        unsigned next = 0;
        for (unsigned i = 0; i < finder->count; i++) {
            if (finder->looked[i].due_ns >= next_ns)
                continue;
            next_ns = finder->looked[i].due_ns;
            next = i;
        }
        if (!wait_for_work(finder, next_ns))
            return NULL;
        look(finder, next);
    }
}

struct finder *finder_create(const struct source *sources, unsigned count, struct error *error)
{
    struct finder *finder = calloc(1, sizeof *finder);
    struct looked *looked = calloc(count + 1, sizeof *looked);
    if (finder != NULL && looked != NULL) {
        *finder = (struct finder){.sources = sources, .looked = looked, .count = count};
        // Addresses are what they are; of the others the first look was taken already.
        for (unsigned i = 0; i < count; i++)
            looked[i].due_ns = sources[i].kind == SOURCE_ADDRESS ? INT64_MAX
                               : sources[i].kind == SOURCE_DNS   ? clock_now_ns() + dns_every_ns
                                                                 : clock_now_ns() + pods_every_ns;
        pthread_mutex_init(&finder->lock, NULL);
        pthread_cond_init(&finder->ending_now, NULL);
        if (thread_start(&finder->thread, run, finder))
            return finder;
    }
    free(looked);
    free(finder);
    error_set(error, ERROR_EXHAUSTED, "no memory or no thread to look for sensors");
    return NULL;
}

void finder_destroy(struct finder *finder)
{
    if (finder == NULL)
        return;
    pthread_mutex_lock(&finder->lock);
    finder->ending = true;
    pthread_cond_signal(&finder->ending_now);
    pthread_mutex_unlock(&finder->lock);
    pthread_join(finder->thread, NULL);
    for (unsigned i = 0; i < finder->count; i++)
        places_done(&finder->looked[i].places);
    pthread_mutex_destroy(&finder->lock);
    pthread_cond_destroy(&finder->ending_now);
    free(finder->looked);
    free(finder);
}

bool finder_take(struct finder *finder, unsigned *source, struct places *places)
{
    bool fresh = false;
    pthread_mutex_lock(&finder->lock);
    for (unsigned i = 0; i < finder->count && !fresh; i++) {
        struct looked *looked = &finder->looked[i];
        if (!looked->fresh)
            continue;
        fresh = true;
        looked->fresh = false;
        *source = i;
        *places = looked->places;
        looked->places = (struct places){.list = NULL};
    }
    pthread_mutex_unlock(&finder->lock);
    return fresh;
}
