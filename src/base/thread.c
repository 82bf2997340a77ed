#include "base/thread.h"

#include <assert.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>

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
    int blocked = pthread_sigmask(SIG_SETMASK, &all, &before);
    assert(blocked == 0);
    bool started = pthread_create(thread, NULL, run, argument) == 0;
    int restored = pthread_sigmask(SIG_SETMASK, &before, NULL);
    assert(restored == 0);
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

// The C library has one error for both: whether a stack still fits tells them apart.
const char *thread_shortage(void)
{
    pthread_attr_t usual;
    size_t bytes = 0;
    pthread_attr_init(&usual);
    pthread_attr_getstacksize(&usual, &bytes);
    pthread_attr_destroy(&usual);
    void *stack = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (stack == MAP_FAILED)
        return "there is no memory for its stack: raise the limit of address space (ulimit -v)";
    munmap(stack, bytes);
    return "raise the limit of processes (ulimit -u, or pids.max of the cgroup)";
}
