#include "base/thread.h"

#include <signal.h>
#include <stdlib.h>

#include "base/capabilities.h"

struct beginning {
    void *(*run)(void *);
    void *argument;
};

static void *run_without_capabilities(void *argument)
{
    struct beginning beginning = *(struct beginning *)argument;
    free(argument);
    capabilities_drop();
    return beginning.run(beginning.argument);
}

bool thread_start_capable(pthread_t *thread, void *(*run)(void *), void *argument)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool started = pthread_create(thread, NULL, run, argument) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

bool thread_start(pthread_t *thread, void *(*run)(void *), void *argument)
{
    struct beginning *beginning = malloc(sizeof *beginning);
    if (beginning == NULL)
        return false;
    *beginning = (struct beginning){.run = run, .argument = argument};
    bool started = thread_start_capable(thread, run_without_capabilities, beginning);
    if (!started)
        free(beginning);
    return started;
}
