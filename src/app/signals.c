#include "app/signals.h"

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <unistd.h>

#include "control/control.h"

static struct control *_Atomic stopped_by_signal;
static atomic_bool hangup, stopping;

static void on_stop(int number)
{
    if (atomic_exchange(&stopping, true))
        _exit(128 + number);
    struct control *control = atomic_load(&stopped_by_signal);
    if (control != NULL)
        control_stop(control);
}

static void on_hangup(int number)
{
    (void)number;
    atomic_store(&hangup, true);
}

static void handle(int number, void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(number, &action, NULL);
}

void signals_install(struct control *control)
{
    atomic_store(&stopped_by_signal, control);
    handle(SIGINT, on_stop);
    handle(SIGTERM, on_stop);
    handle(SIGHUP, on_hangup);
    handle(SIGPIPE, SIG_IGN);
}

void signals_remove(void)
{
    handle(SIGINT, SIG_DFL);
    handle(SIGTERM, SIG_DFL);
    handle(SIGHUP, SIG_DFL);
    atomic_store(&stopped_by_signal, NULL);
}

bool signals_stopped(void)
{
    return atomic_load(&stopping);
}

bool signals_take_hangup(void)
{
    return atomic_exchange(&hangup, false);
}
