#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#include "base/thread.h"

// The signals that the system lets a thread block; the C library keeps two for itself.
static const int some_signals[] = {SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGPIPE, SIGCHLD, SIGALRM};
enum { SOME_SIGNALS = sizeof some_signals / sizeof *some_signals };

static void *take_mask(void *argument)
{
    pthread_sigmask(SIG_SETMASK, NULL, argument);
    return argument;
}

Test(thread, starts_with_all_signals_blocked)
{
    pthread_t thread;
    sigset_t mask;
    void *result;
    sigemptyset(&mask);
    cr_assert(thread_start(&thread, take_mask, &mask));
    pthread_join(thread, &result);
    cr_expect(result == &mask, "the argument comes in, the result out");
    for (unsigned i = 0; i < SOME_SIGNALS; i++)
        cr_expect(sigismember(&mask, some_signals[i]) == 1, "signal %d", some_signals[i]);
}

Test(thread, leaves_the_signals_of_who_starts_it)
{
    pthread_t thread;
    sigset_t own, mask;
    sigemptyset(&own);
    sigaddset(&own, SIGUSR1);
    pthread_sigmask(SIG_SETMASK, &own, NULL);
    cr_assert(thread_start(&thread, take_mask, &mask));
    pthread_join(thread, NULL);
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    for (unsigned i = 0; i < SOME_SIGNALS; i++)
        cr_expect(sigismember(&mask, some_signals[i]) == (some_signals[i] == SIGUSR1), "signal %d",
                  some_signals[i]);
}

// No thread is started here: what is short is asked for where one could not be.
Test(thread, tells_address_space_from_processes)
{
    cr_expect_not_null(strstr(thread_shortage(), "ulimit -u"));
    struct rlimit before, none;
    cr_assert_eq(getrlimit(RLIMIT_AS, &before), 0);
    none = (struct rlimit){.rlim_cur = 1, .rlim_max = before.rlim_max};
    cr_assert_eq(setrlimit(RLIMIT_AS, &none), 0);
    const char *said = thread_shortage();
    cr_assert_eq(setrlimit(RLIMIT_AS, &before), 0);
    cr_expect_not_null(strstr(said, "ulimit -v"), "%s", said);
}
