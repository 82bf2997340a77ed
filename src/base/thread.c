#include "base/thread.h"

#include <assert.h>
#include <signal.h>
#include <stddef.h>

bool thread_start(pthread_t *thread, void *(*run)(void *), void *argument)
{
    sigset_t all, before;
    sigfillset(&all);
    int blocked = pthread_sigmask(SIG_SETMASK, &all, &before);
    assert(blocked == 0);
    bool started = pthread_create(thread, NULL, run, argument) == 0;
    int restored = pthread_sigmask(SIG_SETMASK, &before, NULL);
    assert(restored == 0);
    return started;
}
