// What is asked of a run while it goes on: by SIGUSR1 how it stands (status.h), by SIGHUP new settings, reopened outputs and
// servers' files read again (reload.h), by a settings file that has changed, which is looked at every two seconds, new settings alone. A thread of its own takes them, so that neither the capture nor the aggregate waits for a file or a
// terminal. A SIGHUP that comes because the terminal is gone ends a run that had one, as it would end any program.
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/file_version.h"
#include "config/config.h"

struct control;
struct outputs;
struct servers;

struct requests {
    struct control *control;
    struct outputs *outputs;
    struct servers *servers;
    const struct config_origin *origin;
    struct file_version version; // of the settings file, as it was read last or refused
    bool has_terminal;           // a controlling one, whose end ends the run
    pthread_t thread;
    bool started;
    atomic_bool ending;
};

// First of all, before any other thread starts: these signals are the thread's alone, and kill nobody before it
// is there, not even while the settings are read.
void requests_block_signals(void);

// Everything is borrowed. Without a thread the signals are ignored; the run does not depend on it.
void requests_start(struct requests *requests, struct control *control, struct outputs *outputs,
                    struct servers *servers, const struct config_origin *origin);
// Before outputs and control end.
void requests_stop(struct requests *requests);
