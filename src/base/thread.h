// Starting threads. Signals are the main thread's: every other one is started with all of them blocked, so that none
// is interrupted in a system call, and sigwait() can be used. None but the one that opens interfaces has capabilities.
#pragma once

#include <pthread.h>
#include <stdbool.h>

// False when the system has no more threads. The caller's own signals and capabilities stay as they are.
bool thread_start(pthread_t *thread, void *(*run)(void *), void *argument);
// The same for the thread that opens interfaces: it begins with the caller's capabilities.
bool thread_start_capable(pthread_t *thread, void *(*run)(void *), void *argument);

// What was short when one could not be started, as the end of a sentence. At once: who ends threads gives it back.
const char *thread_shortage(void);
