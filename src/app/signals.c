#include "app/signals.h"

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <unistd.h>

#include "base/time.h"
#include "capture/clock.h"
#include "control/control.h"

static struct control *_Atomic stopped_by_signal;
static _Atomic int64_t stopping; // when the first signal came; 0 = none

static void on_stop(int number)
{
    static const int64_t patience_ns = 2 * NS_PER_S;
    int64_t now_ns = clock_now_ns(), before_ns = 0;
    if (!atomic_compare_exchange_strong(&stopping, &before_ns, now_ns)) {
        if (now_ns - before_ns > patience_ns)
            _exit(128 + number);
        return; // the same wish again, from a terminal or a supervisor in haste
    }
    struct control *control = atomic_load(&stopped_by_signal);
    if (control != NULL)
        control_stop(control);
}

static void handle(int number, void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(number, &action, NULL);
}

void signals_ignore_failed_writes(void)
{
    handle(SIGPIPE, SIG_IGN);
    handle(SIGXFSZ, SIG_IGN);
}

void signals_install(struct control *control)
{
    atomic_store(&stopped_by_signal, control);
    handle(SIGINT, on_stop);
    handle(SIGTERM, on_stop);
}

void signals_remove(void)
{
    atomic_store(&stopped_by_signal, NULL);
}

void signals_stop(void)
{
    on_stop(SIGTERM);
}

bool signals_stopped(void)
{
    return atomic_load(&stopping) != 0;
}

bool signals_patience_is_over(void)
{
    static const int64_t patience_ns = 3 * NS_PER_S;
    int64_t since_ns = atomic_load(&stopping);
    return since_ns != 0 && clock_now_ns() - since_ns > patience_ns;
}
