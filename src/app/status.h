// SIGUSR1, as tcpdump's: says on stderr how the run stands and which of the flows that are alive have the most
// bytes. A thread of its own asks the run, which goes on meanwhile.
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

struct control;
struct terminal;

struct status {
    struct control *control;
    struct terminal *terminal;
    pthread_t thread;
    bool started;
    atomic_bool ending;
};

// First of all, before any other thread starts: SIGUSR1 is the status thread's alone, and kills nobody before it
// is there, not even while the settings are read.
void status_block_signal(void);

// Without a thread the signal is ignored; the run does not depend on it.
void status_start(struct status *status, struct control *control, struct terminal *terminal);
// Before the control is destroyed.
void status_stop(struct status *status);
